"""A server for one connection that says what it is told, right or wrong, on a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from fakedove.client import Address

#: `C` and what the client must send, `S` and what the server says, in turn.
Script: TypeAlias = list[tuple[str, bytes]]

PREAUTHENTICATED: Script = [
    ("C", b"VERSION\tdoveadm-server\t1\t2\n"),
    ("S", b"VERSION\tdoveadm-client\t1\t2\n+\n"),
]


@contextmanager
def scripted_server(script: Script, *, stays: bool = False) -> Iterator[Address]:
    """Play `script` to the first client, then hang up, or stay silent until the end.

    The client's bytes are compared when the block is left.
    """
    heard: list[bytes] = []
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def play() -> None:
        with listener.accept()[0] as connection:
            connection.settimeout(10)
            for who, data in script:
                if who == "S":
                    connection.sendall(data)
                else:
                    heard.append(_receive(connection, len(data)))
            if stays:
                over.wait(10)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        with listener:
            yield Address(None, "127.0.0.1", listener.getsockname()[1])
            over.set()
            thread.join(10)
    finally:
        over.set()
    assert heard == [data for who, data in script if who == "C"]


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data
