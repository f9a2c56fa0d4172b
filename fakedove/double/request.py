"""A command that a function of the test answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fakedove.double.answers import Answer, Rows
from fakedove.double.checks import Checks
from fakedove.double.exchange import Exchange
from fakedove.double.patterns import exactly


class Request:
    """What a handler is given; it returns what one of the methods makes, rows, or None."""

    __slots__ = ("_checks", "exchange")

    def __init__(self, exchange: Exchange, checks: Checks) -> None:
        #: The command as it stands in the journal.
        self.exchange = exchange
        self._checks = checks

    def __repr__(self) -> str:
        return f"<Request {self.command!r} of {self.user!r}>"

    @property
    def command(self) -> str:
        """The command's name."""
        return self.exchange.command

    @property
    def user(self) -> str:
        """The username field."""
        return self.exchange.user

    @property
    def args(self) -> tuple[str, ...]:
        """The fields behind the command's name."""
        return self.exchange.args

    @property
    def listener(self) -> str:
        """The name of the listener it came in by."""
        return self.exchange.listener

    def reply(self, rows: Rows = (), *, delay: float = 0.0, log: str | None = None) -> Answer:
        """Answer with rows and `+`; see `Stub.reply`."""
        return self._checks.reply(exactly(self.command), rows, delay=delay, log=log)

    def fail(
        self, status: str, detail: str = "", *, delay: float = 0.0, log: str | None = None
    ) -> Answer:
        """Answer with a failure; see `Stub.fail`."""
        return self._checks.failure(status, detail, delay=delay, log=log)

    def raw(self, reply: bytes, *, delay: float = 0.0, log: str | None = None) -> Answer:
        """Answer with exactly these bytes; see `Stub.raw`."""
        return Answer(raw=reply, delay=delay, log=log)

    def passthrough(self, *, delay: float = 0.0, log: str | None = None) -> Answer:
        """Let the store answer."""
        return Answer(passes=True, delay=delay, log=log)


#: What a handler may return: an answer, rows, or None to let the store answer.
Handled: TypeAlias = Answer | Rows | None
Handler: TypeAlias = Callable[[Request], Handled | Awaitable[Handled]]
