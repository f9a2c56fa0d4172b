"""Exchanges as a session makes them."""

from __future__ import annotations

from fakedove.double.connections import Connection
from fakedove.double.exchange import Exchange, Outcome

#: 2024-05-01 12:00:00 UTC, in nanoseconds since 1970.
NOON = 1_714_564_800_000_000_000


def connection(number: int = 1, listener: str = "unix", address: str | None = None) -> Connection:
    return Connection(number, listener, address, "2.4.1", NOON)


def exchange(
    command: str = "quota get",
    username: bytes = b"tss",
    fields: tuple[bytes, ...] = (),
    *,
    outcome: Outcome | None = None,
    by: Connection | None = None,
    body: bytes = b"",
) -> Exchange:
    line = b"\t".join((b"", username, command.encode(), *fields)) + b"\n"
    outcome = Outcome([]) if outcome is None else outcome
    by = by or connection()
    return Exchange(by, command, username, fields, line, NOON, outcome, body, len(body))
