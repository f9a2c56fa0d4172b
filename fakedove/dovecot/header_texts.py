"""What searches have read in the headers of a mailbox's mails, as Dovecot's cache file keeps it."""

from __future__ import annotations

import enum

#: Header fields kept of each mail, each for every purpose that it was read for.
_MOST_FIELDS = 16


class HeaderTexts:
    """Texts by header field, purpose and UID. A UID is never given to another mail."""

    __slots__ = ("_by_field",)

    def __init__(self) -> None:
        self._by_field: dict[tuple[bytes, enum.Enum], dict[int, str]] = {}

    def of(self, field: bytes, reading: enum.Enum) -> dict[int, str]:
        """Return the texts of a header field read for one purpose, by UID, to be added to."""
        texts = self._by_field.get((field, reading))
        if texts is None:
            if len(self._by_field) == _MOST_FIELDS:
                del self._by_field[next(iter(self._by_field))]
            texts = self._by_field[field, reading] = {}
        return texts

    def trim(self, messages: int) -> None:
        """Forget everything if most of it is about mails that are gone from the mailbox."""
        if any(len(texts) > 2 * messages for texts in self._by_field.values()):
            self._by_field.clear()
