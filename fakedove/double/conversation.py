"""Conversations for the eye: `C:`, `S:` and `L:` lines, control characters escaped.

`L:` is the log channel. Passwords are left out.
"""

from __future__ import annotations

import re

#: Who says passwords, and what they stand behind.
CLIENT = "C"
_PLAIN = b"PLAIN\t"
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
#: A TAB and a backslash are escaped too: what is printed can be pasted into printf.
_SPECIAL = re.compile(rb"[\x00-\x1f\x7f-\xff\\]")
_NAMED = {b"\t": r"\t", b"\r": r"\r", b"\n": r"\n", b"\\": r"\\"}

#: Where texts are shortened: bytes of one side's words, lines of them, characters of a line.
_MOST_BYTES, _MOST_LINES, _WIDTH = 4096, 12, 160


class Side:
    """What one side says, in pieces that may be cut anywhere."""

    __slots__ = ("_begun", "_who")

    def __init__(self, who: str) -> None:
        """Put `who` before each line."""
        self._who = who
        #: How the line begins that has not ended yet.
        self._begun = b""

    def shown(self, data: bytes) -> str:
        """Return a piece line by line; the line `PLAIN TAB ...` loses its password."""
        return "\n".join([f"{self._who}: {self._line(line)}" for line in _LINE.findall(data)])

    def _line(self, data: bytes) -> str:
        come, line = len(self._begun), self._begun + data
        self._begun = b"" if data.endswith(b"\n") else line[: len(_PLAIN)]
        if self._who != CLIENT or not line.startswith(_PLAIN):
            return escaped(data)
        open_part, end = data[: max(0, len(_PLAIN) - come)], "\\n" if data.endswith(b"\n") else ""
        secret = data[len(open_part) :]
        return escaped(open_part) + ("(a password)" if secret else "") + end


def shown(who: str, data: bytes) -> str:
    r"""Return `data` line by line, each with `who` before it; passwords are left out.

    >>> print(shown("C", b"VERSION\tdoveadm-server\t1\t2\nPLAIN\tAGE=\n"))
    C: VERSION\tdoveadm-server\t1\t2\n
    C: PLAIN\t(a password)\n
    """
    return Side(who).shown(data)


def said(who: str, data: bytes, *, short: bool) -> list[str]:
    """Return the lines of `shown`; `short`: long texts are cut, which is said."""
    if not data:
        return []
    if not short:
        return shown(who, data).split("\n")
    lines = shown(who, data[:_MOST_BYTES]).split("\n")
    kept = [line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..." for line in lines[:_MOST_LINES]]
    if len(data) > _MOST_BYTES or len(lines) > _MOST_LINES:
        kept.append(f"   (and so on: {len(data):,} bytes)")
    return kept


def escaped(data: bytes) -> str:
    """Return bytes as ASCII, control characters as printf(1) takes them."""
    return _SPECIAL.sub(_named, data).decode()


def _named(match: re.Match[bytes]) -> bytes:
    return _NAMED.get(match[0], f"\\{match[0][0]:03o}").encode()
