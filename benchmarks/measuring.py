"""One row of the budget, and how its number is found: medians of interleaved rounds."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.clients import Load
from benchmarks.servers import Server

Job: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and whether that is within the budget; None if there is no saying."""

    name: str
    measured: str
    budget: str
    kept: bool | None

    @property
    def verdict(self) -> str:
        """The last column."""
        return "-" if self.kept is None else "ok" if self.kept else "over"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    #: What all counts of operations are divided by.
    divisor: int

    def count(self, usual: int) -> int:
        """Return how many operations to do."""
        return usual // self.divisor


def environment(**more: str) -> dict[str, str]:
    """Return variables for a program as installed: with its bytecode beside it."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | more


@contextlib.contextmanager
def on_one_core(*servers: Server) -> Iterator[None]:
    """Have this process, the servers, and all that is started meanwhile run on the same core."""
    cores = os.sched_getaffinity(0)
    try:
        for server in servers:
            server.keep_on({min(cores)})
        os.sched_setaffinity(0, {min(cores)})
        yield
    finally:
        for server in servers:
            server.keep_on(cores)
        os.sched_setaffinity(0, cores)


def interleaved(
    jobs: Sequence[Job],
    rounds: int,
    choose: Callable[[list[float]], float] = statistics.median,
) -> list[float]:
    """Do all jobs in turn, again and again; return the median of each one's results.

    A machine that is slower for a while is so for all of them.
    """
    results: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for job, found in zip(jobs, results, strict=True):
            found.append(job())
    return [choose(found) for found in results]


def cpu_job(server: Server, load: Load, count: int) -> Job:
    """Return a job that tells the server's CPU microseconds per operation."""

    def job() -> float:
        server.settle()
        before = server.cpu()
        load(server.path, count)
        return (server.cpu() - before) / count * 1e6

    return job


def most(name: str, value: float, unit: str, limit: float, detail: str = "") -> Row:
    """Return a row whose value must not be larger than `limit`."""
    return Row(
        name, f"{_number(value)} {unit}{detail}", f"≤ {_number(limit)} {unit}", value <= limit
    )


def least(name: str, value: float, unit: str, limit: float, detail: str = "") -> Row:
    """Return a row whose value must not be smaller than `limit`."""
    return Row(
        name, f"{_number(value)} {unit}{detail}", f"≥ {_number(limit)} {unit}", value >= limit
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table that is also fit for a terminal."""
    lines = [("", "measured", "budget", "verdict")]
    lines += [(row.name, row.measured, row.budget, row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    printed = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([printed[0], rule, *printed[1:]]) + "\n"
