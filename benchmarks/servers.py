"""Servers in processes of their own, which tell what they have used.

`fake` is what users run: the fake with the recordings' store, and a large mail besides.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Self

import trio

from fakedove.fake import AsyncFakeDovecot

RELEASE: Final = "2.4.1"
STORE: Final = Path(__file__).resolve().parents[1] / "fixtures/stores/recorded/store.toml"

#: The user of most measurements.
USER: Final = "tss"
PASSWORD: Final = b"secret"
#: A user without subscriptions.
IDLE_USER: Final = "idle"
#: Whose large mail there is and where, and more such mails, one in each mailbox, to be fetched
#: for the first time.
BIG_USER: Final = "bob"
BIG_MAILBOX: Final = "Large"
FRESH_MAILBOXES: Final = tuple(f"Fresh{number}" for number in range(14))
BIG_MAIL_BYTES: Final = 10 * 1024 * 1024

#: How many stubs there are where there are many.
STUBS: Final = 10_000

#: What the sockets of other script services end in.
CAT: Final = ".cat"
STUB: Final = ".stub"

#: A server that uses less CPU time than this, in so many seconds, has nothing to do.
_IDLE_CPU: Final = 0.002
_SETTLING: Final = 0.03

_PAGE_KB: Final = os.sysconf("SC_PAGE_SIZE") / 1024


class Server:
    """A server on a UNIX socket, in its own process."""

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
            if not self._process.is_alive():
                raise RuntimeError(f"the server {name} ended")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def cpu(self) -> float:
        """Return the CPU time used so far, in seconds, system time included."""
        return self._ask("cpu")

    def settle(self) -> None:
        """Wait until the server has done what earlier clients left it to do."""
        used = -1.0
        while self.cpu() - used > _IDLE_CPU:
            used = self.cpu()
            time.sleep(_SETTLING)

    def keep_on(self, cores: set[int]) -> None:
        """Have it run on these cores only."""
        if self._process.pid is not None:
            os.sched_setaffinity(self._process.pid, cores)

    def memory(self) -> float:
        """Return the memory in use, in kB."""
        return self._ask("memory")

    def _ask(self, what: str) -> float:
        self._pipe.send(what)
        answer: float = self._pipe.recv()
        return answer

    @property
    def tls_port(self) -> int:
        """Where a fake listens for TLS."""
        file = Path(f"{self.path}.tls")
        while not file.exists():
            time.sleep(0.01)
        return int(file.read_text())


async def stubbed(path: str) -> None:
    """Serve a fake with many stubs, none of which is for the user that is measured."""
    async with AsyncFakeDovecot(
        dovecot=RELEASE, store=str(STORE), listener=[{"name": "unix", "path": path, "mode": "0600"}]
    ) as server:
        for number in range(STUBS):
            server.on("quota get", user=f"user{number}").fail("TEMPFAIL")
        await trio.sleep_forever()


async def emptied(path: str) -> None:
    """Serve a fake whose journal never has more than a hundredth of a second."""
    async with AsyncFakeDovecot(
        dovecot=RELEASE, store=str(STORE), listener=[{"name": "unix", "path": path, "mode": "0600"}]
    ) as server:
        while True:
            server.journal.clear()
            await trio.sleep(0.01)


async def scripts(path: str) -> None:
    """Serve a program that does nothing at a UNIX socket, `cat` and a stub beside it."""
    services = {"true": {"executable": ["/bin/true"]}, "cat": {"executable": ["/bin/cat"]}}
    listeners = [
        {"name": name, "service": "script", "script": name, "path": path + place}
        for name, place in (("stub", STUB), ("cat", CAT), ("true", ""))
    ]
    async with AsyncFakeDovecot(
        dovecot=RELEASE, script=services | {"stub": {}}, listener=listeners
    ) as server:
        server.script("stub").reply()
        await trio.sleep_forever()


async def fake(path: str) -> None:
    """Serve the fake at a UNIX socket, and at a TLS port written into a file beside it."""
    listeners = [
        {"name": "unix", "path": path, "mode": "0600"},
        {"name": "tls", "address": "127.0.0.1:0", "ssl": "yes"},
    ]
    async with AsyncFakeDovecot(
        dovecot=RELEASE, store=str(STORE), doveadm_password=PASSWORD.decode(), listener=listeners
    ) as server:
        server.store.add_user(IDLE_USER)
        for name in (BIG_MAILBOX, *FRESH_MAILBOXES):
            box = server.store.users[BIG_USER].mailbox(name, create=True)
            box.deliver(big_mail(BIG_MAIL_BYTES))
        # A file of this name has the whole port in it.
        port = trio.Path(f"{path}.tls.new")
        await port.write_text(str(server.address("tls")[1]))
        await port.rename(f"{path}.tls")
        await trio.sleep_forever()


def big_mail(size: int) -> bytes:
    """Return a mail of about `size` bytes, as a mail with an attachment looks."""
    line = b"VGhpcyBtYWlsIGlzIGxhcmdlLCBhbmQgYWxsIGl0cyBsaW5lcyBsb29rIGFsaWtlLCBiYXNlNjQ\n"
    header = b"From: tss@example.com\nSubject: large\n\n"
    return header + line * ((size - len(header)) // len(line))


def _run_server(function: Callable[[str], Awaitable[None]], path: str, pipe: Connection) -> None:
    trio.run(_serve, function, path, pipe)


async def _serve(function: Callable[[str], Awaitable[None]], path: str, pipe: Connection) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(function, path)
        while True:
            await trio.lowlevel.wait_readable(pipe.fileno())
            pipe.send(time.process_time() if pipe.recv() == "cpu" else _memory())


def _memory() -> float:
    gc.collect()
    resident = Path("/proc/self/statm").read_text().split()[1]
    return int(resident) * _PAGE_KB
