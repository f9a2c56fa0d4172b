"""Rows beside the real Dovecot, where it is installed: by the clock on the wall.

A real server is several processes, so their CPU time would say little.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import bulk, clients
from benchmarks.measuring import Effort, Job, Row, interleaved, least, most
from benchmarks.servers import BIG_MAIL_BYTES, BIG_MAILBOX, FRESH_MAILBOXES, USER, Server, big_mail
from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.store import Builder


def rows(fake: Server, effort: Effort) -> Iterator[Row]:
    """Measure beside each release that there is; say which there is not."""
    fresh = iter(FRESH_MAILBOXES)
    for release in install.RELEASES:
        if reason := install.missing(release):
            print(reason)
            yield Row(f"beside the real {release}", "-", "-", None)
            continue
        with RealDovecot(release) as real:
            yield from _beside(fake, real, fresh, effort)


def _beside(fake: Server, real: RealDovecot, fresh: Iterator[str], effort: Effort) -> Iterator[Row]:
    path = real.addresses["unix"]
    assert isinstance(path, str)
    ours, theirs, our_lists, their_lists = interleaved(
        [
            lambda: clients.latency(fake.path, clients.QUOTA_GET, effort.count(3000)),
            lambda: clients.latency(path, clients.WHO, effort.count(3000)),
            _rate(fake.path, effort),
            _rate(path, effort),
        ],
        effort.rounds,
    )
    name = f"the real {real.release}"
    detail = f" (`who` there: {theirs:.0f} µs)"
    yield most(f"median of `quota get` beside {name}", ours, "µs", theirs, detail)
    if real.release == "2.4.1":
        ratio = our_lists / their_lists
        detail = f" ({our_lists:,.0f}/s, there {their_lists:,.0f}/s)"
        yield least(f"`mailbox list` beside {name}", ratio, "x", 5, detail)
    _save_big_mail(real, path)
    ours, theirs = interleaved(
        [
            lambda: bulk.speed(fake.path, next(fresh)),
            lambda: bulk.speed(path, BIG_MAILBOX),
        ],
        effort.rounds,
    )
    yield least(f"first `fetch text` of 8 MB beside {name}", ours, "MB/s", theirs)


def _rate(path: str, effort: Effort) -> Job:
    count = effort.count(3000)

    def job() -> float:
        start = time.perf_counter()
        clients.latency(path, clients.MAILBOX_LIST, count)
        return count / (time.perf_counter() - start)

    return job


def _save_big_mail(real: RealDovecot, path: str) -> None:
    builder = Builder(path, real.imap, Path())
    builder.command(USER, "mailbox create", BIG_MAILBOX)
    mail = big_mail(BIG_MAIL_BYTES).decode()
    builder.command(USER, "save", "-m", BIG_MAILBOX, body=mail)
