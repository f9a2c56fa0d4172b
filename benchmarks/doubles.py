"""Rows about what a test double adds: stubs that mean other commands cost nothing."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import clients
from benchmarks.measuring import Effort, Row, cpu_job, interleaved, most
from benchmarks.servers import STUBS, Server


def rows(plain: Server, stubbed: Server, effort: Effort) -> Iterator[Row]:
    """Compare a fake that has stubs with one that has none."""
    count = effort.count(2_000)
    without, among = interleaved(
        [
            cpu_job(server, clients.round_trips(clients.QUOTA_GET, 0), count)
            for server in (plain, stubbed)
        ],
        5 * effort.rounds,
    )
    yield most(f"`quota get` among {STUBS:,} stubs", among / without, "x without", 1.1)
