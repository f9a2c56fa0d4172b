"""What one side of a sync tells of a mailbox: its mails, and what has become of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

import msgspec

from fakedove.dovecot.change_log import MailChange
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message


class Kind(enum.Enum):
    """What is told of a mail."""

    SAVED = enum.auto()
    FLAGS = enum.auto()
    EXPUNGED = enum.auto()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One mail that is there, was changed or is gone."""

    kind: Kind
    uid: int
    guid: str
    modseq: int = 0
    #: The mail as it is; None: it is gone.
    message: Message | None = None
    #: Flags and keywords that the log says were set and taken away.
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


class Side(msgspec.Struct, frozen=True):
    """A mailbox as it was when both sides looked at it."""

    box: Mailbox
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    first_recent_uid: int
    messages: tuple[Message, ...]
    modseqs: Mapping[int, int]
    acl: Mapping[str, tuple[str, ...]]
    acl_changed: int
    #: The modseq of each attribute, as far as the log knows it.
    attributes: Mapping[str, int]
    #: By UID: what the log tells since the last time.
    log: Mapping[int, Change]


def differ(one: Mailbox, other: Mailbox) -> bool:
    """Whether two mailboxes have to be looked at."""
    return _totals(one) != _totals(other)


def _totals(box: Mailbox) -> tuple[int, ...]:
    counters = (box.uidvalidity, box.uidnext, box.highestmodseq, box.first_recent_uid)
    return (*counters, box.message_count)


def look(box: Mailbox, since: MailboxState | None) -> Side:
    """Return what a mailbox is now, and what its log tells since that state.

    From then on its mails have modseqs of their own.
    """
    uid, modseq = (since.uid, since.modseq) if since else (0, 0)
    records = [one for one in box.log if one.modseq > modseq and (not uid or one.uid <= uid)]
    return Side(
        box=box,
        uidvalidity=box.uidvalidity,
        uidnext=box.uidnext,
        highestmodseq=box.highestmodseq,
        first_recent_uid=box.first_recent_uid,
        messages=box.messages,
        modseqs={one.uid: box.modseq(one.uid) for one in box.messages},
        acl=dict(box.acl),
        acl_changed=box.acl_changed,
        attributes={one.added[0]: one.modseq for one in box.log if not one.uid},
        log=_collected(one for one in records if one.uid),
    )


def changes(side: Side, since: MailboxState | None) -> list[Change]:
    """Return what the side tells the other, by UID."""
    uid = since.uid if since else 0
    told = dict(side.log)
    for message in side.messages:
        logged = told.get(message.uid)
        if message.uid > uid:
            told[message.uid] = _told(side, message, Kind.SAVED, logged)
        elif logged is not None:
            told[message.uid] = _told(side, message, Kind.FLAGS, logged)
    here = {message.uid for message in side.messages}
    return [told[one] for one in sorted(told) if one in here or told[one].kind is Kind.EXPUNGED]


def _told(side: Side, message: Message, kind: Kind, logged: Change | None) -> Change:
    return Change(
        kind=kind,
        uid=message.uid,
        guid=message.guid,
        modseq=side.modseqs[message.uid],
        message=message,
        added=logged.added if logged else frozenset(),
        removed=logged.removed if logged else frozenset(),
    )


def _collected(records: Iterable[MailChange]) -> dict[int, Change]:
    found: dict[int, Change] = {}
    for record in records:
        before = found.get(record.uid)
        if record.expunged:
            found[record.uid] = Change(kind=Kind.EXPUNGED, uid=record.uid, guid=record.expunged)
            continue
        added = before.added if before else frozenset()
        removed = before.removed if before else frozenset()
        found[record.uid] = Change(
            kind=Kind.FLAGS,
            uid=record.uid,
            guid="",
            added=(added - {*record.removed}) | {*record.added},
            removed=(removed - {*record.added}) | {*record.removed},
        )
    return found
