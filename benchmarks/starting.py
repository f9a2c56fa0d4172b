"""A row about starting: from the start of the process to the first reply."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import clients
from benchmarks.measuring import Effort, Job, Row, environment, interleaved, most

_CONFIGURATION: Final = """
[[listener]]
name = "unix"
service = "doveadm"
path = "{path}"
mode = "0600"
"""
_POLL_SECONDS: Final = 0.001


def rows(effort: Effort) -> Iterator[Row]:
    """Start `fakedove serve` and a raw Trio program in turn."""
    with tempfile.TemporaryDirectory(prefix="fd") as directory:
        path, configuration = Path(directory) / "socket", Path(directory) / "fakedove.toml"
        configuration.write_text(_CONFIGURATION.format(path=path))
        jobs = [
            _start(["fakedove", "serve", str(configuration)], path, 0),
            _start(["benchmarks.raw_trio", str(path)], path, None),
        ]
        interleaved(jobs, 1)  # The first start of all compiles.
        ours, raw = interleaved(jobs, effort.rounds)
    detail = f" ({ours:.0f} ms, raw Trio {raw:.0f} ms)"
    yield most("`fakedove serve` to its first reply", ours / raw, "x raw Trio", 1.7, detail)


def _start(module: Sequence[str], path: Path, minor: int | None) -> Job:
    """Return a job that tells the milliseconds of wall-clock time."""

    def job() -> float:
        path.unlink(missing_ok=True)
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        try:
            while not _answers(str(path), minor):
                if process.poll() is not None:
                    raise RuntimeError(f"{' '.join(module)} ended")
                time.sleep(_POLL_SECONDS)
            return (time.perf_counter() - start) * 1e3
        finally:
            process.terminate()
            process.wait()

    return job


def _answers(path: str, minor: int | None) -> bool:
    with (
        contextlib.suppress(FileNotFoundError, ConnectionRefusedError),
        clients.connected(path, minor) as client,
    ):
        client.sendall(clients.QUOTA_GET)
        return client.recv(65536) != b""
    return False
