"""A message that is being fetched: where it was found, and what several fields need of it."""

from __future__ import annotations

import re
from collections import Counter

import msgspec

from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.parts import Part, parse_parts
from fakedove.dovecot.reading import Reading
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Streamed
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_HEADER_END = re.compile(rb"(?:\A|\n)\r?\n")


class PrintError(Exception):
    """A field of one message cannot be printed; the command goes on and then fails."""

    def __init__(self, status: Status, *log: Log) -> None:
        super().__init__(status)
        self.status = status
        self.log = log


class Shared(msgspec.Struct):
    """What all messages of one command share."""

    release: Release
    user: User
    reading: Reading
    #: How often each mail is there, by GUID; made when it is asked for.
    references: Counter[str] | None = None
    #: UIDs of mails whose parts come from the cache of their mailbox; they are parsed otherwise.
    parts_cached: frozenset[int] = frozenset()


class Fetched:
    """A message where it was found; `seq` counts from 1 in its mailbox."""

    __slots__ = ("_header_size", "_root", "box", "message", "seq", "shared")

    def __init__(self, shared: Shared, box: Mailbox, message: Message, seq: int) -> None:
        self.shared = shared
        self.box = box
        self.message = message
        self.seq = seq
        self._header_size: int | None = None
        self._root: Part | None = None

    @property
    def release(self) -> Release:
        """The release that prints it."""
        return self.shared.release

    @property
    def user(self) -> User:
        """Whose mail it is."""
        return self.shared.user

    @property
    def reading(self) -> Reading:
        """How the user's mail is read."""
        return self.shared.reading

    @property
    def header_size(self) -> int:
        """Bytes of the header, with the empty line behind it."""
        if self._header_size is None:
            end = _HEADER_END.search(self.message.data)
            self._header_size = len(self.message.data) if end is None else end.end()
        return self._header_size

    @property
    def header(self) -> bytes:
        """The header, with the empty line behind it."""
        return self.message.data[: self.header_size]

    @property
    def root(self) -> Part:
        """The whole mail as a MIME part."""
        if self._root is None:
            self._root = parse_parts(self.message.data)
        return self._root

    def streamed(self, start: int, end: int) -> Streamed:
        """Return a part of the mail in the pieces that it is read in."""
        first, _ = self.reading.pieces(self.message, start, end - start)
        return Streamed(self.message.data[start:end], first)
