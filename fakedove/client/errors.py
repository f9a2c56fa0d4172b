"""How a conversation with a server can fail; each message is one line."""

from __future__ import annotations

from fakedove.errors import FakeDovecotError
from fakedove.wire.replies import LogLine


class ClientError(FakeDovecotError):
    """The conversation failed; `log` holds the log lines of a command that has no reply."""

    def __init__(self, message: str, log: tuple[LogLine, ...] = ()) -> None:
        super().__init__(message)
        self.log = log


class ClientTimeoutError(ClientError, TimeoutError):
    """The server did not answer in time."""


class PasswordNeededError(ClientError):
    """The server wants a password, and there is none to give."""
