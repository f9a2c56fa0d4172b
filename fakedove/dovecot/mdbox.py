"""Where mails lie in a user's mdbox files, which decides in which pieces they are read.

A file begins with a line of 16 bytes; each mail has a header of 30 bytes before it and lines
of metadata behind it. All mailboxes of a user share the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from fakedove.dovecot.message import Message
from fakedove.dovecot.names import to_mutf7
from fakedove.dovecot.user import User

#: Bytes before each mail.
MAIL_HEADER = 30
_FILE_HEADER = 16
#: Bytes after which a new file is begun: mdbox_rotate_size.
_LARGEST_FILE = 10 * 1024 * 1024
#: A GUID's line, and what surrounds the lines.
_GUID_LINE, _FRAME = 34, 5


class Place(msgspec.Struct, frozen=True, gc=False):
    """The number of a file, and where in it the mail begins."""

    file: int
    offset: int


def places(user: User) -> Mapping[str, Place]:
    """Return the place of each of the user's mails by its GUID; copies share it."""
    found: dict[str, Place] = {}
    file, end = 1, _FILE_HEADER
    for mailbox, message in _in_order(user):
        if message.guid in found:
            continue
        size = MAIL_HEADER + len(message.data) + _metadata_size(mailbox, message)
        if end > _FILE_HEADER and end + size > _LARGEST_FILE:
            file, end = file + 1, _FILE_HEADER
        found[message.guid] = Place(file, end + MAIL_HEADER)
        end += size
    return found


def file_path(user: User, place: Place) -> str:
    """Return the path of the file."""
    return f"{user.home}/mdbox/storage/m.{place.file}"


def _in_order(user: User) -> Iterator[tuple[str, Message]]:
    """Yield all mails in the order in which they were saved."""
    pairs = [(box.name, message) for box in user.mailboxes.values() for message in box.messages]
    yield from sorted(pairs, key=lambda pair: pair[1].saved)


def _metadata_size(mailbox: str, message: Message) -> int:
    received = f"R{int(message.received.timestamp()):x}\n"
    virtual = f"V{message.virtual_size:x}\n"
    origin = len(to_mutf7(mailbox)) + 2
    return _FRAME + len(received) + len(virtual) + _GUID_LINE + origin
