"""Which commands are meant: by a stub, by an expectation, by a question about the journal.

One `Selection` is all of that, so they take the same words, and refuse the same mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import ClassVar, Generic, TypeAlias, TypedDict, TypeVar, cast

from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation
from fakedove.double.patterns import Pattern, Texts, pattern
from fakedove.double.redaction import redacted
from fakedove.errors import StubError, did_you_mean

#: One pattern for each argument; `...` at the end is any more of them.
Arguments: TypeAlias = Sequence[Texts | EllipsisType]


class Selecting(TypedDict, total=False):
    """What a command is selected by beside its name; what is left out is not looked at."""

    #: The username field.
    user: Texts | None
    #: All arguments, without what the doveadm program adds by itself: `-u USER` and `--`.
    args: Arguments | None
    #: Name of the listener it came in by.
    listener: Texts | None
    #: The exact command line, without its LF.
    line: bytes | None


class Looking(Selecting, total=False):
    """What a command that has come is selected by."""

    #: Name of the Status it was answered with, "" where there is none.
    status: Texts | None
    #: Number of the connection it came by.
    connection: int | None


_T = TypeVar("_T", bound=Exchange | Invocation)


@dataclass(frozen=True, slots=True)
class Criterion(Generic[_T]):
    """One of the things that are looked at."""

    name: str
    #: What is right, as it is told.
    wanted: str
    means: Callable[[_T], bool]
    #: What came in its place.
    came: Callable[[_T], object]


class Choice(Generic[_T]):
    """Some of what can come, and not the rest."""

    __slots__ = ("criteria",)
    criteria: tuple[Criterion[_T], ...]

    #: What one is called, and what is said where there is none.
    noun: ClassVar[str]
    none: ClassVar[str]
    #: What stands before it where it is told.
    prefix: ClassVar[str] = ""
    #: What is shown of one in any case.
    shown: ClassVar[Mapping[str, Callable[[_T], object]]]

    def means(self, one: _T) -> bool:
        """Whether it means one that came."""
        return all(criterion.means(one) for criterion in self.criteria)

    def told(self, one: _T) -> str:
        """Return one that came in a few words."""
        raise NotImplementedError

    def __str__(self) -> str:
        first, *others = self.criteria
        return ", ".join([first.wanted, *(f"{one.name}={one.wanted}" for one in others)])


class Selection(Choice[Exchange]):
    """Commands by their names, and what else there is to tell them by."""

    __slots__ = ("args", "command", "listener", "user")
    noun, none = "command", "no command was sent"
    shown: ClassVar[Mapping[str, Callable[[Exchange], object]]] = {
        "command": lambda one: one.command,
        "user": lambda one: one.user,
        "args": lambda one: shown_arguments(one),
    }

    def __init__(self, command: Texts, selecting: Selecting, *, past: bool = False) -> None:
        """Mean what `selecting` says; `past`: of commands that have come.

        Raises StubError for what is no pattern, TypeError for a key that there is not.
        """
        _refuse_unknown(selecting, (Looking if past else Selecting).__optional_keys__)
        self.command = _pattern("command", command)
        self.user = _optional_pattern("user", selecting.get("user"))
        self.listener = _optional_pattern("listener", selecting.get("listener"))
        self.args: ArgumentPatterns | None = None
        if (args := selecting.get("args")) is not None:
            self.args = ArgumentPatterns(args)
        self.criteria = tuple(self._criteria(cast(Looking, selecting)))

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

    def told(self, one: Exchange) -> str:
        """Return a command in one line."""
        return told(one)

    def _criteria(self, selecting: Looking) -> Iterator[Criterion[Exchange]]:
        command, user, args, listener = self.command, self.user, self.args, self.listener
        yield Criterion(
            "command",
            repr(command),
            lambda one: command.matches(one.command),
            lambda one: one.command,
        )
        if user is not None:
            yield Criterion(
                "user",
                repr(user),
                lambda one: user.matches(one.username.decode(errors="surrogateescape")),
                lambda one: one.user,
            )
        if args is not None:
            yield Criterion(
                "args",
                repr(args),
                lambda one: args.mean([_text(field) for field in _arguments(one)]),
                shown_arguments,
            )
        if listener is not None:
            yield Criterion(
                "listener",
                repr(listener),
                lambda one: listener.matches(one.listener),
                lambda one: one.listener,
            )
        yield from _others(selecting)


class ArgumentPatterns:
    """A pattern for each argument, and perhaps any more of them."""

    __slots__ = ("_any_more", "_patterns")

    def __init__(self, args: Arguments) -> None:
        """Take what `args=` may be; raises StubError for anything else."""
        if isinstance(args, str | bytes) or not isinstance(args, Sequence):
            raise StubError(f"args must be a sequence of texts, not {args!r}")
        self._any_more = len(args) > 0 and args[-1] is ...
        wanted = args[:-1] if self._any_more else args
        if any(one is ... for one in wanted):
            raise StubError("args: ... can only stand at the end")
        self._patterns = tuple(
            _pattern("args", one) for one in wanted if not isinstance(one, EllipsisType)
        )

    def mean(self, args: Sequence[str]) -> bool:
        """Whether they mean these arguments."""
        wanted = len(self._patterns)
        if len(args) < wanted or (len(args) > wanted and not self._any_more):
            return False
        return all(one.matches(text) for one, text in zip(self._patterns, args, strict=False))

    def __repr__(self) -> str:
        return f"[{', '.join([*map(repr, self._patterns), *['...'] * self._any_more])}]"


class ScriptSelection(Choice[Invocation]):
    """Invocations of a script service, by its name and by their arguments."""

    __slots__ = ("args",)
    noun, none, prefix = "invocation", "no script was run", "script "
    shown: ClassVar[Mapping[str, Callable[[Invocation], object]]] = {
        "script": lambda one: one.script,
        "args": lambda one: list(one.args),
    }

    def __init__(self, script: Texts, args: Arguments | None) -> None:
        """Mean any arguments if `args` is None; raises StubError for what is no pattern."""
        name = _pattern("script", script)
        self.args = wanted = None if args is None else ArgumentPatterns(args)
        named: Criterion[Invocation] = Criterion(
            "script", repr(name), lambda one: name.matches(one.script), lambda one: one.script
        )
        self.criteria = (named,)
        if wanted is not None:
            args_meant: Criterion[Invocation] = Criterion(
                "args",
                repr(wanted),
                lambda one: wanted.mean(one.args),
                lambda one: [redacted(text) for text in one.args],
            )
            self.criteria += (args_meant,)

    def told(self, one: Invocation) -> str:
        """Return an invocation in one line."""
        return f"{one.script} {[redacted(text) for text in one.args]!r}"


def told(exchange: Exchange) -> str:
    """Return a command in one line, without secrets."""
    words = " ".join([exchange.command, *shown_arguments(exchange)])
    return f"{words!r} of user {exchange.user!r}"


def shown_arguments(exchange: Exchange) -> list[str]:
    """Return the arguments without what the doveadm program adds by itself, nor secrets."""
    return [redacted(one.decode(errors="replace")) for one in _arguments(exchange)]


def _text(field: bytes) -> str:
    return field.decode(errors="surrogateescape")


def _arguments(exchange: Exchange) -> list[bytes]:
    fields = [field for field in exchange.fields if field != b"--"]
    return fields[2:] if len(fields) >= 2 and fields[0] == b"-u" else fields


def _others(selecting: Looking) -> Iterator[Criterion[Exchange]]:
    line, connection = selecting.get("line"), selecting.get("connection")
    if line is not None:
        if not isinstance(line, bytes):
            raise StubError(f"line must be bytes, not {line!r}")
        yield Criterion("line", repr(line), lambda one: one.line == line, lambda one: one.line)
    if (status := _optional_pattern("status", selecting.get("status"))) is not None:
        yield Criterion(
            "status",
            repr(status),
            lambda one: status.matches(status_name(one)),
            status_name,
        )
    if connection is not None:
        if not isinstance(connection, int):
            raise StubError(f"connection must be a connection's number, not {connection!r}")
        yield Criterion(
            "connection",
            repr(connection),
            lambda one: one.connection.number == connection,
            lambda one: one.connection.number,
        )


def status_name(exchange: Exchange) -> str:
    """Return the name of the status it was answered with, "" where there is none."""
    return "" if exchange.status is None else exchange.status.name


def _pattern(name: str, texts: Texts) -> Pattern:
    try:
        return pattern(texts)
    except StubError as error:
        raise StubError(f"{name} {error}") from None


def _optional_pattern(name: str, texts: Texts | None) -> Pattern | None:
    return None if texts is None else _pattern(name, texts)


def _refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            near = did_you_mean(key, sorted(known)) or f" (there is: {', '.join(sorted(known))})"
            raise TypeError(f'commands are not selected by "{key}"{near}')
