"""Rows about a store of many users, most of whom no command is ever about."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from typing import Final

import trio

from benchmarks import clients
from benchmarks.measuring import Effort, Row, cpu_job, interleaved, most
from benchmarks.servers import RELEASE, Server
from fakedove.fake import AsyncFakeDovecot

_MANY: Final = 100_000
#: Who is looked up; there is this user in a small store too.
_NAME: Final = "user7@example.com"
_FEW: Final = 10
_QUOTA_GET: Final = f"\t{_NAME}\tquota get\n".encode()


def rows(effort: Effort) -> Iterator[Row]:
    """Compare a store of many users with one of a few."""
    count = effort.count(4_000)
    with (
        tempfile.TemporaryDirectory(prefix="fd") as directory,
        Server("few", partial(_serve, _FEW), directory) as few,
    ):
        start = time.perf_counter()
        with Server("many", partial(_serve, _MANY), directory) as many:
            seconds = time.perf_counter() - start
            each = (many.memory() - few.memory()) / (_MANY - _FEW)
            crowded, alone = interleaved(
                [
                    cpu_job(server, clients.round_trips(_QUOTA_GET, 0), count)
                    for server in (many, few)
                ],
                3 * effort.rounds,
            )
    detail = f" (served {seconds:.1f} s after the process began)"
    yield most(f"an untouched user of {_MANY:,}", each, "kB", 1, detail)
    # What differs by less than this is the machine's mood.
    yield most(f"`quota get` among {_MANY:,} users", crowded / alone, f"x among {_FEW}", 1.1)


async def _serve(users: int, path: str) -> None:
    store = trio.Path(f"{path}.toml")
    await store.write_text("".join(map(_user, range(users))))
    listener = {"name": "unix", "path": path, "mode": "0600"}
    async with AsyncFakeDovecot(dovecot=RELEASE, store=str(store), listener=[listener]):
        await trio.sleep_forever()


def _user(number: int) -> str:
    name = f"user{number}@example.com"
    return f'[[user]]\nname = "{name}"\npassword = "pass{number}"\nquota_storage = "1G"\n\n'
