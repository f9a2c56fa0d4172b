"""The formatter of doveadm-server's replies: one for each connection, and it never forgets.

It writes when as many fields are pending as columns were ever registered on the connection,
failed and repeated commands included; a command that is not about mail leaves the rest
pending behind its status line (recordings seq.*). Streamed values are written in blocks.
Everything here returns *writes*: each is a packet of its own on a multiplexed connection.
"""

from __future__ import annotations

from collections.abc import Iterable

from fakedove.dovecot.escaped import BLOCK as BLOCK
from fakedove.dovecot.escaped import EscapedBlocks
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Pieced, Row, Streamed
from fakedove.dovecot.status import Status
from fakedove.dovecot.status_lines import status_lines
from fakedove.wire import tabescape


class Formatter:
    """Turn rows into writes, as the given release cuts them."""

    __slots__ = (
        "_columns",
        "_escaped",
        "_gathered",
        "_pending",
        "_position",
        "_raw",
        "_release",
        "written",
    )

    def __init__(self, release: Release, escaped: EscapedBlocks | None = None) -> None:
        #: Bytes in writes since whoever sends them has set this to 0, status lines aside.
        self.written = 0
        self._release = release
        self._escaped = escaped or EscapedBlocks()
        self._columns = 0
        self._position = 0
        self._pending = bytearray()
        self._gathered = bytearray()
        self._raw = b""

    def register(self, columns: int) -> None:
        """Count the columns of a command that begins."""
        self._columns += columns

    def row(self, row: Row, writes: list[bytes]) -> None:
        """Add the fields of one row."""
        position = self._position + len(row)
        if position <= self._columns:
            try:
                fields = tabescape.join(row)  # type: ignore[arg-type]  # see below
            except TypeError:
                pass  # There is a streamed value in it.
            else:
                if position < self._columns:
                    self._pending += fields
                    self._position = position
                else:
                    self._position = 0
                    self._write_pending(fields, writes)
                return
        for value in row:
            if isinstance(value, Streamed):
                self._stream(self._escaped.of(self._cut(value.data), value.first), writes)
            elif isinstance(value, Pieced):
                pieces = [self._cut(piece) for piece in value.pieces]
                self._stream(map(tabescape.escape, pieces), writes)
            else:
                self._pending += tabescape.escape(value)
            self._pending += b"\t"
            self._position += 1
            if self._position == self._columns:
                self._position = 0
                self._flush(writes)

    def text(self, data: bytes, writes: list[bytes]) -> None:
        """Add text that bypasses the formatter."""
        if self._release.user_json_pieces:
            writes.append(data)
            self.written += len(data)
        else:
            self._raw += data

    def flush_waiting(self, writes: list[bytes]) -> None:
        """Write the rows and the text that were gathered so far."""
        self._flush_gathered(writes)
        if self._raw:
            writes.append(self._raw)
            self.written += len(self._raw)
            self._raw = b""

    def end(
        self,
        status: Status,
        writes: list[bytes],
        *,
        mail: bool,
        flushes: bool,
        suffix: bytes = b"",
        old: bool = False,
    ) -> None:
        """Add the status line of a reply, and what the command leaves behind it."""
        lines = status_lines(self._release, status, mail=mail, suffix=suffix, old=old)
        if self._pending and (mail or flushes):
            self._flush(writes)
        if self._gathered and not mail and not flushes and status is Status.OK:
            # Nothing is written until the status is there; a failure is written at once.
            lines = (bytes(self._gathered) + lines[0], *lines[1:])
            self._gathered.clear()
        elif self._gathered:
            self._flush_gathered(writes)
        if self._raw:
            lines = (self._raw + lines[0], *lines[1:])
            self._raw = b""
        if mail or flushes:
            writes += lines
            return
        line, *again = lines
        if not writes and self._pending and not self._release.user_json_pieces:
            # Nothing has left yet, so all of it leaves together where writes are gathered at all.
            line += self._pending
            self._pending.clear()
        writes.append(line)
        self._flush(writes)
        writes += again

    def _cut(self, data: bytes) -> bytes:
        return data if self._release.escapes_streamed_nul else tabescape.c_string(data)

    def _stream(self, blocks: Iterable[bytes], writes: list[bytes]) -> None:
        for block in blocks:
            if not self._pending and len(block) >= BLOCK:
                self._write(block, writes)
                continue
            self._pending += block
            if len(self._pending) >= BLOCK:
                self._flush(writes)

    def _write_pending(self, fields: bytes, writes: list[bytes]) -> None:
        """Write what is pending and `fields` behind it."""
        if self._pending:
            self._pending += fields
            self._flush(writes)
        elif fields:
            self._write(fields, writes)

    def _flush(self, writes: list[bytes]) -> None:
        if self._pending:
            self._write(bytes(self._pending), writes)
            self._pending.clear()

    def _write(self, data: bytes, writes: list[bytes]) -> None:
        if self._release.row_packets:
            writes.append(data)
            self.written += len(data)
            return
        self._gathered += data
        if len(self._gathered) >= BLOCK:
            self._flush_gathered(writes)

    def _flush_gathered(self, writes: list[bytes]) -> None:
        if self._gathered:
            writes.append(bytes(self._gathered))
            self.written += len(self._gathered)
            self._gathered.clear()
