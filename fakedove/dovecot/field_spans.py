"""Which release's `fetch` knows which field, in the order in which it lists them."""

from __future__ import annotations

from functools import cache

from fakedove.dovecot.command_spans import release_key

#: Name to the first release; none was ever taken away.
FIELDS: dict[str, str] = {
    "user": "2.0.0",
    "mailbox": "2.0.0",
    "mailbox-guid": "2.0.0",
    "seq": "2.0.0",
    "uid": "2.0.0",
    "guid": "2.0.0",
    "flags": "2.0.0",
    "modseq": "2.2.0",
    "hdr": "2.0.0",
    "body": "2.0.0",
    "body.preview": "2.3.7",
    "body.snippet": "2.2.16",
    "text": "2.0.0",
    "text.utf8": "2.1.0",
    "size.physical": "2.0.0",
    "size.virtual": "2.0.0",
    "date.received": "2.0.0",
    "date.sent": "2.0.0",
    "date.saved": "2.0.0",
    "date.received.unixtime": "2.2.20",
    "date.sent.unixtime": "2.2.20",
    "date.saved.unixtime": "2.2.20",
    "imap.envelope": "2.0.0",
    "imap.body": "2.0.0",
    "imap.bodystructure": "2.0.0",
    "mime.parts": "2.4.0",
    "pop3.uidl": "2.0.7",
    "pop3.order": "2.2.11",
    "refcount": "2.2.19",
    "storageid": "2.2.19",
}

#: Sections of the body, decoded or not: `body.` and `binary.`.
_SECTIONS = "2.2.25"


@cache
def fields_of(number: str) -> tuple[str, ...]:
    """Return the fields without a parameter that a release knows."""
    wanted = release_key(number)
    return tuple(name for name, first in FIELDS.items() if release_key(first) <= wanted)


@cache
def has_sections(number: str) -> bool:
    """Whether a release knows `body.` and `binary.` with a section."""
    return release_key(_SECTIONS) <= release_key(number)
