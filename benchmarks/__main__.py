"""Measure what DESIGN's budget names: `python -m benchmarks [--check] [--quick] [ROWS ...]`.

Prints the table, and writes docs/performance.md when everything was measured.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks import (
    bulk,
    commands,
    doubles,
    fixtures,
    measuring,
    real,
    scripts,
    servers,
    starting,
    users,
)
from benchmarks.measuring import Effort, Row
from benchmarks.pump_echo import pumped
from benchmarks.raw_trio import raw_trio
from benchmarks.servers import Server, fake

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

Family: TypeAlias = Callable[[Effort], Iterator[Row]]


def _commands(effort: Effort) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="fd") as directory,
        Server("fake", fake, directory) as ours,
        Server("raw", raw_trio, directory) as raw,
        Server("pump", pumped, directory) as pump,
    ):
        yield from commands.rows(ours, raw, pump, effort)


def _alone(rows: Callable[[Server, Effort], Iterator[Row]], effort: Effort) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="fd") as directory,
        Server("fake", fake, directory) as ours,
    ):
        yield from rows(ours, effort)


def _scripts(effort: Effort) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="fd") as directory,
        Server("scripts", servers.scripts, directory) as ours,
    ):
        yield from scripts.rows(ours, effort)


def _doubles(effort: Effort) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="fd") as directory,
        Server("fake", fake, directory) as plain,
        Server("stubbed", servers.stubbed, directory) as stubbed,
        Server("emptied", servers.emptied, directory) as emptied,
    ):
        yield from doubles.rows(plain, stubbed, emptied, effort)


FAMILIES: Final[dict[str, Family]] = {
    "commands": _commands,
    "bulk": lambda effort: _alone(bulk.rows, effort),
    "real": lambda effort: _alone(real.rows, effort),
    "scripts": _scripts,
    "doubles": _doubles,
    "users": users.rows,
    "start": starting.rows,
    "fixture": fixtures.rows,
}


_HOW: Final = """\
# Performance

Written by `make bench`. Each server runs in a process of its own on the machine that the client
runs on. Ratios to raw Trio, rates and MB/s are by the CPU time of the server's process, its share
of the kernel included: "/s" is per second of that time, what one core can do. Raw Trio is a line
echo with `SocketStream.receive_some` and `send_all`, measured in the same run. Numbers beside the
real Dovecot are by the clock on the wall, on one connection, with its caches filled. Round trips
of small commands have client and servers on one core: waking another takes as long as a reply, at
times. Every number is the median of {rounds} rounds or more, in which the servers compared take
turns; but the unused plugin is the least of {least_of} runs, since what disturbs it only adds.

{machine}

{table}"""


def main() -> int:
    """Measure; return 1 if a budget is exceeded and that was asked."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 if one is exceeded")
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    parser.add_argument("rows", nargs="*", metavar="ROWS", help=f"of {', '.join(FAMILIES)}")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(FAMILIES):
        parser.error(f"no such rows: {', '.join(unknown)}; there is: {', '.join(FAMILIES)}")
    effort = Effort(rounds=5 if options.quick else 7, divisor=10 if options.quick else 1)
    rows: list[Row] = []
    for family in options.rows or FAMILIES:
        for row in FAMILIES[family](effort):
            print(f"{row.verdict:>4}  {row.name}: {row.measured}, {row.budget}", flush=True)
            rows.append(row)
    table = measuring.table(rows)
    print(f"\n{table}")
    if not options.rows and not options.quick:
        PAGE.write_text(
            _HOW.format(
                rounds=effort.rounds,
                least_of=effort.rounds * fixtures.UNUSED_RUNS,
                machine=_machine(),
                table=table,
            )
        )
    return 1 if options.check and any(row.kept is False for row in rows) else 0


def _machine() -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{today}: {_processor()}, {os.cpu_count()} cores, {platform.system()}; "
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"Trio {version('trio')}, fakedove {version('fakedove')}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
