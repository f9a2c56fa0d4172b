"""Which commands a stub or an expectation means."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TypeAlias

from fakedove.double.patterns import Pattern, Texts, pattern
from fakedove.dovecot.registry import Invocation
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
