"""`fakedove wait`."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import PATIENCE, PROGRAM, Served, environment, fakedove


@pytest.mark.parametrize("listener", ["unix", "tcp"])
def test_a_server_that_answers_is_ready_with_or_without_password(
    served: Served, listener: str
) -> None:
    done = fakedove("wait", served.place(listener))
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_port_where_nobody_answers_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = fakedove("wait", f"tcp:{address}", "--timeout", "0.1")
    text = f"fakedove: {address}: no server was ready within 0.1 s\n"
    assert (done.stderr, done.returncode) == (text, 1)


def test_a_ready_file_counts_when_it_is_complete(short_path: Path) -> None:
    ready = short_path / "ready.json"
    ready.write_text('{"pid": 1')
    done = fakedove("wait", "--ready-file", ready, "--timeout", "0.05")
    assert done.stderr == f"fakedove: {ready}: no server was ready within 0.05 s\n"
    waiting = subprocess.Popen([*PROGRAM, "wait", "--ready-file", ready], env=environment())
    ready.write_text('{"pid": 1}\n')
    assert waiting.wait(PATIENCE) == 0


def test_address_and_file_together_are_refused(short_path: Path) -> None:
    done = fakedove("wait", "--ready-file", short_path / "ready", "unix:x")
    assert done.returncode == 2


def test_below_run_the_address_is_known(served: Served) -> None:
    path = served.place("unix").removeprefix("unix:")
    assert fakedove("wait", env={"FAKEDOVE_UNIX": path}).returncode == 0
