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
    """What is told of a mail, as debug lines call it."""

    SAVED = "save"
    FLAGS = "flag-change"
    EXPUNGED = "expunge"


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


class Side(msgspec.Struct, eq=False):
    """A mailbox as it was when both sides looked at it, and what its log tells then."""

    box: Mailbox
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    first_recent_uid: int
    count: int
    # What follows is there once the mailbox is opened.
    messages: tuple[Message, ...] = ()
    modseqs: Mapping[int, int] = {}
    #: The modseqs of the attributes that were changed since the last time, and which of them
    #: are not there any more.
    attributes: Mapping[str, int] = {}
    unset: frozenset[str] = frozenset()
    #: By UID: what the log tells since the last time.
    log: Mapping[int, Change] = {}

    @property
    def state(self) -> MailboxState:
        """Return what the state of the mailbox is if the other side has all of it."""
        return MailboxState(
            self.box.guid, self.uidvalidity, self.uidnext - 1, self.highestmodseq, self.count
        )

    def open(self, since: MailboxState | None) -> None:
        """Look at the mails, which have modseqs of their own from then on, and at the log."""
        box = self.box
        uid, modseq = (since.uid, since.modseq) if since else (0, 0)
        records = [one for one in box.log if one.modseq > modseq and (not uid or one.uid <= uid)]
        of_attributes = [one for one in records if not one.uid]
        self.messages = box.messages
        self.modseqs = {one.uid: box.modseq(one.uid) for one in box.messages}
        self.attributes = {
            name: one.modseq for one in of_attributes for name in (*one.removed, *one.added)
        }
        self.unset = _unset(of_attributes)
        self.log = _collected(one for one in records if one.uid)


def why_differing(mine: Side, other: Side) -> str:
    """Return in Dovecot's words why two mailboxes have to be looked at, "" if they are the same."""
    pairs = (
        ("UIDVALIDITY changed:", mine.uidvalidity, other.uidvalidity),
        ("UIDNEXT changed:", mine.uidnext, other.uidnext),
        ("Message count changed:", mine.count, other.count),
        ("HIGHESTMODSEQ changed", mine.highestmodseq, other.highestmodseq),
        ("First RECENT UID changed:", mine.first_recent_uid, other.first_recent_uid),
    )
    return next((f"{why} {one} -> {two}" for why, one, two in pairs if one != two), "")


def look(box: Mailbox) -> Side:
    """Return what a mailbox is now."""
    return Side(
        box=box,
        uidvalidity=box.uidvalidity,
        uidnext=box.uidnext,
        highestmodseq=box.highestmodseq,
        first_recent_uid=box.first_recent_uid,
        count=box.message_count,
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


def _unset(records: Iterable[MailChange]) -> frozenset[str]:
    names: set[str] = set()
    for record in records:
        names |= {*record.removed}
        names -= {*record.added}
    return frozenset(names)
