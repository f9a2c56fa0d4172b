"""Rows about commands and connections: fakedove beside raw Trio."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import clients
from benchmarks.measuring import Effort, Row, cpu_job, interleaved, least, most, on_one_core
from benchmarks.servers import Server

_BUSY = 50
_IDLE = 5000


def rows(fake: Server, raw: Server, pump: Server, effort: Effort) -> Iterator[Row]:
    """Measure everything that needs no real server."""
    with on_one_core(fake, raw, pump):
        yield from _round_trips(fake, raw, pump, effort)
    yield from _rates(fake, effort)
    yield _connects(fake, raw, effort)
    with on_one_core(fake):
        yield from _idle(fake, effort)


def _round_trips(fake: Server, raw: Server, pump: Server, effort: Effort) -> Iterator[Row]:
    # Many short rounds: a noisy machine has moods that last for seconds.
    count = effort.count(2_000)
    echo, pumped, plain, multiplexed = interleaved(
        [
            cpu_job(raw, clients.round_trips(clients.QUOTA_GET, None), count),
            cpu_job(pump, clients.round_trips(clients.QUOTA_GET, None), count),
            cpu_job(fake, clients.round_trips(clients.QUOTA_GET, 0), count),
            cpu_job(fake, clients.round_trips(clients.QUOTA_GET, 3), count),
        ],
        5 * effort.rounds,
    )
    detail = f" ({pumped:.0f} µs of CPU, raw Trio {echo:.0f} µs)"
    yield Row("the pump with an echo", f"{pumped / echo:.3g} x raw Trio{detail}", "-", None)
    for name, value, limit in (
        ("`quota get`, two rows", plain, 1.33),
        ("the same, multiplexed", multiplexed, 1.4),
    ):
        detail = f" ({value:.0f} µs of CPU, raw Trio {echo:.0f} µs)"
        yield most(name, value / echo, "x raw Trio", limit, detail)


def _rates(fake: Server, effort: Effort) -> Iterator[Row]:
    no_rows, busy = interleaved(
        [
            cpu_job(fake, clients.pipelined(clients.NO_ROWS, b"\n+\n"), effort.count(100_000)),
            cpu_job(fake, clients.busy(clients.QUOTA_GET, _BUSY), effort.count(20_000)),
        ],
        effort.rounds,
    )
    yield least("pipelined commands without rows", 1e6 / no_rows, "/s", 100_000)
    yield least(f"`quota get` on {_BUSY} busy connections", 1e6 / busy, "/s", 20_000)


def _connects(fake: Server, raw: Server, effort: Effort) -> Row:
    count = effort.count(2_000)
    echo, ours = interleaved(
        [
            cpu_job(raw, clients.connects(None), count),
            cpu_job(fake, clients.connects(0), count),
        ],
        effort.rounds,
    )
    detail = f" ({1e6 / ours:,.0f}/s, raw Trio {1e6 / echo:,.0f}/s)"
    return least("connects with handshake", echo / ours, "x raw Trio", 0.85, detail)


def _idle(fake: Server, effort: Effort) -> Iterator[Row]:
    load = cpu_job(fake, clients.round_trips(clients.QUOTA_GET, 0), effort.count(5_000))
    alone: list[float] = []
    crowded: list[float] = []
    sizes: list[float] = []
    for _ in range(effort.rounds):
        alone += interleaved([load], 1)
        before = fake.memory()
        with clients.idle(fake.path, _IDLE):
            sizes.append((fake.memory() - before) / _IDLE)
            crowded += interleaved([load], 1)
    # Memory of connections that are gone is used again, so only the first round has it all.
    yield most("an idle connection", max(sizes), "kB", 12)
    ratio = sorted(crowded)[len(crowded) // 2] / sorted(alone)[len(alone) // 2]
    # What differs by less than this is the machine's mood.
    yield most(f"`quota get` beside {_IDLE:,} idle connections", ratio, "x alone", 1.1)
