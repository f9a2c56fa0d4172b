"""A program behind a service that is made for it: `script:PATH` and `run_script`."""

from __future__ import annotations

from pathlib import Path

import pytest

import fakedove
from fakedove import ExecuteError, Verdict
from tests.program_client.services import program
from tests.program_client.test_forked import is_gone


def test_all_about_one_run(tmp_path: Path) -> None:
    path = program(tmp_path, 'echo "$*"; cat; echo one >&2; printf two >&2; exit 3')
    done = fakedove.run_script([path, "conf"], ["80", "tss"], env={"USER": "tss"}, stdin=b"mail\n")
    assert (done.status, done.result, done.verdict) == (3, b"-\n", Verdict.FAILURE)
    assert (done.stdout, done.stderr) == (b"conf 80 tss\nmail\n", ("one", "two"))
    assert (done.environment, done.ok) == ({"USER": "tss"}, False)
    assert "script.sh: Error: Script terminated abnormally, exit status 3" in map(str, done.log)


def test_one_line_for_an_authors_test(tmp_path: Path) -> None:
    assert fakedove.run_script(program(tmp_path, "true")).ok


def test_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    done = fakedove.run_script(program(tmp_path, "kill -9 $$"))
    assert (done.status, done.result, done.stderr) == (-9, b"-\n", ())


def test_a_program_that_hangs_ends_with_the_run(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    path = program(tmp_path, f"echo $$ >{pid}; echo part; exec sleep 1000")
    done = fakedove.run_script(path, timeout=1.0)
    assert (done.status, done.result, done.verdict) == (None, None, Verdict.INTERNAL_FAILURE)
    assert is_gone(int(pid.read_text()))


def test_the_end_of_a_noreply_program_is_waited_for(tmp_path: Path) -> None:
    done = fakedove.run_script(program(tmp_path, "cat >&2; exit 4"), stdin=b"in\n", noreply=True)
    assert (done.status, done.result, done.verdict) == (4, None, Verdict.SUCCESS)
    assert done.stderr == ("in",)


# Up to 2.4.2 a variable whose line holds an escape is dropped (recording env-escaped-tab).
@pytest.mark.parametrize(("dovecot", "kept"), [("2.4.1", False), ("2.4.3", True)])
def test_the_environment_is_what_arrives(tmp_path: Path, dovecot: str, kept: bool) -> None:
    path = program(tmp_path, "true")
    done = fakedove.run_script(path, env={"A": "1", "B": "a\nb"}, dovecot=dovecot)
    assert done.environment == {"A": "1"} | ({"B": "a\nb"} if kept else {})


@pytest.mark.parametrize(
    ("dovecot", "stdout", "result"),
    [
        ("main", b"80\n", b"-\n"),
        ("2.3.8", b"80\n", b"-\n"),
        ("2.2.13", b"80\n", b"-\n"),
        # Up to 2.0 nobody hears of it.
        ("2.0.21", b"", None),
    ],
)
def test_other_releases(tmp_path: Path, dovecot: str, stdout: bytes, result: bytes | None) -> None:
    path = program(tmp_path, "echo $*; echo err >&2; exit 3")
    done = fakedove.run_script(path, ["80"], dovecot=dovecot)
    assert (done.stdout, done.result) == (stdout, result)
    assert (done.status, done.stderr) == (3, ("err",))
    assert done.ok == (result is None)


def test_an_execution_shows_both_sides(tmp_path: Path) -> None:
    path = program(tmp_path, "echo out; echo err >&2")
    done = fakedove.execute(f"script:{path}", ["x"], env={"A": "1"})
    assert (done.verdict, done.output, done.stderr) == (Verdict.SUCCESS, b"out\n", b"err\n")
    assert (done.environment, done.status, done.result) == ({"A": "1"}, 0, b"+\n")
    assert [str(one).rpartition(": ")[2] for one in done.log] == [
        "err",
        "Received '+' result code from remote",
        "Finished streaming payload from program",
    ]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(ExecuteError) as caught:
        fakedove.run_script([path])
    assert str(caught.value) == f"{path}: there is no such program"
    path.write_text("#!/bin/sh\n")
    with pytest.raises(ExecuteError, match="is no program that may be run"):
        fakedove.run_script([path])
    with pytest.raises(ExecuteError, match="must begin with a program"):
        fakedove.run_script([])


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = program(tmp_path, "true")
    fakedove.run_script(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        fakedove.run_script(path)
        fakedove.execute(f"fork:{path}")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_stdin_has_to_be_read(tmp_path: Path) -> None:
    done = fakedove.run_script(program(tmp_path, "true"), stdin=b"mail\n")
    assert (done.status, done.ok, done.verdict) == (0, False, Verdict.INTERNAL_FAILURE)
    assert str(done.log[-1]).endswith("Connection reset by peer")
