"""What has happened to mails and mailboxes, as Dovecot's logs tell a later sync.

Each mailbox has a transaction log, which knows the GUIDs of expunged mails and who changed which
flags; each user has one about the list of mailboxes, with times in seconds. What a sync itself
did is in neither, but for the expunges.
"""

from __future__ import annotations

import enum

import msgspec

#: What the names of attributes begin with that are Sieve scripts.
SCRIPTS = "sieve/"
#: And the name of the one that tells which of them is active.
ACTIVE_SCRIPT = f"{SCRIPTS}default"


class MailChange(msgspec.Struct, frozen=True, gc=False):
    """A change of one mail, or of an attribute, in the transaction that ended with `modseq`."""

    #: 0: it is the mailbox's attributes that `added` and `removed` name.
    uid: int
    modseq: int
    #: The mail's GUID if it was expunged, else "".
    expunged: str = ""
    #: Flags and keywords that were set and taken away.
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def rights_attribute(who: str) -> str:
    """Return the name of the attribute that is the rights of an identifier in an ACL."""
    return f"acl/{who}"


def script_attribute(name: str) -> str:
    """Return the name of INBOX's attribute that is a Sieve script."""
    return f"{SCRIPTS}files/{name}"


class Event(enum.Enum):
    """What happened to a mailbox, or to a name in the list of mailboxes."""

    #: A mailbox was deleted, which is known by its GUID.
    DELETED = enum.auto()
    #: A directory is gone: that of a mailbox, or a folder that was none.
    FOLDER_DELETED = enum.auto()
    #: A mailbox or folder has this name since.
    RENAMED = enum.auto()
    SUBSCRIBED = enum.auto()
    UNSUBSCRIBED = enum.auto()


class ListChange(msgspec.Struct, frozen=True, gc=False):
    """A change of the list of mailboxes."""

    event: Event
    #: The mailbox's GUID, or the name.
    subject: str
    #: When, in seconds.
    time: int
