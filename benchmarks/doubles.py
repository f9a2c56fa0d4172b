"""Rows about what a test double adds: stubs that mean other commands, and a full journal."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import clients
from benchmarks.measuring import Effort, Row, cpu_job, interleaved, most
from benchmarks.servers import STUBS, Server
from fakedove.double.journal import CAPACITY


def rows(plain: Server, stubbed: Server, journaled: Server, effort: Effort) -> Iterator[Row]:
    """Compare a fake that has stubs, and ones with a full journal, with one that has neither."""
    count = effort.count(2_000)
    without, among, full = interleaved(
        [
            cpu_job(server, clients.round_trips(clients.QUOTA_GET, 0), count)
            for server in (plain, stubbed, journaled)
        ],
        5 * effort.rounds,
    )
    yield most(f"`quota get` among {STUBS:,} stubs", among / without, "x without", 1.1)
    name = f"`quota get` with {CAPACITY:,} exchanges in the journal"
    yield most(name, full / without, "x an emptied one", 1.1)
