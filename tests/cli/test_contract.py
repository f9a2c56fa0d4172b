"""`fakedove contract`: the checks themselves have tests of their own."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import Served, fakedove


def test_a_server_that_keeps_the_protocol(served: Served) -> None:
    done = fakedove("contract", served.place("unix"), "--only", "handshake")
    assert (done.stderr, done.returncode) == ("", 0), done.stdout
    assert "ok " in done.stdout


def test_nobody_there_is_one_line_and_1(short_path: Path) -> None:
    done = fakedove("contract", short_path / "none")
    text = f"fakedove: {short_path}/none: cannot connect: No such file or directory\n"
    assert (done.stderr, done.returncode) == (text, 1)
