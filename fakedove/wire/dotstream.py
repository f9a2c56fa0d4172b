"""Dot-terminated input: a mail that follows its command line, ended by a lone dot.

Lines end in LF or CRLF; a leading dot is dropped when more follows on its line. The line
end before the last dot does not belong to the data (lib/istream-dot.c; recordings x.save.*).
"""

from __future__ import annotations

import re

#: A dot at the start of a line that is complete enough to tell what it is.
_DOT = re.compile(rb"\r?\n\.(?:(\r?\n)|(?!\r?\Z))")
#: An end of input that may turn out to be the beginning of such a dot.
_UNDECIDED = re.compile(rb"(?:\r?\n(?:\.\r?)?|\r)\Z")
_LONGEST_UNDECIDED = 4
#: A line end without CR.
_PLAIN_LF = re.compile(rb"(?<!\r)\n")


class DotReader:
    """Undo dot-stuffing, whatever pieces the input comes in."""

    __slots__ = ("_at_start", "_pending", "ended", "trailing")

    def __init__(self) -> None:
        # The first line is as good as one after a line end.
        self._pending = b"\n"
        self._at_start = True
        self.ended = False
        #: What came behind the dot line: the next commands.
        self.trailing = b""

    def feed(self, data: bytes) -> bytes:
        """Return the decoded bytes that `data` completes; look at `ended` afterwards."""
        data = self._pending + data
        decoded: list[bytes] = []
        at = 0
        while (dot := _DOT.search(data, at)) is not None and dot[1] is None:
            decoded.append(data[at : dot.end() - 1])
            at = dot.end()
        if dot is not None:
            decoded.append(data[at : dot.start()])
            self.ended = True
            self.trailing = data[dot.end() :]
        else:
            tail = _UNDECIDED.search(data, max(at, len(data) - _LONGEST_UNDECIDED))
            end = len(data) if tail is None else tail.start()
            decoded.append(data[at:end])
            self._pending = data[end:]
        return self._without_first_line_end(b"".join(decoded))

    def _without_first_line_end(self, decoded: bytes) -> bytes:
        if self._at_start and decoded:
            self._at_start = False
            return decoded[1:]
        return decoded


def stuff(data: bytes) -> bytes:
    """Return `data` with CRLF line ends, dot-stuffed and ended, as the doveadm program sends it.

    The dot stands behind a line end of its own, whether the data ends in one or not.
    """
    return DotWriter().feed(data) + b"\r\n.\r\n"


def stuff_lines(data: bytes) -> bytes:
    """Return `data` as a program client sends it: no line end of its own before the dot.

    One is put there if the data does not end in one, or is empty (recordings tcp-reply-*).
    """
    return DotWriter().feed(data) + (b".\r\n" if data.endswith(b"\n") else b"\r\n.\r\n")


class DotWriter:
    """Dot-stuff output that comes in pieces: CRLF line ends, and a dot line at its end."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        #: What the next byte stands behind; the beginning is as good as a line end.
        self._last = b"\n"

    def feed(self, data: bytes) -> bytes:
        """Return `data` as it stands in the stream."""
        if not data:
            return b""
        before, self._last = self._last, data[-1:]
        stuffed = _PLAIN_LF.sub(b"\r\n", before + data).replace(b"\n.", b"\n..")
        if before == b"\n":
            # It was given the CR of its CRLF here, although it is out already.
            return stuffed.removeprefix(b"\r")[1:]
        return stuffed[1:]

    def end(self) -> bytes:
        """Return the dot line, on a line of its own."""
        return b".\r\n" if self._last == b"\n" else b"\r\n.\r\n"
