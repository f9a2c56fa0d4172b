"""A raw Trio line echo as the yardstick, beside the pump with an echo session.

Each server runs in a process of its own; what counts is that process's CPU time per round
trip on a UNIX socket, the median of interleaved rounds. Run it as a program.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import trio

from fakedove.net.listeners import Connections, serve, unix_listener
from fakedove.plan import SILENCE, Close, Event, Peer, Plan, Send

_LINE: Final = b"\ttss\tquota get\n"
_CLOSE: Final[Plan] = (Close(),)


class LineEcho:
    """Answer each line with itself: what the pump costs without anything to do."""

    room = 65536
    deadline = None

    def __init__(self) -> None:
        self._rest = b""

    def open(self, peer: Peer) -> Plan:
        return SILENCE

    def receive(self, data: bytes) -> Plan:
        if not data:
            return _CLOSE
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        return (Send(lines + newline),) if newline else SILENCE

    def wake(self, event: Event) -> Plan:
        return SILENCE

    def end(self, unsent: int) -> None:
        pass


async def raw_trio(path: str) -> None:
    """Serve the echo as a Trio program without any of our code would."""

    async def handle(stream: trio.SocketStream) -> None:
        rest = b""
        async with stream:
            while data := await stream.receive_some(65536):
                lines, newline, rest = (rest + data).rpartition(b"\n")
                if newline:
                    await stream.send_all(lines + newline)

    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await sock.bind(path)
    sock.listen(128)
    await trio.serve_listeners(handle, [trio.SocketListener(sock)])


async def pumped(path: str) -> None:
    """Serve the echo by the pump."""

    def crashed(error: Exception) -> None:
        raise error

    await serve(unix_listener(path, 0o600), LineEcho, Connections(), crashed=crashed)


class Server:
    """A server in its own process that tells its CPU time."""

    def __init__(
        self, name: str, function: Callable[[str], Awaitable[None]], directory: str
    ) -> None:
        self.name = name
        self.path = str(Path(directory) / name)
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_run_server, args=(function, self.path, theirs), daemon=True
        )
        self._process.start()
        while not Path(self.path).is_socket():
            time.sleep(0.01)

    def cpu(self) -> float:
        """Return the CPU time used so far, in seconds, system time included."""
        self._pipe.send("cpu")
        seconds: float = self._pipe.recv()
        return seconds

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()


def _run_server(function: Callable[[str], Awaitable[None]], path: str, pipe: Connection) -> None:
    async def answer_cpu() -> None:
        while True:
            await trio.lowlevel.wait_readable(pipe.fileno())
            pipe.recv()
            pipe.send(time.process_time())

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(function, path)
            await answer_cpu()

    trio.run(main)


def round_trips(path: str, count: int) -> None:
    """Send `count` lines and wait for each to come back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(path)
        for _ in range(count):
            client.sendall(_LINE)
            client.recv(4096)


def connects(path: str, count: int) -> None:
    """Connect, exchange one line and close, `count` times."""
    for _ in range(count):
        round_trips(path, 1)


def measure(
    servers: list[Server], work: Callable[[str, int], None], count: int, rounds: int
) -> dict[str, float]:
    """Return each server's CPU microseconds per operation: the median of the rounds."""
    found: dict[str, list[float]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            before = server.cpu()
            work(server.path, count)
            found[server.name].append((server.cpu() - before) / count * 1e6)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        servers = [Server("raw", raw_trio, directory), Server("pump", pumped, directory)]
        for name, work, count in (
            ("round trip", round_trips, options.count),
            ("connect", connects, options.count // 5),
        ):
            found = measure(servers, work, count, options.rounds)
            ratio = found["pump"] / found["raw"]
            print(
                f"{name}: raw Trio {found['raw']:.1f} us, pump {found['pump']:.1f} us of CPU, "
                f"{ratio:.2f} x raw"
            )
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
