"""`[[stub]]` and `[[expect]]` of the configuration: stubs for people who don't write Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from fakedove.dovecot.toml_table import Table
from fakedove.errors import ConfigurationError

#: Accepted values of a column in a stub's row.
Value: TypeAlias = str | int | None

_SELECTING = ("command", "user", "args", "listener", "times")
_ANSWERS = ("fail", "reply", "raw", "passthrough")
_KEYS = (*_SELECTING, *_ANSWERS, "delay", "log")


class StubSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A stub, or an expectation; a stub has one of the answers, an expectation may have none."""

    #: Where it stands, `stub[0]`, for messages about it.
    where: str
    command: str
    user: str | None = None
    #: Masks of the arguments; `...` at the end is any more.
    args: tuple[str, ...] | None = None
    listener: str | None = None
    times: int | None = None
    fail: str | None = None
    reply: tuple[Mapping[str, Value], ...] | None = None
    raw: bytes | None = None
    passthrough: bool = False
    #: Seconds.
    delay: float = 0.0
    log: str | None = None


def stubs(top: Table) -> tuple[StubSetting, ...]:
    """Return the `[[stub]]` tables; raises ConfigurationError."""
    return tuple(_stub(table, answers=True) for table in top.tables("stub", _KEYS))


def expectations(top: Table) -> tuple[StubSetting, ...]:
    """Return the `[[expect]]` tables; raises ConfigurationError."""
    return tuple(_stub(table, answers=False) for table in top.tables("expect", _KEYS))


def _stub(table: Table, *, answers: bool) -> StubSetting:
    table.need("command", '"quota get"')
    _check_answers(table, needed=answers)
    return StubSetting(
        where=table.where,
        command=table.full_text("command"),
        user=table.optional_text("user"),
        args=table.words("args") if "args" in table else None,
        listener=table.optional_text("listener"),
        times=table.optional_integer("times", minimum=1 if answers else 0),
        fail=table.full_text("fail") if "fail" in table else None,
        reply=_rows(table) if "reply" in table else None,
        raw=table.text("raw").encode() if "raw" in table else None,
        passthrough=table.boolean("passthrough", default=False),
        delay=table.seconds("delay", 0.0),
        log=table.optional_text("log"),
    )


def _check_answers(table: Table, *, needed: bool) -> None:
    given = [key for key in _ANSWERS if key in table]
    if not given and needed:
        raise ConfigurationError(
            f"{table.where}: has no answer: give it fail, reply, raw or passthrough"
        )
    if not given and ("delay" in table or "log" in table):
        key = "delay" if "delay" in table else "log"
        raise table.error(key, "belongs to an answer: add passthrough = true to have the store's")
    if len(given) > 1:
        raise table.error(given[1], f"stands beside {given[0]}: there is one answer")
    if "passthrough" in table and not table.boolean("passthrough", default=False):
        raise table.error("passthrough", "can only be true; leave it out")


def _rows(table: Table) -> tuple[dict[str, Value], ...]:
    return tuple(
        {column: _value(row, column, value) for column, value in row.items()}
        for row in table.tables("reply", None)
    )


def _value(row: Table, column: str, value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise row.error(column, "must be text or a whole number")
    return value
