"""Conversations for the eye: `C:`, `S:` and `L:` lines, control characters escaped.

`L:` is the log channel. Secrets are left out: see `redaction`.
"""

from __future__ import annotations

import re

from fakedove.double.redaction import Spans, hide, secrets

#: Who proves who it is.
CLIENT = "C"
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
#: A TAB and a backslash are escaped too: what is printed can be pasted into printf.
_SPECIAL = re.compile(rb"[\x00-\x1f\x7f-\xff\\]")
_NAMED = {b"\t": r"\t", b"\r": r"\r", b"\n": r"\n", b"\\": r"\\"}

#: Where texts are shortened: bytes of one side's words, lines of them, characters of a line.
_MOST_BYTES, _MOST_LINES, _WIDTH = 4096, 12, 160
#: Bytes of an unfinished line that are looked at again when it goes on.
_REMEMBERED = 1024

_HELLO = b"VERSION\tdoveadm-server\t"
_PLAIN = b"PLAIN\t"
#: What may stand between the VERSION line and the first command; what proves nothing.
_COMMAND = re.compile(rb"[Dvx]*\t|STARTTLS\r?\n?$")
#: The mechanism of what proves who a client is.
_MECHANISM = re.compile(rb"[A-Za-z0-9-]{2,32}[\t ]")


class Side:
    """What one side says, in pieces that may be cut anywhere."""

    __slots__ = ("_begun", "_greeted", "_who")

    def __init__(self, who: str) -> None:
        """Put `who` before each line."""
        self._who = who
        #: The line that has not ended yet, or as much of it as matters.
        self._begun = b""
        #: The next line may have to prove who the client is.
        self._greeted = False

    def shown(self, data: bytes) -> str:
        """Return a piece line by line, without its secrets."""
        return "\n".join([f"{self._who}: {self._line(line)}" for line in _LINE.findall(data)])

    def _line(self, data: bytes) -> str:
        come, line = len(self._begun), self._begun + data
        spans = self._secrets(line)
        if data.endswith(b"\n"):
            self._begun = b""
            proves_nothing = line.startswith(_HELLO) or line.strip() == b"STARTTLS"
            self._greeted = proves_nothing and self._who == CLIENT
        elif spans and spans[-1][1] == len(line):
            # The secret goes on in the next piece.
            self._begun = line[: spans[-1][0]]
        else:
            # The NUL says that this is not where the line began.
            self._begun = line if len(line) <= _REMEMBERED else b"\0" + line[-_REMEMBERED:]
        return escaped(hide(line, spans, come))

    def _secrets(self, line: bytes) -> Spans:
        proof = self._proof(line) if self._who == CLIENT else None
        if proof is None:
            return secrets(line)
        end = len(line) - line.endswith(b"\n")
        return [(proof, end)] if proof < end else []

    def _proof(self, line: bytes) -> int | None:
        """Return where that stands by which a client proves who it is, if it does."""
        if line.startswith(_PLAIN):
            return len(_PLAIN)
        if not self._greeted or _COMMAND.match(line):
            return None
        if mechanism := _MECHANISM.match(line):
            return mechanism.end()
        # As long as it may become one of these there is nothing to hide.
        return None if _PLAIN.startswith(line) or b"STARTTLS\n".startswith(line) else 0


def shown(who: str, data: bytes) -> str:
    r"""Return `data` line by line, each with `who` before it, without its secrets.

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
