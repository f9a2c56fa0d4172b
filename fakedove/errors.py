"""Every exception that fakedove raises on purpose.

All of them derive from `FakeDovecotError`, and each message says what was wrong and what
would be right. Errors of a peer that breaks a protocol are `ProtocolError`: they name the
fault by an enum of the protocol's module and leave the wording to whoever reports it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FakeDovecotError(Exception):
    """Base of all errors that fakedove raises on purpose."""


class ConfigurationError(FakeDovecotError, ValueError):
    """A setting is wrong: the message begins with its path, `listener[2].mode: ...`."""


class StoreError(FakeDovecotError, ValueError):
    """A store file is wrong: the message begins with file and key path."""


class UnknownReleaseError(ConfigurationError):
    """A Dovecot release or protocol version that does not exist or is not known."""


class UnknownNameError(FakeDovecotError, LookupError):
    """A user, mailbox, listener or command that is not there; the message lists near names."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StubError(FakeDovecotError, ValueError):
    """A stub that the real server could not answer with: unknown command, column or status."""


class ExpectationError(FakeDovecotError, AssertionError):
    """What was expected did not come, or what came was not expected; the message explains."""


class ListenError(FakeDovecotError, OSError):
    """An address cannot be bound: in use, not permitted, or a path too long."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ProtocolError(FakeDovecotError):
    """The peer broke the protocol; `fault` is a member of the protocol module's enum."""

    def __init__(self, fault: object) -> None:
        super().__init__(fault)
        self.fault = fault


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "near"?` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
