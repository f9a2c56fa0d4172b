"""Raw services for one client, and programs to run, for the tests of the program client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def raw_service(serve: Callable[[socket.socket], None], *, tcp: bool = False) -> Iterator[str]:
    """Let `serve` talk to one client; give the target that it is found at."""
    if tcp:
        listener = socket.create_server(("127.0.0.1", 0))
        target = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        # Autobind gives an abstract name, which is no path; so one of our own.
        listener.bind(f"/tmp/fd-{threading.get_ident()}-{id(listener)}")
        listener.listen()
        target = f"unix:{listener.getsockname()}"

    def accept() -> None:
        with listener.accept()[0] as client:
            client.settimeout(10)
            serve(client)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        with listener:
            yield target
            thread.join(10)
    finally:
        if not tcp:
            Path(target.removeprefix("unix:")).unlink()


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Return a service that reads everything, answers, and closes."""

    def serve(client: socket.socket) -> None:
        while client.recv(65536):
            pass
        client.sendall(answer)

    return serve


def program(folder: Path, text: str) -> Path:
    """Return a shell script."""
    path = folder / "script.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
