"""The names of mailboxes in a sync, where a `%` and two hex digits stand for a character.

It is no more than that to a sync: elsewhere such names are names like others. What comes of them
was seen with the real 2.3.19.1 and 2.4.1.
"""

from __future__ import annotations

import re

from fakedove.dovecot.rules import NameEscapes

_ESCAPED = re.compile(b"%([0-9A-Fa-f]{2})")


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

    def sent(self, path: str) -> str:
        """Return a name of the side's own list as the other side is told it."""
        if self._rule is NameEscapes.NONE:
            return path
        parts = [_unescaped(part) for part in path.split("/")]
        if self._rule is NameEscapes.SENT:
            parts = [part.replace("/", "_") for part in parts]
        return "/".join(parts)

    def meant(self, path: str) -> str:
        """Return the name of the mailbox that a name of one of the lists stands for."""
        return path if self._rule is NameEscapes.NONE else _unescaped(path)


def _escaped(name: str) -> str:
    return name.replace("%", "%25")


def _unescaped(name: str) -> str:
    if "%" not in name:
        return name
    raw = name.encode(errors="surrogateescape")
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), raw)
    return raw.partition(b"\0")[0].decode(errors="surrogateescape")
