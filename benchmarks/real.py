"""Rows beside the real Dovecot, where it is installed: by the clock on the wall.

A real server is several processes, so their CPU time would say little. What takes microseconds
is measured with client and servers on one core: to wake another one takes as long as a reply,
now and then, and that is the machine's time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import bulk, clients
from benchmarks.measuring import Effort, Job, Row, interleaved, least, most, on_one_core
from benchmarks.servers import (
    BIG_MAIL_BYTES,
    BIG_MAILBOX,
    BIG_USER,
    FRESH_MAILBOXES,
    Server,
    big_mail,
)
from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.store import Builder

#: How many mails are searched; each is there several times.
_MANY: Final = 10_000
_COPIES: Final = 10
_MANY_MAILBOX: Final = "Many"
_SEARCHES: Final = ("all", "subject 77", "body 77")


def rows(fake: Server, effort: Effort) -> Iterator[Row]:
    """Measure beside each release that there is; say which there is not."""
    fresh = iter(FRESH_MAILBOXES)
    for release in install.RELEASES:
        if reason := install.missing(release):
            print(reason)
            yield Row(f"beside the real {release}", "-", "-", None)
            continue
        with on_one_core(fake), RealDovecot(release) as real:
            yield from _small(fake, real, effort)
        with RealDovecot(release) as real:
            yield from _big(fake, real, fresh, effort)


def _small(fake: Server, real: RealDovecot, effort: Effort) -> Iterator[Row]:
    path = real.addresses["unix"]
    assert isinstance(path, str)
    yield _latency(fake, path, real.release, effort)
    yield from _rates(fake, path, real.release, effort)


def _big(fake: Server, real: RealDovecot, fresh: Iterator[str], effort: Effort) -> Iterator[Row]:
    path = real.addresses["unix"]
    assert isinstance(path, str)
    for server in (fake.path, path):
        builder = Builder(server, real.imap, Path())
        _save_big_mail(builder)
        _save_many_mails(builder)
    yield _first_fetch(fake, path, real.release, fresh, effort)
    yield from _searches(fake, path, real.release, effort)


def _latency(fake: Server, path: str, release: str, effort: Effort) -> Row:
    count = effort.count(3000)
    ours, theirs = interleaved(
        [
            lambda: clients.latency(fake.path, clients.QUOTA_GET, count),
            lambda: clients.latency(path, clients.WHO, count),
        ],
        effort.rounds,
    )
    detail = f" (`who` there: {theirs:.0f} µs)"
    name = f"median of `quota get` beside the real {release}"
    return most(name, ours, "µs", theirs, detail)


def _rates(fake: Server, path: str, release: str, effort: Effort) -> Iterator[Row]:
    for name, line in clients.SMALL.items():
        # The real one takes much longer.
        ours, theirs = interleaved(
            [_rate(fake.path, line, effort.count(2000)), _rate(path, line, effort.count(400))],
            effort.rounds,
        )
        detail = f" ({ours:,.0f}/s, there {theirs:,.0f}/s)"
        yield least(f"`{name}` beside the real {release}", ours / theirs, "x", 5, detail)


def _rate(path: str, line: bytes, count: int) -> Job:
    def job() -> float:
        start = time.perf_counter()
        clients.latency(path, line, count)
        return count / (time.perf_counter() - start)

    return job


def _first_fetch(
    fake: Server, path: str, release: str, fresh: Iterator[str], effort: Effort
) -> Row:
    ours, theirs = interleaved(
        [
            lambda: bulk.speed(fake.path, next(fresh)),
            lambda: bulk.speed(path, BIG_MAILBOX),
        ],
        effort.rounds,
    )
    name = f"first `fetch text` of 10 MB beside the real {release}"
    return least(name, ours, "MB/s", theirs)


def _searches(fake: Server, path: str, release: str, effort: Effort) -> Iterator[Row]:
    for key in _SEARCHES:
        jobs = [_search(fake.path, key), _search(path, key)]
        interleaved(jobs, 1)  # The first search of all fills caches.
        ours, theirs = interleaved(jobs, effort.rounds)
        name = f"`search {key}` in {_MANY:,} mails beside the real {release}"
        yield most(name, ours, "ms", theirs)


def _search(path: str, key: str) -> Job:
    """Return a job that tells the milliseconds of wall-clock time."""

    def job() -> float:
        with clients.connected(path) as client:
            start = time.perf_counter()
            clients.search(client, _MANY_MAILBOX, key)
            return (time.perf_counter() - start) * 1e3

    return job


def _save_big_mail(builder: Builder) -> None:
    if BIG_MAILBOX in builder.command(BIG_USER, "mailbox list").split("\t"):
        return
    builder.command(BIG_USER, "mailbox create", BIG_MAILBOX)
    mail = big_mail(BIG_MAIL_BYTES).decode()
    builder.command(BIG_USER, "save", "-m", BIG_MAILBOX, body=mail)


def _save_many_mails(builder: Builder) -> None:
    """Save a tenth of the mails, and copy them."""
    if _MANY_MAILBOX in builder.command(BIG_USER, "mailbox list").split("\t"):
        return
    seeds = f"{_MANY_MAILBOX}-seeds"
    for mailbox in (seeds, _MANY_MAILBOX):
        builder.command(BIG_USER, "mailbox create", mailbox)
    for number in range(_MANY // _COPIES):
        builder.command(BIG_USER, "save", "-m", seeds, body=_mail(number))
    for _ in range(_COPIES):
        builder.command(BIG_USER, "copy", _MANY_MAILBOX, "mailbox", seeds, "all")


def _mail(number: int) -> str:
    line = f"This is what stands in report {number}, line by line, until it is long enough.\n"
    header = (
        f"From: Sender {number} <sender{number}@example.com>\nTo: bob@example.com\n"
        f"Date: Mon, 01 Jan 2024 10:00:00 +0000\nMessage-ID: <{number}@example.com>\n"
        f"Subject: report {number}\n\n"
    )
    return header + 20 * line
