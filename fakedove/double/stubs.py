"""Stubs: answers that stand in for the store's, and cannot drift from the real server.

`on(...)` selects, `.reply`, `.fail`, `.raw`, `.passthrough`, `.edit` and `.handle` arm. Rows are
mappings by column key, checked against what the command prints in this release. The newest
stub that matches wins; one that is used up falls to the next, then to the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import EllipsisType
from typing import Self, TypeAlias

from fakedove.double.answers import Answer, Cell, Edit
from fakedove.double.checks import Checks
from fakedove.double.journal import Exchange
from fakedove.double.patterns import Pattern, Texts, pattern
from fakedove.double.request import Handler
from fakedove.double.selecting import NewestFirst, Selected, caller
from fakedove.dovecot.registry import Invocation
from fakedove.dovecot.release import Release
from fakedove.errors import StubError

#: One pattern for each argument; `...` at the end is any more of them.
Arguments: TypeAlias = Sequence[Texts | EllipsisType]


class Selection:
    """Which commands are meant; what is None is not looked at."""

    __slots__ = ("any_more", "args", "command", "line", "listener", "user")

    def __init__(
        self,
        command: Texts,
        user: Texts | None,
        args: Arguments | None,
        listener: str | None,
        line: bytes | None,
    ) -> None:
        """Mean what `on` says; raises StubError for what is no pattern."""
        self.command = pattern(command)
        self.user = None if user is None else pattern(user)
        if isinstance(args, str):
            raise StubError(f"args must be a sequence of texts, not {args!r}")
        #: More arguments than there are patterns are welcome.
        self.any_more = args is not None and len(args) > 0 and args[-1] is ...
        self.args = None if args is None else _patterns(args[:-1] if self.any_more else args)
        self.listener = listener
        #: The whole command line, without its LF.
        self.line = line

    @property
    def key(self) -> tuple[str, bytes | None] | None:
        """Command and user if they are plain texts, any user if None; else None."""
        if self.command.literal is None:
            return None
        if self.user is None:
            return self.command.literal, None
        if self.user.literal is None:
            return None
        return self.command.literal, self.user.literal.encode(errors="surrogateescape")

    def means(self, invocation: Invocation, listener: str, line: bytes) -> bool:
        """Whether it means a command."""
        return (
            (self.listener is None or self.listener == listener)
            and (self.line is None or self.line == line)
            and self.command.matches(invocation.command.name)
            and self.means_user(invocation.username.decode(errors="surrogateescape"))
            and (self.args is None or self.means_args(shown_arguments(invocation.fields)))
        )

    def means_user(self, user: str) -> bool:
        """Whether it means a user."""
        return self.user is None or self.user.matches(user)

    def means_args(self, args: Sequence[str]) -> bool:
        """Whether it means these arguments, without what the doveadm program adds."""
        if self.args is None:
            return True
        if len(args) < len(self.args) or (len(args) > len(self.args) and not self.any_more):
            return False
        return all(one.matches(text) for one, text in zip(self.args, args, strict=False))

    def __str__(self) -> str:
        shown = [str(self.command)]
        if self.user is not None:
            shown.append(f"user={self.user!r}")
        if self.args is not None:
            shown.append(f"args={self.shown_args}")
        if self.listener is not None:
            shown.append(f'listener="{self.listener}"')
        if self.line is not None:
            shown.append(f"line={self.line!r}")
        return ", ".join(shown)

    @property
    def shown_args(self) -> str:
        """The patterns of the arguments as text."""
        more = ["..."] if self.any_more else []
        return f"[{', '.join([*map(repr, self.args or ()), *more])}]"


class Stub(Selected[Answer]):
    """One `on(...)`: what it answers to, and what it has answered."""

    def __init__(
        self, stubs: Stubs, selection: Selection, *, times: int | None, where: str, named: str
    ) -> None:
        super().__init__(f"{named}({selection.command})", times, where)
        self.selection = selection
        #: The exchanges it answered, oldest first.
        self.calls: list[Exchange] = []
        #: Its place among all stubs, in the order of making.
        self.serial = 0
        self._stubs = stubs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on({self.selection}) of {self.where}>"

    @property
    def used(self) -> int:
        """How often it has answered."""
        return len(self.calls)

    @property
    def remedy(self) -> str:
        """What would arm it."""
        return "add .reply(...), .fail(...), .raw(...), .passthrough(), .edit(...) or .handle(...)"

    def reply(
        self,
        rows: Iterable[Mapping[str, Cell]] = (),
        *,
        delay: float = 0.0,
        log: str | None = None,
    ) -> Self:
        """Answer with rows, each a mapping of every column key to its value, and `+`.

        None is printed as `-`. `delay` is in seconds; `log` is an error for the server log and
        the client's log channel. Raises StubError for a column that the command does not have
        in this release.
        """
        with self._or_removed():
            command = self.selection.command
            return self._arm(self._stubs.checks.reply(command, list(rows), delay=delay, log=log))

    def fail(
        self, status: str, detail: str = "", *, delay: float = 0.0, log: str | None = None
    ) -> Self:
        """Answer with a failure: "NOUSER", "TEMPFAIL", "NOTFOUND", ..., or "-" for a bare dash.

        `detail` stands behind the status, as the host of REFERRAL does; `delay` and `log` as
        for `reply`. Raises StubError for a status that this release does not have.
        """
        with self._or_removed():
            return self._arm(self._stubs.checks.failure(status, detail, delay=delay, log=log))

    def raw(self, reply: bytes, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Answer with exactly these bytes on the reply channel, status line included."""
        with self._or_removed():
            return self._arm(Answer(raw=reply, delay=delay, log=log))

    def passthrough(self, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Let the store answer, late or with an error in the log."""
        with self._or_removed():
            return self._arm(Answer(passes=True, delay=delay, log=log))

    def edit(self, function: Edit, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Answer with the store's rows as `function(rows)` changes them.

        They are a list of mappings from column keys to texts; the function changes it, or
        returns other rows. The status stays the store's.
        """
        with self._or_removed():
            _check_callable("edit", "the rows", function)
            return self._arm(Answer(edit=function, delay=delay, log=log))

    def handle(self, function: Handler) -> Self:
        """Answer with what `function(request)` finds: see `Request`.

        It runs in the fake's thread, and the fake does nothing else meanwhile unless it is an
        `async def`, which may await what Trio has. What it raises fails the test, and closes
        the connection.
        """
        with self._or_removed():
            _check_callable("handle", "a request", function)
            return self._arm(Answer(handler=function))

    def remove(self) -> None:
        """Take the stub away."""
        self._stubs.remove(self)

    def matches(self, invocation: Invocation, listener: str, line: bytes) -> bool:
        """Whether this stub answers the command."""
        return self.ready and self.selection.means(invocation, listener, line)

    @contextmanager
    def _or_removed(self) -> Iterator[None]:
        """Take the stub away if its answer is refused: that was told once already."""
        try:
            yield
        except StubError:
            self.remove()
            raise


class Stubs(NewestFirst[Stub]):
    """The stubs for commands."""

    def __init__(self, release: Release) -> None:
        super().__init__()
        self.checks = Checks(release)
        self._made = 0
        # Where there are thousands of stubs, each for a command and a user, none is asked in
        # vain.
        self._by_key: dict[tuple[str, bytes | None], list[Stub]] = {}
        self._others: list[Stub] = []

    def on(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        line: bytes | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> Stub:
        """Select commands by name, username field, arguments and listener.

        In texts `*` and `?` match; `fakedove.patterns` has others. Arguments are compared as
        a person writes them: `-u USER` and `--`, which the doveadm program adds, do not count,
        and `...` at their end is any more. `line` is the exact command line, without its LF.
        `times` bounds how often the stub answers; `where` names the place in the test, by
        default the caller's line. Raises StubError for a command that the release does not
        know.
        """
        self.checks.check_command(command)
        selection = Selection(command, user, args, listener, line)
        place = caller() if where is None else where
        return self._add(Stub(self, selection, times=times, where=place, named="on"))

    def answer(self, exchange: Exchange, invocation: Invocation, line: bytes) -> Answer | None:
        """Return what a stub answers to a command, None for none; the stub notes the exchange."""
        if not self._stubs:
            return None
        stub = self.find(invocation, exchange.listener, line.removesuffix(b"\n"))
        if stub is None:
            return None
        answer = stub.answer
        stub.calls.append(exchange)
        return answer

    def find(self, invocation: Invocation, listener: str, line: bytes = b"") -> Stub | None:
        """Return the newest stub that answers the command."""
        name = invocation.command.name
        best: Stub | None = None
        for bucket in (
            self._by_key.get((name, invocation.username), ()),
            self._by_key.get((name, None), ()),
            self._others,
        ):
            for one in reversed(bucket):
                if best is not None and one.serial < best.serial:
                    break
                if one.matches(invocation, listener, line):
                    best = one
                    break
        return best

    def remove(self, stub: Stub) -> None:
        """Take one stub away; harmless if it is gone already."""
        super().remove(stub)
        bucket = self._bucket(stub)
        bucket[:] = [one for one in bucket if one is not stub]

    def clear(self) -> None:
        """Take all stubs away."""
        super().clear()
        self._by_key.clear()
        self._others.clear()

    def _add(self, stub: Stub) -> Stub:
        self._made += 1
        stub.serial = self._made
        self._bucket(stub).append(stub)
        return super()._add(stub)

    def _bucket(self, stub: Stub) -> list[Stub]:
        key = stub.selection.key
        return self._others if key is None else self._by_key.setdefault(key, [])


def shown_arguments(fields: Sequence[bytes]) -> tuple[str, ...]:
    """Return the fields without what the doveadm program adds by itself: `-u user`, `--`."""
    shown = [field.decode(errors="replace") for field in fields if field != b"--"]
    if len(shown) >= 2 and shown[0] == "-u":
        shown = shown[2:]
    return tuple(shown)


def _patterns(args: Arguments) -> tuple[Pattern, ...]:
    if any(one is ... for one in args):
        raise StubError("args: ... can only stand at the end")
    return tuple(pattern(one) for one in args if not isinstance(one, EllipsisType))


def _check_callable(method: str, what: str, function: object) -> None:
    if not callable(function):
        raise StubError(f"{method}() takes a function of {what}, not {function!r}")
