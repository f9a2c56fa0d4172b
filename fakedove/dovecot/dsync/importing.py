"""What one side of a sync takes over from the other in one mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from fakedove.dovecot.dsync.common import Common, other_guid
from fakedove.dovecot.dsync.exporting import Change, Side
from fakedove.dovecot.dsync.flag_merge import Flags, merged
from fakedove.dovecot.dsync.new_mails import NewMail, NewMails
from fakedove.dovecot.dsync.said import Said, Tone
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.dsync.writing import Flagging, Save, Writer, uid_ranges
from fakedove.dovecot.flag_changes import FlagChange, Mode
from fakedove.dovecot.message import Message


class Part(msgspec.Struct, frozen=True):
    """How a side takes part in the sync of a mailbox."""

    wanted: Wanted
    #: It is the side that began.
    master: bool
    #: It becomes what the other side is, and loses what it had more.
    mirror: bool
    #: Mails of the mailbox of all mails, by GUID, and why there is none, in Dovecot's words.
    all_mails: Mapping[str, Message]
    all_mails_problem: str


class Importer:
    """One side that takes over what the other one tells."""

    def __init__(
        self,
        local: Side,
        remote: Side,
        part: Part,
        writer: Writer,
        since: MailboxState | None,
    ) -> None:
        """Take from `remote` what has become of it since that state."""
        self._local, self._remote, self._part, self._writer = local, remote, part, writer
        self._messages = {message.uid: message for message in local.messages}
        self._common = Common(local, part.wanted, mirror=part.mirror)
        self._delayed: list[Change] = []
        self._new: NewMails | None = None
        #: The UIDs of all new mails, and of those that are saved.
        self._expected: list[int] = []
        self._saved: set[int] = set()
        self._reached = 0
        self._moved = False
        #: UID up to which both sides are the same in the end.
        self.uid = 0
        #: What makes it impossible to become like the other side; "": nothing.
        self.hopeless = ""
        #: The mailbox is not what the state of the last time says.
        self.unexpected = False
        #: The mails that the other side is asked for, each with all its copies.
        self.requests: list[list[NewMail]] = []
        if since is not None and (since.uid or since.modseq):
            self._common.uid, self._common.found = since.uid, True
            self._new = NewMails(local, remote, since.uid, mirror=part.mirror)

    def take(self, change: Change) -> Iterator[Said]:
        """Take what the other side tells of a mail."""
        if self.unexpected:
            return
        result = "New mail"
        if not self._common.found:
            result, before = self._common.compare(change)
            if before:
                yield Said(before, Tone.RECENT_DETAIL)
            yield from self._settled(self._common.hopeless)
            if self._common.found:
                yield from self._end_common()
        yield Said(
            f"Import change type={change.kind.value} GUID={change.guid} UID={change.uid}"
            f" hdr_hash= result={result}"
        )
        if not self.hopeless:
            yield from self._use(change)

    def end_changes(self) -> Iterator[Said]:
        """Find out, after the last change, which mails are missing."""
        if not self._common.found:
            self._common.found = True
            yield from self._end_common()
        new = self._behind_common()
        new.end()
        yield from self._settled(new.hopeless)
        found, uidnext, said = new.assign()
        yield from map(Said, said)
        self.uid = uidnext - 1
        self._expected = sorted(mail.uid for mail in found)
        self._writer.expunges |= new.expunged
        if not self.hopeless and found:
            if self._part.all_mails_problem:
                yield Said(self._part.all_mails_problem, Tone.ERROR)
            yield from self._save_own(found)

    def save(self, mails: Sequence[NewMail], source: Message) -> Iterator[Said]:
        """Save a mail of the other side, or one that is known to be the same."""
        for mail in mails:
            if mail.remote is None or mail.remote.message is None:
                continue
            complete = self._completes(mail.uid)
            told = mail.remote.message
            message = msgspec.structs.replace(
                source, uid=mail.uid, flags=told.flags, keywords=told.keywords
            )
            yield from self._writer.save(Save(message, mail.remote.modseq, complete))

    def close(self, *, whole: bool) -> Iterator[Said]:
        """End, be it the `whole` of what was to be done or not."""
        if whole and not self.hopeless and not self.unexpected:
            yield from self._writer.finish(self._remote, self.uid)
        else:
            yield from self._writer.give_up()

    def _completes(self, uid: int) -> bool:
        """Whether no UID below those of all saved mails is to come any more."""
        self._saved.add(uid)
        while self._reached < len(self._expected) and self._expected[self._reached] in self._saved:
            self._reached += 1
        return not self._moved and self._reached == len(self._saved)

    def _behind_common(self) -> NewMails:
        assert self._new is not None, "it is known where the common mails end"
        return self._new

    def _settled(self, hopeless: str) -> Iterator[Said]:
        if hopeless and not self.hopeless:
            self.hopeless = hopeless
            yield Said(hopeless, Tone.HOPELESS)

    def _end_common(self) -> Iterator[Said]:
        """Decide what had to wait for the end of the common mails."""
        uid, passed = self._common.uid, self._common.passed
        yield Said(f"Last common UID={uid}. Delayed expunges={uid_ranges(passed)}")
        self._writer.expunges |= {one for one in passed if one <= uid}
        self._new = NewMails(self._local, self._remote, uid, mirror=self._part.mirror)
        for change in self._delayed:
            saves = change.uid > uid
            yield Said(f"Delayed save UID={change.uid}: {'Save' if saves else 'Ignore'}")
            if saves:
                self._new.take(change)

    def _use(self, change: Change) -> Iterator[Said]:
        """Do what a change asks for, or note it down until it can be done."""
        uid = self._common.uid
        if change.uid <= uid:
            yield from self._use_common(change)
        elif change.message is not None and not self._part.wanted.why_unwanted(change.message):
            if not self._common.found:
                self._delayed.append(change)
                return
            new = self._behind_common()
            new.take(change)
            yield from self._settled(new.hopeless)

    def _use_common(self, change: Change) -> Iterator[Said]:
        """Take over what has become of a mail that both sides have, or had."""
        message = self._messages.get(change.uid)
        if message is None:
            return
        if message.guid != change.guid:
            self.unexpected = True
            guids = f"{message.guid} != {other_guid(change)}"
            why = f"Unexpected GUID mismatch for UID={change.uid}: {guids}"
            yield Said(why, Tone.UNEXPECTED)
        elif change.message is None:
            self._writer.expunges.add(change.uid)
        else:
            self._writer.flags.append(self._flagging(message, change, change.message))

    def _flagging(self, message: Message, change: Change, other: Message) -> Flagging:
        if self._part.mirror:
            change_to = _change(Mode.REPLACE, _words(other))
            return Flagging(change.uid, (change_to,), change.modseq)
        modseq = self._local.modseqs[message.uid]
        logged = self._local.log.get(message.uid)
        local = Flags(
            _words(message),
            logged.added if logged else frozenset(),
            logged.removed if logged else frozenset(),
        )
        remote = Flags(_words(other), change.added, change.removed)
        later = change.modseq > modseq
        prefer = later or (change.modseq == modseq and not self._part.master)
        words = merged(local, remote, prefer_remote=prefer)
        least = change.modseq
        if words != remote.now:
            least = max(least, self._remote.highestmodseq + 1)
        added, removed = words - local.now, local.now - words
        both = (_change(Mode.ADD, added), _change(Mode.REMOVE, removed))
        return Flagging(message.uid, both, least)

    def _save_own(self, found: Sequence[NewMail]) -> Iterator[Said]:
        """Save what this side has under another UID or in another mailbox; ask for the rest."""
        by_guid: dict[str, list[NewMail]] = {}
        for mail in found:
            by_guid.setdefault(mail.guid, []).append(mail)
        for guid, mails in by_guid.items():
            here = {mail.local.uid: mail.local for mail in mails if mail.local is not None}
            wanted = [mail for mail in mails if not mail.skipped]
            self._writer.expunges |= here.keys() - {mail.uid for mail in wanted}
            missing = [mail for mail in wanted if mail.uid not in here]
            if here:
                yield from self._renumber(missing, next(iter(here.values())))
            elif guid in self._part.all_mails:
                yield from self.save(missing, self._part.all_mails[guid])
            elif missing:
                self.requests.append(missing)
        self.requests.sort(key=lambda mails: min(_remote_uid(mail) for mail in mails))

    def _renumber(self, mails: Sequence[NewMail], source: Message) -> Iterator[Said]:
        """Save mails anew under other UIDs."""
        for mail in mails:
            self._moved = True
            message = msgspec.structs.replace(mail.local or source, uid=mail.uid)
            yield from self._writer.save(Save(message, 0))


def _remote_uid(mail: NewMail) -> int:
    return mail.remote.uid if mail.remote is not None else 0


def _words(message: Message) -> set[str]:
    return {*message.flags, *message.keywords}


def _change(mode: Mode, words: AbstractSet[str]) -> FlagChange:
    flags = frozenset(word for word in words if word.startswith("\\"))
    return FlagChange(mode, flags, tuple(sorted(words - flags)))
