"""Raw services for one client, and programs to run, for the tests of the program client."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def raw_service(serve: Callable[[socket.socket], None], *, tcp: bool = False) -> Iterator[str]:
    """Let `serve` talk to one client; give the target that it is found at."""
    with tempfile.TemporaryDirectory(prefix="fd-") as folder:
        if tcp:
            listener = socket.create_server(("127.0.0.1", 0))
            target = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"{folder}/s")
            listener.listen()
            target = f"unix:{folder}/s"
        thread = threading.Thread(target=_accept, args=(listener, serve), daemon=True)
        thread.start()
        with listener:
            yield target
            thread.join(10)


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with listener.accept()[0] as client:
        client.settimeout(10)
        serve(client)


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
