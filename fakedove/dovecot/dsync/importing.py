"""What one side of a sync takes over from the other in one mailbox, and how it does so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from fakedove.dovecot.dsync.common import Common, find_common
from fakedove.dovecot.dsync.exporting import Change, Kind, Side
from fakedove.dovecot.dsync.flag_merge import Flags, merged
from fakedove.dovecot.dsync.new_mails import NewMail, assign
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.flag_changes import FlagChange, Mode
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message


class Save(msgspec.Struct, frozen=True):
    """A mail to save under its UID, with the modseq that it has at least."""

    message: Message
    modseq: int
    #: Whether what was saved so far can be committed, as no lower UID is to come.
    complete: bool = False


class Flagging(msgspec.Struct, frozen=True):
    """A mail whose flags are changed, and the modseq that it has at least."""

    uid: int
    changes: tuple[FlagChange, ...]
    modseq: int


class Plan(msgspec.Struct, kw_only=True):
    """All that is to be done to one mailbox."""

    saves: list[Save] = msgspec.field(default_factory=list)
    flags: list[Flagging] = msgspec.field(default_factory=list)
    expunges: set[int] = msgspec.field(default_factory=set)
    #: Whether attributes are set, which is one change in the log.
    attributes: bool = False
    #: UID up to which both sides will be the same.
    uid: int = 0
    #: What makes it impossible, as Dovecot logs it; "": nothing.
    hopeless: str = ""
    #: Whether there are mails to look for in the mailbox of all mails, if there is one.
    seeks: bool = False


class Importer:
    """One side that takes over what the other one tells."""

    def __init__(
        self, local: Side, remote: Side, wanted: Wanted, *, master: bool, mirror: bool
    ) -> None:
        """Take from `remote`; `master`: this side began, `mirror`: it becomes the other."""
        self._local, self._remote, self._wanted = local, remote, wanted
        self._master, self._mirror = master, mirror

    def plan(self, changes: Sequence[Change], since: MailboxState | None) -> Plan:
        """Return what is to be done, given what the other side tells."""
        common = self._common(changes, since)
        plan = Plan(expunges=common.expunged, uid=common.uid, hopeless=common.hopeless)
        if common.hopeless:
            return plan
        mails = [one for one in self._local.messages if one.uid > common.uid]
        if self._mirror:
            mails = self._kept(plan, mails, common)
        new, uidnext = assign(self._local, mails, self._remote, common.new)
        blocked = [one for one in new if self._mirror and not one.keeps_uid]
        if blocked:
            plan.hopeless = (
                f"Deleting: UID={blocked[0].uid} already exists locally for a different mail:"
                f" UID >= local UIDNEXT={self._local.uidnext}"
            )
            return plan
        plan.flags = list(self._flag_changes(common.same))
        _add_new(plan, new)
        plan.seeks = bool(new)
        plan.uid = uidnext - 1
        return plan

    def _common(self, changes: Sequence[Change], since: MailboxState | None) -> Common:
        if since is None or not (since.uid or since.modseq):
            return find_common(self._local, changes, self._wanted, mirror=self._mirror)
        here = {message.uid for message in self._local.messages}
        takes = self._wanted.takes_mail
        return Common(
            uid=since.uid,
            expunged={one.uid for one in changes if one.kind is Kind.EXPUNGED} & here,
            same=[one for one in changes if one.kind is Kind.FLAGS and one.uid in here],
            new=[
                one
                for one in changes
                if one.kind is Kind.SAVED and one.message is not None and takes(one.message)
            ],
        )

    def _kept(self, plan: Plan, mails: list[Message], common: Common) -> list[Message]:
        """Return the mails that the other side has too; it expunges the rest, if it can."""
        there = {(one.uid, one.guid) for one in common.new}
        kept: list[Message] = []
        for message in mails:
            if (message.uid, message.guid) in there:
                kept.append(message)
                continue
            if message.uid >= self._remote.uidnext:
                plan.hopeless = (
                    f"Deleting: UID={message.uid} already exists locally for a different mail:"
                    f" higher than remote's UIDs (remote UIDNEXT={self._remote.uidnext})"
                )
            plan.expunges.add(message.uid)
        return kept

    def _flag_changes(self, same: Sequence[Change]) -> Iterator[Flagging]:
        messages = {message.uid: message for message in self._local.messages}
        for change in same:
            message = messages.get(change.uid)
            if message is None or change.message is None:
                continue
            if self._mirror:
                change_to = _change(Mode.REPLACE, _words(change.message))
                yield Flagging(change.uid, (change_to,), change.modseq)
            else:
                yield self._merged(message, change, change.message)

    def _merged(self, message: Message, change: Change, other: Message) -> Flagging:
        modseq = self._local.modseqs[message.uid]
        logged = self._local.log.get(message.uid)
        local = Flags(
            _words(message),
            logged.added if logged else frozenset(),
            logged.removed if logged else frozenset(),
        )
        remote = Flags(_words(other), change.added, change.removed)
        later = change.modseq > modseq
        prefer = later or (change.modseq == modseq and not self._master)
        words = merged(local, remote, prefer_remote=prefer)
        least = change.modseq
        if words != remote.now:
            least = max(least, self._remote.highestmodseq + 1)
        added, removed = words - local.now, local.now - words
        both = (_change(Mode.ADD, added), _change(Mode.REMOVE, removed))
        return Flagging(message.uid, both, least)


def carry_out(plan: Plan, box: Mailbox, remote: Side, *, now: datetime, batch: int) -> None:
    """Do what is planned; `batch`: after how many saved mails they are committed."""
    waiting: list[Save] = []
    for save in plan.saves:
        message = msgspec.structs.replace(save.message, saved=now)
        waiting.append(msgspec.structs.replace(save, message=message))
        if save.complete and len(waiting) >= batch:
            _commit(plan, box, waiting)
    _commit(plan, box, waiting)
    box.uidnext = max(box.uidnext, remote.uidnext)
    box.first_recent_uid = max(box.first_recent_uid, min(plan.uid + 1, remote.first_recent_uid))
    box.highestmodseq = max(box.highestmodseq, remote.highestmodseq)
    box.expunge(sorted(plan.expunges))


def _commit(plan: Plan, box: Mailbox, waiting: list[Save]) -> None:
    """Save mails in one transaction, and with the first of them change the flags of others."""
    if any(save.modseq > 1 for save in waiting):
        box.track_modseqs()
    # Dovecot sorts what it saves by UID, but not the modseqs that belong to it.
    modseqs = [save.modseq for save in waiting]
    put = box.append(sorted((save.message for save in waiting), key=lambda one: one.uid))
    for message, modseq in zip(put, modseqs, strict=True):
        box.raise_modseq(message.uid, modseq)
    waiting.clear()
    box.highestmodseq += plan.attributes
    plan.attributes = False
    if plan.flags:
        each = ((one.uid, change) for one in plan.flags for change in one.changes)
        box.change_each_flags(each, by_sync=True)
        for one in plan.flags:
            box.raise_modseq(one.uid, one.modseq)
        plan.flags = []


def _add_new(plan: Plan, new: Sequence[NewMail]) -> None:
    """Plan what is saved, and what gets another UID: it is saved anew, and the old one goes."""
    by_guid: dict[str, list[NewMail]] = {}
    for mail in new:
        by_guid.setdefault(mail.guid, []).append(mail)
    moved: list[Save] = []
    saved: list[NewMail] = []
    for mails in by_guid.values():
        here = [one.local for one in mails if one.local is not None]
        uids = {message.uid for message in here}
        missing = [one for one in mails if not one.skipped and one.uid not in uids]
        unwanted = uids - {one.uid for one in mails if not one.skipped}
        plan.expunges |= unwanted
        for mail in missing:
            source = mail.local or (here[0] if here else None)
            if source is None:
                saved.append(mail)
            else:
                moved.append(Save(msgspec.structs.replace(source, uid=mail.uid), 0))
    plan.saves = [*moved, *_in_order(saved, new, moved=bool(moved))]


def _in_order(saved: Sequence[NewMail], new: Sequence[NewMail], *, moved: bool) -> Iterator[Save]:
    """Yield the mails of the other side as it sends them, by their UIDs there."""
    expected = sorted(mail.uid for mail in new)
    done: set[int] = set()
    reached = 0
    for mail in sorted(saved, key=lambda one: one.remote.uid if one.remote else 0):
        if mail.remote is None or mail.remote.message is None:
            continue
        done.add(mail.uid)
        while reached < len(expected) and expected[reached] in done:
            reached += 1
        message = msgspec.structs.replace(mail.remote.message, uid=mail.uid)
        yield Save(message, mail.remote.modseq, complete=not moved and reached == len(done))


def _words(message: Message) -> set[str]:
    return {*message.flags, *message.keywords}


def _change(mode: Mode, words: AbstractSet[str]) -> FlagChange:
    flags = frozenset(word for word in words if word.startswith("\\"))
    return FlagChange(mode, flags, tuple(sorted(words - flags)))
