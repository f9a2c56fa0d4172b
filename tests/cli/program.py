"""The real program in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Seconds after which a process counts as hanging.
PATIENCE = 30.0

PROGRAM = (sys.executable, "-m", "fakedove")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment without a fake's variables, so that we find ourselves anywhere."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("FAKEDOVE_")}
    return ours | {"PYTHONPATH": str(ROOT)} | dict(extra or {})


def fakedove(
    *args: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; its output is decoded."""
    done = subprocess.run(
        [*PROGRAM, *map(str, args)],
        input=stdin,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        timeout=PATIENCE,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def fakedove_on_a_terminal(*args: str | Path) -> str:
    """Return what the program prints where its stdout is a terminal."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        with os.fdopen(theirs, "wb", buffering=0) as stdout:
            process = subprocess.Popen(
                [*PROGRAM, *map(str, args)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                env=environment(),
            )
        with ended_if_it_hangs(process), process:
            return b"".join(_until_closed(terminal)).decode().replace("\r\n", "\n")


def _until_closed(terminal: FileIO) -> Iterator[bytes]:
    # Reading from a terminal that nobody writes to any more is an error on Linux.
    with suppress(OSError):
        while data := terminal.read(4096):
            yield data


@contextmanager
def ended_if_it_hangs(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill `process` if the block takes too long, so that reading from it ends."""
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass(slots=True)
class Served:
    """A running `fakedove serve`, and after its end what it said and how it ended."""

    process: subprocess.Popen[str]
    ready: dict[str, object]
    said: list[str] = field(default_factory=list)
    status: int | None = None

    def place(self, listener: str) -> str:
        """Return a listener's address as `send` takes it."""
        listeners = self.ready["listeners"]
        assert isinstance(listeners, dict)
        place = listeners[listener]
        return f"unix:{place['path']}" if "path" in place else f"{place['host']}:{place['port']}"

    def wait_for_line(self, text: str) -> None:
        """Read stderr until a line has `text` in it."""
        assert self.process.stderr is not None
        with ended_if_it_hangs(self.process):
            for line in self.process.stderr:
                self.said.append(line.rstrip("\n"))
                if text in self.said[-1]:
                    return
        raise AssertionError(f"{text!r} was never said, but {self.said}")

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end; only the first call does something."""
        if self.status is None:
            self.process.send_signal(number)
            _, rest = self.process.communicate(timeout=PATIENCE)
            self.said += rest.splitlines()
            self.status = self.process.returncode


@contextmanager
def serving(*args: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run `fakedove serve --json` with `args`; end it with SIGTERM, which must end it well."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--json", *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        with ended_if_it_hangs(process):
            line = process.stdout.readline()
        if not line:
            raise AssertionError(f"serve did not begin: {process.stderr.read()}")
        served = Served(process, json.loads(line))
        try:
            yield served
        finally:
            served.end()
    assert served.status == 0, served.said
