"""The yardstick: a line echo as a Trio program without any of our code would write it.

`python -m benchmarks.raw_trio PATH` serves it.
"""

from __future__ import annotations

import socket
import sys

import trio


async def raw_trio(path: str) -> None:
    """Echo lines on a UNIX socket, with Trio's own streams."""

    async def handle(stream: trio.SocketStream) -> None:
        rest = b""
        async with stream:
            while data := await stream.receive_some(65536):
                lines, newline, rest = (rest + data).rpartition(b"\n")
                if newline:
                    await stream.send_all(lines + newline)

    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await sock.bind(path)
    sock.listen(4096)
    await trio.serve_listeners(handle, [trio.SocketListener(sock)])


if __name__ == "__main__":
    trio.run(raw_trio, sys.argv[1])
