"""`fakedove execute` as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import PROGRAM, ended_if_it_hangs, environment, fakedove
from tests.program_client.services import answering, program, raw_service
from tests.program_client.test_forked import is_gone


def test_a_program_behind_a_service_of_its_own(tmp_path: Path) -> None:
    path = program(tmp_path, 'cat; echo "$*"; echo err >&2; exit 3')
    done = fakedove(
        *("execute", f"script:{path}", "-e", "USER=tss", "--stdin", "-"),
        *("--", "80", "-x", "a b"),
        stdin=b"mail\n",
    )
    assert done.stdout == "mail\n80 -x a b\n"
    stderr, ended, *client, environment, verdict = done.stderr.splitlines()
    assert stderr == "script.sh: Error: err"
    assert ended == "script.sh: Error: Script terminated abnormally, exit status 3"
    assert [line.rpartition(": ")[2] for line in client] == [
        "Finished streaming payload to program",
        "Received '-' result code from remote",
        "Finished streaming payload from program",
    ]
    assert environment == "fakedove execute: environment: USER=tss"
    assert verdict == "fakedove execute: failure, exit status 3"
    assert done.returncode == 1


def test_a_forked_program(tmp_path: Path) -> None:
    path = program(tmp_path, "echo out; echo err >&2")
    done = fakedove("execute", f"fork:{path}")
    assert (done.stdout, done.returncode) == ("out\n", 0)
    stderr, stream, *rest = done.stderr.splitlines()
    assert stream.endswith(": Debug: Finished streaming payload from program")
    assert stderr == "err"
    assert rest == [
        "fakedove execute: environment: (empty)",
        "fakedove execute: success, exit status 0",
    ]


@pytest.mark.parametrize("driver", ["fork", "script"])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, driver: str) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    path = program(tmp_path, f"echo $$ >{ready}; exec sleep 1000")
    with (
        subprocess.Popen(
            [*PROGRAM, "execute", f"{driver}:{path}", "--timeout", "0"],
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process,
        ended_if_it_hangs(process),
    ):
        pid = int(ready.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert is_gone(pid)


@pytest.mark.parametrize(
    ("answer", "word", "status"),
    [(b"+\n", "success", 0), (b"-\n", "failure", 1), (b"", "internal failure", 75)],
)
def test_exit_statuses(answer: bytes, word: str, status: int) -> None:
    with raw_service(answering(answer)) as target:
        done = fakedove("execute", target)
    assert done.stderr.splitlines()[-1] == f"fakedove execute: {word}"
    assert done.returncode == status


def test_a_service_over_tcp_that_has_no_dot_stream() -> None:
    with raw_service(answering(b"out\n+\n"), tcp=True) as target:
        done = fakedove("execute", target, "--no-dotstream")
    assert (done.stdout, done.returncode) == ("out\n", 0)


def test_the_conversation_is_shown() -> None:
    with raw_service(answering(b"out+\n")) as target:
        done = fakedove("execute", target, "--wire", "--alarm", "5", "--dovecot", "2.3.19.1")
    assert done.stdout == "out"
    assert done.stderr.splitlines()[:6] == [
        r"C: VERSION\tscript\t4\t0\n",
        r"C: alarm=5\n",
        r"C: -\n",
        r"C: \n",
        "S: out+\\n",
        f"program {target}: Debug: Received '+' result code from remote",
    ]


def test_a_configured_block(tmp_path: Path) -> None:
    path = program(tmp_path, "echo $*")
    file = tmp_path / "fakedove.toml"
    file.write_text(f'[execute.x]\ndriver = "fork"\nfork_path = "{path}"\nargs = "80 %{{user}}"\n')
    done = fakedove("execute", "--config", file, "x", "--user", "ann", "--", "more")
    assert (done.stdout, done.returncode) == ("80 ann more\n", 0)
    done = fakedove("execute", "--config", file, "--user", "nosuch")
    assert done.returncode == 67
    file.write_text("[execute.a]\n[execute.b]\n")
    done = fakedove("execute", "--config", file)
    assert "only one execution is allowed for now" in done.stderr
    assert done.returncode == 75


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ([], 2, "no TARGET is given"),
        (["hello"], 2, '"hello" is no program: it must be unix:PATH, tcp:HOST:PORT, '),
        (["unix:s", "-e", "A"], 2, '-e: "A" is no NAME=VALUE'),
        (["unix:s", "--user", "ann"], 2, "user: fills in the variables of a configuration"),
        (["unix:s", "--dovecot", "1.2"], 2, '--dovecot: unknown release "1.2"'),
        (["unix:s", "--stdin", "/nosuch/file"], 2, "No such file or directory"),
        (["unix:s", "--config", "/nosuch/file"], 2, "does not exist"),
        (["fork:/bin/true", "--timeout", "-1"], 2, "--timeout"),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], status: int, message: str) -> None:
    done = fakedove("execute", *words)
    assert (done.stdout, done.returncode) == ("", status)
    (line,) = done.stderr.splitlines()
    assert line.startswith("fakedove")
    assert message in line
