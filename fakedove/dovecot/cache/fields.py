"""The fields of the index cache: their names, and what Dovecot decides about them unasked.

A field's key is its name in lower case; headers are called `hdr.` and their name.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

#: Fields that every mailbox knows, in the order in which they are listed.
NAMES = (
    *("flags", "date.sent", "date.received", "date.save", "size.virtual", "size.physical"),
    *("imap.body", "imap.bodystructure", "imap.envelope", "pop3.uidl", "pop3.order", "guid"),
    *("mime.parts", "binary.parts", "body.snippet"),
)
#: Never cached, by a setting's default; nobody keeps track of its use either.
NEVER = "imap.envelope"
_HEADERS = (
    *("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to"),
    *("message-id", "references", "importance", "x-priority", "x-open-xchange-share-url"),
)
#: Cached from the start by a setting's default: before 2.4, and since.
_FEW = ("flags",)
_MANY = (
    *("flags", "date.received", "size.virtual", "imap.bodystructure", "mime.parts"),
    *("pop3.uidl", "pop3.order", *(f"hdr.{name}" for name in _HEADERS)),
)


class Decision(enum.Enum):
    """What is decided about a field; the value is what is printed."""

    NO = "no"
    TEMP = "temp"
    YES = "yes"


class Stored(NamedTuple):
    """A field as it stands in the cache file."""

    name: str
    decision: Decision
    #: Seconds since 1970, 0 for never.
    last_used: int


def cached_from_start(*, headers: bool) -> tuple[str, ...]:
    """Return the fields that are cached unasked; with headers since 2.4."""
    return _MANY if headers else _FEW
