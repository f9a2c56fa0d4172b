"""Rows about the script service, beside the real one: by the clock on the wall."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.measuring import Effort, Job, Row, interleaved, least
from benchmarks.servers import CAT, RELEASE, STUB, Server
from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.variants import Variant

_REQUEST: Final = b"VERSION\tscript\t4\t0\n-\nhello\ntss\n\n"
_PARALLEL: Final = 10
_CAT_BYTES: Final = 100_000_000
_BLOCK: Final = bytes(1_000_000)

_SERVICE: Final = """
service bench-{name} {{
  executable = script {program}
  user = root
  unix_listener bench-{name} {{
    mode = 0666
  }}
}}
"""
_SETTINGS: Final = "".join(
    _SERVICE.format(name=name, program=program)
    for name, program in (("true", "/bin/true"), ("cat", "/bin/cat"))
)


def rows(fake: Server, effort: Effort) -> Iterator[Row]:
    """Measure beside the real release that the fake behaves as; say if there is none."""
    if reason := install.missing(RELEASE):
        print(reason)
        yield Row(f"scripts beside the real {RELEASE}", "-", "-", None)
        return
    variant = Variant("scripts", settings=_SETTINGS, mails=False)
    with RealDovecot(RELEASE, variant) as real:
        run = real.folder / "run"
        yield from _beside(fake, str(run / "bench-true"), str(run / "bench-cat"), effort)


def _beside(fake: Server, true: str, cat: str, effort: Effort) -> Iterator[Row]:
    count = effort.count(300)
    sequential, theirs, stubbed, parallel, theirs_parallel = interleaved(
        [
            _executions(fake.path, count, 1),
            _executions(true, count, 1),
            _executions(fake.path + STUB, 10 * count, 1),
            _executions(fake.path, count, _PARALLEL),
            _executions(true, count, _PARALLEL),
        ],
        effort.rounds,
    )
    for name, ours, real, factor in (
        ("script executions, one by one", sequential, theirs, 2),
        (f"script executions, {_PARALLEL} at a time", parallel, theirs_parallel, 3),
        ("scripted answers beside executions", stubbed, theirs, 10),
    ):
        detail = f" ({ours:,.0f}/s, there {real:,.0f}/s)"
        yield least(f"{name}, the real {RELEASE}", ours / real, "x", factor, detail)
    size = effort.count(_CAT_BYTES)
    ours, real = interleaved([_through(fake.path + CAT, size), _through(cat, size)], effort.rounds)
    detail = f" ({ours:,.0f} MB/s, there {real:,.0f} MB/s)"
    yield least(f"100 MB through `cat`, the real {RELEASE}", ours / real, "x", 0.9, detail)


def _executions(path: str, count: int, parallel: int) -> Job:
    """Return a job that tells how many executions there are in a second."""

    def job() -> float:
        start = time.perf_counter()
        with ThreadPoolExecutor(parallel) as pool:
            list(pool.map(_execute, [path] * count))
        return count / (time.perf_counter() - start)

    return job


def _execute(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(_REQUEST)
        client.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: client.recv(4096), b""))
    if heard != b"+\n":
        raise RuntimeError(f"{path} answered {heard!r}")


def _through(path: str, size: int) -> Job:
    """Return a job that tells the MB/s of what goes through `cat` and comes back."""

    def job() -> float:
        start = time.perf_counter()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(_REQUEST.partition(b"hello")[0] + b"\n")
            sender = threading.Thread(target=_send, args=(client, size))
            sender.start()
            buffer = bytearray(len(_BLOCK))
            got = 0
            while read := client.recv_into(buffer):
                got += read
            sender.join()
        if got != size + len(b"+\n"):
            raise RuntimeError(f"{path} gave {got} bytes back")
        return size / (time.perf_counter() - start) / 1e6

    return job


def _send(client: socket.socket, size: int) -> None:
    for _ in range(size // len(_BLOCK)):
        client.sendall(_BLOCK)
    client.shutdown(socket.SHUT_WR)
