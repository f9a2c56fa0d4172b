"""The names of mailboxes in a sync, where a `%` and two hex digits stand for a character.

It is no more than that to a sync: elsewhere such names are names like others. What comes of them
was seen with the real 2.3.19.1 and 2.4.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from fakedove.dovecot.rules import NameEscapes

_ESCAPED = re.compile(b"%([0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f]")


class Names:
    """How one side writes names, and what it takes them for."""

    def __init__(self, rule: NameEscapes, *, master: bool) -> None:
        """Write names by `rule`; `master`: as the side that began."""
        self._rule, self._master = rule, master

    def listed(self, name: str) -> str:
        """Return a mailbox's name as it stands in the side's own list."""
        return _escaped(name) if self._rule is NameEscapes.LISTED else name

    def opened(self, name: str) -> str:
        """Return a mailbox's name as debug lines write it once it is opened.

        The side that began opens mailboxes by what its list says, the other one by their GUIDs.
        """
        by_list = self._rule is NameEscapes.NONE or self._master
        return self.listed(name) if by_list else _escaped(name)

    def sent(self, path: str) -> tuple[str, ...]:
        """Return the parts of a name of the side's own list as the other side is told them."""
        parts = path.split("/")
        return tuple(parts if self._rule is NameEscapes.NONE else map(_unescaped, parts))

    def taken(self, parts: Sequence[str]) -> str:
        """Return the name that the other side's list has for what it was told.

        What can be no part of a name gets a `_` before it, and if that does not help becomes a
        digest.
        """
        taken: list[str] = []
        for part in parts:
            name = _printable(part)
            if self._rule is NameEscapes.SENT:
                name = name.replace("/", "_")
            for one in (name, f"_{name}", name_digest(part)):
                if not self.problem("/".join((*taken, one))):
                    taken.append(one)
                    break
        return "/".join(taken)

    def meant(self, path: str) -> str:
        """Return the name of the mailbox that a name of one of the lists stands for.

        What the real ones leave of control characters and bytes that are no UTF-8 is replaced.
        """
        return path if self._rule is NameEscapes.NONE else _printable("/".join(self.sent(path)))

    def problem(self, path: str) -> str:
        """Return why there can be no mailbox that such a name stands for; "" if there can."""
        name = self.meant(path)
        parts = name.split("/")
        if name.startswith(("/", "~")):
            return f"Begins with '{name[0]}'"
        for part in parts:
            if part in (".", ".."):
                return f"Contains '{part}' part"
        return "" if all(parts) else "Has adjacent '/' chars"


def name_digest(name: str) -> str:
    """Return what Dovecot knows a name by where it has no room for it: half of its SHA-1."""
    data = name.encode(errors="surrogateescape")
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()[:32]


def _printable(name: str) -> str:
    if name.isprintable():
        return name
    text = name.encode(errors="surrogateescape").decode(errors="replace")
    return _CONTROL.sub("_", text)


def _escaped(name: str) -> str:
    return name.replace("%", "%25")


def _unescaped(name: str) -> str:
    if "%" not in name:
        return name
    raw = name.encode(errors="surrogateescape")
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), raw)
    return raw.partition(b"\0")[0].decode(errors="surrogateescape")
