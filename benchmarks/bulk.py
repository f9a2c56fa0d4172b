"""Rows about large replies: how many bytes a second of the server's CPU time sends."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import clients
from benchmarks.measuring import Effort, Job, Row, interleaved, least
from benchmarks.servers import BIG_MAILBOX, PASSWORD, Server


def rows(fake: Server, effort: Effort) -> Iterator[Row]:
    """Fetch the same mail again and again, in plain text and by TLS."""
    times = effort.count(10)
    with (
        clients.connected(fake.path) as plain,
        clients.connected_by_tls(fake.tls_port, PASSWORD) as tls,
    ):
        clients.fetch(plain, BIG_MAILBOX)

        def megabytes(client: clients.Client) -> Job:
            def job() -> float:
                before = fake.cpu()
                got = sum(clients.fetch(client, BIG_MAILBOX) for _ in range(times))
                return got / (fake.cpu() - before) / 1e6

            return job

        found = interleaved([megabytes(plain), megabytes(tls)], effort.rounds)
    yield least("`fetch text` of 10 MB, repeated", found[0], "MB/s", 1000)
    yield least("the same by TLS", found[1], "MB/s", 240)


def speed(path: str, mailbox: str) -> float:
    """Return the MB/s of one fetch on a new connection, by the clock on the wall."""
    with clients.connected(path) as client:
        start = time.perf_counter()
        got = clients.fetch(client, mailbox)
        return got / (time.perf_counter() - start) / 1e6
