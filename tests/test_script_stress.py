"""A thousand executions whose clients and programs do anything: nothing of them is left."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fakedove

_EXECUTIONS = 1_000
_VERSION = b"VERSION\tscript\t4\t0\n"
_RESET = struct.pack("ii", 1, 0)
#: Seconds until processes that are told to end have to be gone.
_PATIENCE = 10.0

_PROGRAM = """#!/bin/sh
case $1 in
    ends) echo ended; exit "$2" ;;
    dies) kill -9 $$ ;;
    reads) cat >/dev/null; echo "$2" ;;
    leaves) (sleep 0.05; echo late) & echo early ;;
    lasts) exec sleep 1000 ;;
esac
"""

Client = Callable[[socket.socket, random.Random], bytes | None]


def _request(*words: bytes, options: bytes = b"-\n") -> bytes:
    return _VERSION + options + b"\n".join((*words, b"", b""))


def _everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def _ends(client: socket.socket, chance: random.Random) -> bytes:
    status = chance.choice([b"0", b"3"])
    client.sendall(_request(b"ends", status))
    client.shutdown(socket.SHUT_WR)
    heard = _everything(client)
    assert heard == b"ended\n" + (b"-\n" if status == b"3" else b"+\n")
    return heard


def _dies(client: socket.socket, _: random.Random) -> bytes:
    client.sendall(_request(b"dies"))
    heard = _everything(client)
    assert heard == b"-\n"
    return heard


def _reads(client: socket.socket, chance: random.Random) -> bytes:
    argument = chance.choice([b"$(touch x)", b"; touch x", b"`touch x`", b"*", b"a b", b"\xff"])
    client.sendall(_request(b"reads", argument) + chance.randbytes(chance.randrange(100_000)))
    client.shutdown(socket.SHUT_WR)
    heard = _everything(client)
    # An argument reaches the program as it is.
    assert heard == argument + b"\n+\n"
    return heard


def _leaves(client: socket.socket, _: random.Random) -> bytes:
    client.sendall(_request(b"leaves"))
    heard = _everything(client)
    # What is left behind may be late or not.
    assert sorted(heard.splitlines()) == [b"+", b"early", b"late"]
    return heard


def _hangs_up(client: socket.socket, chance: random.Random) -> None:
    request = _request(chance.choice([b"ends", b"reads"]), b"0") + b"stdin"
    client.sendall(request[: chance.randrange(len(request) + 1)])
    if chance.random() < 0.5:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _is_given_up(client: socket.socket, _: random.Random) -> bytes:
    client.sendall(_request(b"reads", b"x", options=b"alarm=1\n-\n"))
    heard = client.recv(100)
    assert heard == b"-\n"
    return heard


def _runs_out_of_time(client: socket.socket, _: random.Random) -> bytes:
    client.sendall(_request(b"lasts", options=b"alarm=1\nnoreply\n"))
    heard = _everything(client)
    assert heard == b""
    return heard


_USUAL: tuple[Client, ...] = (_ends, _dies, _reads, _leaves, _hangs_up, _hangs_up, _hangs_up)
_SLOW: tuple[Client, ...] = (_is_given_up, _runs_out_of_time)


def test_nothing_is_left_of_a_thousand_executions(tmp_path: Path) -> None:
    program = tmp_path / "program.sh"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    service = {"executable": [str(program)]}
    common = {"service": "script"}
    listeners = [
        {"name": "unix", "script": "plain", "path": "plain"} | common,
        {"name": "recorded", "script": "recorded", "path": "recorded"} | common,
        {"name": "tcp", "script": "plain", "address": "127.0.0.1:0"} | common,
    ]
    with fakedove.FakeDovecot(
        script={"plain": service, "recorded": service | {"record": True}}, listener=listeners
    ) as fake:
        places = (fake.path("unix"), fake.path("recorded"), fake.address("tcp"))
        files, children = _open_files(), _children()
        with ThreadPoolExecutor(16) as pool:
            for done in [pool.submit(_execute, places, seed) for seed in range(_EXECUTIONS)]:
                done.result()
        left = sorted(Path(fake.base_dir).iterdir())
        assert [path.name for path in left] == ["plain", "recorded"]
        _wait(lambda: (_children(), _open_files()) == (children, files))
        assert (_children(), _open_files()) == (children, files)
    assert sorted(tmp_path.iterdir()) == [program]


def _execute(places: tuple[str | tuple[str, int], ...], seed: int) -> None:
    chance = random.Random(seed)
    # A few take a second, so that the rest need not wait for many of them.
    client = chance.choice(_SLOW if seed % 50 == 0 else _USUAL)
    place = chance.choice(places)
    family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
    with socket.socket(family) as connected:
        connected.settimeout(_PATIENCE)
        connected.connect(place)
        client(connected, chance)


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _children() -> list[str]:
    """Return the processes that this one has, those that wait to be buried too."""
    found: list[str] = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        # A thread may end meanwhile, whose children are another's then.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += (task / "children").read_text().split()
    return found


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
