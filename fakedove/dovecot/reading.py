"""In which pieces mails are read from their files: what is buffered decides where they end.

Dovecot reads 8 KiB at a time and keeps only the last of it. Reading goes on in the buffer where
it can; elsewhere the buffer begins anew. Up to 2.3 the header before a mail is read, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fakedove.dovecot import mdbox
from fakedove.dovecot.mdbox import MAIL_HEADER, Place
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.sections import with_crlf
from fakedove.dovecot.user import User

#: Dovecot's IO_BLOCK_SIZE.
BLOCK = 8192


class Reading:
    """The files of one user, read by one command."""

    def __init__(self, user: User, *, from_mail_start: bool) -> None:
        """`from_mail_start`: the buffer begins anew with each mail (2.4)."""
        self._user = user
        self._from_mail_start = from_mail_start
        self._places: Mapping[str, Place] | None = None
        self._guid = ""
        self._start = 0
        self._file = 0
        # What is in the buffer.
        self._low = self._high = 0

    def pieces(self, message: Message, start: int, length: int) -> tuple[int, int]:
        """Read `length` bytes of the mail from `start` on; return the first piece's size.

        All others but the last are of BLOCK bytes. The second number is the first one for
        whoever reads the same again.
        """
        self._open(message)
        position = self._start + start
        if not self._low <= position < self._high:
            self._fill(position)
        first = self._high - position
        end = position + length
        if end > self._high:
            blocks = -(-(end - self._high) // BLOCK)
            self._fill(self._high + (blocks - 1) * BLOCK)
        return first, (self._high - position if position >= self._low else BLOCK)

    def cuts(self, message: Message, start: int, length: int) -> Iterator[int]:
        """Yield the offsets in the mail where pieces end."""
        first, _ = self.pieces(message, start, length)
        yield from range(start + first, start + length, BLOCK)

    def _open(self, message: Message) -> None:
        if message.guid == self._guid:
            return
        self._guid = message.guid
        if self._from_mail_start:
            self._low = self._high = self._start = 0
            return
        if self._places is None:
            self._places = mdbox.places(self._user)
        place = self._places[message.guid]
        if place.file != self._file:
            self._file = place.file
            self._fill(0)
        self._start = place.offset
        header = place.offset - MAIL_HEADER
        if not self._low <= header <= place.offset <= self._high:
            self._fill(header)

    def _fill(self, position: int) -> None:
        self._low, self._high = position, position + BLOCK


def with_crlf_in_blocks(blocks: Iterable[bytes], before: bytes = b"") -> Iterator[bytes]:
    """Yield the blocks with CRLF line ends, as they go through a buffer of 8 KiB.

    `before` is what stands before them. The buffer is used up to its end as long as what is
    left of a block fits into it.
    """
    used = 0
    for block in blocks:
        rest = block
        while rest:
            if len(rest) > BLOCK - used:
                used = 0
            piece, taken = _fill(rest, BLOCK - used, before.endswith(b"\r"))
            yield piece
            used += len(piece)
            before, rest = piece, rest[taken:]


def _fill(data: bytes, room: int, after_cr: bool) -> tuple[bytes, int]:
    """Return what fits into `room` bytes with CRLF line ends, and how much of `data` that is."""
    piece = b""
    taken = min(len(data), room)
    while True:
        piece = _with_crlf(data[:taken], after_cr)
        if len(piece) <= room:
            break
        # Each line end takes one byte more at most.
        taken -= max(1, (len(piece) - room) // 2)
    while taken < len(data):
        longer = _with_crlf(data[: taken + 1], after_cr)
        if len(longer) > room:
            # A CR may fit without its LF.
            return longer[:room], taken
        piece, taken = longer, taken + 1
    return piece, taken


def _with_crlf(data: bytes, after_cr: bool) -> bytes:
    if after_cr and data.startswith(b"\n"):
        return b"\n" + with_crlf(data[1:])
    return with_crlf(data)
