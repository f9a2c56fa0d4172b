"""The `execute` blocks of Dovecot's documentation (fixtures/documented/execute)."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, cast

import pytest

import fakedove
from fakedove import Verdict

_FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "documented" / "execute"

Sample: TypeAlias = dict[str, object]

#: Ends when all of its stdin has come, as programs that a client waits for have to.
_PROGRAM = "#!/bin/sh\ncat >/dev/null\necho $*\n"

_HEAD = 'dovecot = "2.4.1"\nstore = "store.toml"\nbase_dir = "run"\n'


def samples() -> dict[str, Sample]:
    """Return all samples by their names."""
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(_FOLDER.glob("*.toml"))}


def test_all_are_of_the_release_that_has_blocks() -> None:
    assert all(one["dovecot"] == ["2.4.1"] for one in samples().values())


def text(sample: Sample, key: str) -> str:
    return cast("str", sample[key])


@contextmanager
def serving(sample: Sample, folder: Path, more: str = "") -> Iterator[fakedove.FakeDovecot]:
    """Run the sample's service, on a free port if on any."""
    program = folder / "test-script.sh"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    (folder / "store.toml").write_text('[[user]]\nname = "tss"\n')
    file = folder / "service.toml"
    file.write_text(
        _HEAD + text(sample, "service").replace("localhost:12345", "127.0.0.1:0") + more
    )
    with fakedove.FakeDovecot(file) as fake:
        yield fake


def execute(sample: Sample, folder: Path, fake: fakedove.FakeDovecot) -> fakedove.Execution:
    """Execute the sample's block, on the service's port if on any."""
    block = text(sample, "execute")
    if "12345" in block:
        block = block.replace("12345", str(fake.address("test-script")[1]))
    file = folder / "execute.toml"
    file.write_text(_HEAD + block)
    return fakedove.execute(config=file, user="tss")


def connect(sample: Sample, fake: fakedove.FakeDovecot) -> socket.socket:
    if "12345" in text(sample, "service"):
        return socket.create_connection(fake.address("test-script"), timeout=5)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(fake.path("test-script"))
    return client


@pytest.mark.parametrize("name", samples())
def test_the_conversation(name: str, tmp_path: Path) -> None:
    sample = samples()[name]
    with serving(sample, tmp_path) as fake, connect(sample, fake) as client:
        said, heard, end = cast("list[dict[str, str]]", sample["steps"])
        client.sendall(said["C"].encode("latin-1"))
        client.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: client.recv(4096), b"")) == heard["S"].encode("latin-1")
        assert end["eof"]


@pytest.mark.parametrize("name", samples())
def test_the_block(name: str, tmp_path: Path) -> None:
    sample = samples()[name]
    with serving(sample, tmp_path, "record = true\n") as fake:
        done = execute(sample, tmp_path, fake)
        assert done.verdict is Verdict[text(sample, "verdict")]
        called = fake.wait_for_invocation("test-script-service")
        said = (called.raw_header + called.stdin).decode("latin-1")
        assert said == cast("list[dict[str, str]]", sample["steps"])[0]["C"]


@pytest.mark.parametrize("name", samples())
def test_the_program_is_told_what_the_document_says(name: str, tmp_path: Path) -> None:
    sample = samples()[name]
    with serving(sample, tmp_path, str(sample.get("missing", "")) + "\n") as fake:
        done = execute(sample, tmp_path, fake)
        assert done.verdict is Verdict.SUCCESS
        assert done.output.split() == [one.encode() for one in cast("list[str]", sample["told"])]
