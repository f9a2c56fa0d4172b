"""Rows about what a test double adds: stubs that mean other commands, and a full journal."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import clients
from benchmarks.measuring import Effort, Row, cpu_job, interleaved, most
from benchmarks.servers import STUBS, Server
from fakedove.double.journal import CAPACITY


def rows(plain: Server, stubbed: Server, emptied: Server, effort: Effort) -> Iterator[Row]:
    """Compare a fake with stubs, and one whose journal stays empty, with one that has neither."""
    count = effort.count(2_000)
    load = clients.round_trips(clients.QUOTA_GET, 0)
    for server in (plain, stubbed):
        load(server.path, CAPACITY)
    without, among, empty = interleaved(
        [cpu_job(server, load, count) for server in (plain, stubbed, emptied)], 5 * effort.rounds
    )
    yield most(f"`quota get` among {STUBS:,} stubs", among / without, "x without", 1.1)
    name = f"`quota get` with {CAPACITY:,} exchanges in the journal"
    yield most(name, without / empty, "x with an empty one", 1.1)
