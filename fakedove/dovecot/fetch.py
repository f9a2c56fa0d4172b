"""The fields that `fetch` prints, each a function of one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.reply import Fatal, Streamed, Value
from fakedove.dovecot.user import User


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """A message where it was found; `seq` counts from 1 in its mailbox."""

    user: User
    box: Mailbox
    message: Message
    seq: int


def _flags(one: Fetched) -> bytes:
    words = [*one.message.flags, "\\Recent", *one.message.keywords]
    return " ".join(words).encode()


def _header(one: Fetched) -> Value:
    return Streamed(_split(one.message.data)[0])


def _body(one: Fetched) -> Value:
    return Streamed(_split(one.message.data)[1])


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return header with its empty line, and body."""
    if data.startswith(b"\n"):
        return b"\n", data[1:]
    header, end, body = data.partition(b"\n\n")
    return header + end, body


FIELDS: dict[str, Callable[[Fetched], Value]] = {
    "user": lambda one: one.user.name.encode(),
    "mailbox": lambda one: one.box.name.encode(),
    "mailbox-guid": lambda one: one.box.guid.encode(),
    "seq": lambda one: b"%d" % one.seq,
    "uid": lambda one: b"%d" % one.message.uid,
    "guid": lambda one: one.message.guid.encode(),
    "flags": _flags,
    "hdr": _header,
    "body": _body,
    "text": lambda one: Streamed(one.message.data),
    "size.physical": lambda one: b"%d" % one.message.physical_size,
    "size.virtual": lambda one: b"%d" % one.message.virtual_size,
}


def parse_fields(text: bytes) -> tuple[str, ...]:
    """Return the field names in `text`, separated by spaces; raise Fatal for an unknown one."""
    names = text.decode(errors="surrogateescape").split(" ") if text else []
    for name in names:
        if name.lower() not in FIELDS and not _is_unbuilt(name.lower()):
            raise Fatal(b"Unknown fetch field: %b" % name.encode(errors="surrogateescape"))
    return tuple(name.lower() for name in names)


#: Fields of Dovecot's that cannot be fetched yet; those with a dot at the end have a parameter.
_NOT_BUILT = [
    "hdr.",
    "body.",
    "binary.",
    "modseq",
    "text.utf8",
    "date.received",
    "date.sent",
    "date.saved",
    "imap.envelope",
    "imap.body",
    "imap.bodystructure",
    "pop3.uidl",
    "pop3.order",
    "refcount",
    "storageid",
    "mime.parts",
]


def _is_unbuilt(name: str) -> bool:
    return any(
        name == known or (known[-1] == "." and name.startswith(known)) for known in _NOT_BUILT
    )


def row(fields: Sequence[str], fetched: Fetched) -> tuple[Value, ...]:
    """Return the values of `fields` for one message; raise Fatal for one that is not built."""
    for name in fields:
        if name not in FIELDS:
            built = " ".join(FIELDS)
            text = f"fakedove does not know the fetch field {name} yet; there is: {built}"
            raise Fatal(text.encode())
    return tuple(FIELDS[field](fetched) for field in fields)
