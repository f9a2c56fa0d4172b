"""The driver fork: a program without a service."""

from __future__ import annotations

import os
import re
import select
from pathlib import Path

import pytest

import fakedove
from fakedove import Verdict
from tests.program_client.services import program


def log_of(done: fakedove.Execution) -> list[str]:
    """Return the log with process ids left out, without what it says of good ends."""
    lines = [re.sub(r"\(\d+\)", "(PID)", str(one)) for one in done.log]
    return [line for line in lines if "Debug: " not in line]


# Recordings welcome-conf-wfork, quota-warn-fork and quota-warn-exec.
def test_a_program_gets_arguments_environment_and_stdin(tmp_path: Path) -> None:
    path = program(tmp_path, 'echo "$0 $*"; cat; env; umask; pwd; echo trouble >&2')
    done = fakedove.execute(f"fork:{path}", ["80", "a b"], env={"USER": "tss"}, stdin=b"mail\n")
    printed = f"{path} 80 a b\nmail\nUSER=tss\nPWD=/\n0077\n/\n"
    assert sorted(done.output.decode().split("\n")) == sorted(printed.split("\n"))
    assert (done.verdict, done.status, done.result) == (Verdict.SUCCESS, 0, None)
    assert (done.environment, done.stderr) == ({"USER": "tss"}, b"trouble\n")
    assert [one.text.decode() for one in done.log] == [
        "Finished streaming payload to program",
        "Finished streaming payload from program",
    ]


# Recording welcome-conf-wforkfail.
def test_an_exit_status_is_a_failure(tmp_path: Path) -> None:
    path = program(tmp_path, "echo out; exit 3")
    done = fakedove.execute(f"fork:{path}")
    assert (done.verdict, done.status, done.output) == (Verdict.FAILURE, 3, b"out\n")
    assert log_of(done) == [
        f"execute exec:{path} (PID): Info: Terminated with non-zero exit code 3"
    ]


def test_a_signal_is_an_internal_failure(tmp_path: Path) -> None:
    path = program(tmp_path, "kill -9 $$")
    done = fakedove.execute(f"fork:{path}")
    assert (done.verdict, done.status) == (Verdict.INTERNAL_FAILURE, -9)
    assert log_of(done) == [
        f"execute exec:{path} (PID): Error: Terminated abnormally with signal 9"
    ]


# Recording welcome-conf-wforkmissing.
def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "nosuch"
    done = fakedove.execute(f"fork:{path}")
    assert (done.verdict, done.status) == (Verdict.FAILURE, 75)
    assert log_of(done) == [
        f"Fatal: execvp({path}) failed: No such file or directory",
        f"execute exec:{path} (PID): Info: Terminated with non-zero exit code 75",
    ]


def test_a_program_without_a_first_line_is_the_shells(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_text("echo shell $1\n")
    path.chmod(0o755)
    assert fakedove.execute(f"fork:{path}", ["x"]).output == b"shell x\n"


def test_a_name_is_looked_for_where_programs_are() -> None:
    assert fakedove.execute("fork:echo", ["hello"]).output == b"hello\n"


# Measured on 2.3.19.1 and 2.4.1 with Sieve's pipe and filter.
@pytest.mark.parametrize(
    ("dovecot", "reason"),
    [("2.3.19.1", "Broken pipe"), ("2.4.1", "write() failed: Broken pipe")],
)
def test_much_stdin_has_to_be_read(tmp_path: Path, dovecot: str, reason: str) -> None:
    path = program(tmp_path, "echo out")
    assert fakedove.execute(f"fork:{path}", stdin=b"little").ok
    done = fakedove.execute(f"fork:{path}", stdin=b"x" * 400_000, dovecot=dovecot)
    assert done.verdict is Verdict.INTERNAL_FAILURE
    assert [line.partition(": Error: ")[2] for line in log_of(done)] == [
        f"write(program stdin) failed: {reason}"
    ]


# Measured on 2.3.19.1 with Sieve's pipe and filter: who wants no output hears less.
@pytest.mark.parametrize("output", [True, False])
def test_a_program_that_ends_well_when_it_is_told_to(tmp_path: Path, output: bool) -> None:
    path = program(tmp_path, "trap 'exit 0' TERM; while :; do sleep 0.01; done")
    done = fakedove.execute(f"fork:{path}", timeout=1.0, output=output)
    assert (done.verdict, done.status) == (Verdict.INTERNAL_FAILURE, 0)
    lines = ["Execution timed out (> 1000 msecs)"] if output else []
    assert [line.partition(": Error: ")[2] for line in log_of(done)] == lines


def test_a_process_in_the_background_that_holds_stdout_is_waited_for(tmp_path: Path) -> None:
    path = program(tmp_path, "sleep 1000 & echo out")
    done = fakedove.execute(f"fork:{path}", timeout=1.0)
    assert (done.verdict, done.output, done.status) == (-1, b"out\n", 0)
    assert fakedove.execute(f"fork:{path}", output=False).ok


def test_much_goes_both_ways(tmp_path: Path) -> None:
    much = b"0123456789abcdef" * 65536
    assert fakedove.execute("fork:cat", stdin=much).output == much


# A program that ignores SIGTERM has five seconds, as in Dovecot.
@pytest.mark.parametrize("ignores", ["", "trap '' TERM; "])
def test_nothing_is_left_after_the_time_is_over(tmp_path: Path, ignores: str) -> None:
    pids = tmp_path / "pids"
    path = program(tmp_path, f"{ignores}sleep 1000 & echo $! $$ >{pids}; echo part; wait")
    done = fakedove.execute(f"fork:{path}", timeout=1.0)
    number = 9 if ignores else 15
    assert (done.verdict, done.output) == (Verdict.INTERNAL_FAILURE, b"part\n")
    assert done.status == -number
    assert [line.partition(": Error: ")[2] for line in log_of(done)] == [
        "Execution timed out (> 1000 msecs)",
        f"Forcibly terminated with signal {number}",
    ]
    for pid in pids.read_text().split():
        assert is_gone(int(pid))


def is_gone(pid: int) -> bool:
    """Whether there is no such process, not counting what only waits to be buried.

    One that has closed its files may need another moment to be dead.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], 1)[0])
    finally:
        os.close(pidfd)


@pytest.mark.parametrize(
    ("dovecot", "line"),
    [
        ("2.3.19.1", "program exec:{} (PID): Info: Terminated with non-zero exit code 1"),
        ("2.2.36", "Info: program `{}' terminated with non-zero exit code 1"),
    ],
)
def test_releases_word_their_log_in_their_own_way(tmp_path: Path, dovecot: str, line: str) -> None:
    path = program(tmp_path, "exit 1")
    done = fakedove.execute(f"fork:{path}", dovecot=dovecot)
    assert log_of(done) == [line.format(path)]
