"""How one side of a sync changes a mailbox: in transactions, which are committed in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from fakedove.dovecot.dsync.exporting import Side
from fakedove.dovecot.dsync.said import Said
from fakedove.dovecot.flag_changes import FlagChange
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


class Writer:
    """The transactions in which a mailbox takes over what the other side has."""

    def __init__(self, box: Mailbox, *, now: datetime, batch: int) -> None:
        """Write into `box`; `batch`: after how many saved mails they are committed."""
        self._box, self._now, self._batch = box, now, batch
        self._waiting: list[Save] = []
        self._uidnext = box.uidnext
        self._saved: set[int] = set()
        #: What is changed with the next commit.
        self.flags: list[Flagging] = []
        self.expunges: set[int] = set()
        #: Whether attributes are set with it, which is one change in the log.
        self.attributes = False

    def save(self, save: Save) -> Iterator[Said]:
        """Save a mail, and yield what debug lines say."""
        message = msgspec.structs.replace(save.message, saved=self._now)
        self._waiting.append(msgspec.structs.replace(save, message=message))
        if save.complete and len(self._waiting) >= self._batch:
            yield self._commit()

    def finish(self, remote: Side, uid: int) -> Iterator[Said]:
        """Commit the rest: up to `uid`, both sides have the same now."""
        yield self._commit()
        box = self._box
        recent = min(uid + 1, remote.first_recent_uid)
        yield Said(
            f"Finish update: min_next_uid={remote.uidnext} min_first_recent_uid={recent}"
            f" min_highest_modseq={remote.highestmodseq} min_highest_pvt_modseq=0"
        )
        box.uidnext = max(box.uidnext, remote.uidnext)
        box.first_recent_uid = max(box.first_recent_uid, recent)
        box.highestmodseq = max(box.highestmodseq, remote.highestmodseq)
        self._expunge()
        if self._saved:
            unused = range(self._uidnext, max(remote.uidnext, max(self._saved) + 1))
            left = uid_ranges(one for one in unused if one not in self._saved)
            if left:
                # No mail has such a UID, so none gets another one.
                yield Said(f"Reassign UIDs: {left}")

    def give_up(self) -> Iterator[Said]:
        """Commit what was done so far."""
        yield self._commit()
        self._expunge()

    def _commit(self) -> Said:
        """Save the mails in one transaction, with the changes of others that are known."""
        box, waiting = self._box, self._waiting
        if any(save.modseq > 1 for save in waiting):
            box.track_modseqs()
        # Dovecot sorts what it saves by UID, but not the modseqs that belong to it.
        modseqs = [save.modseq for save in waiting]
        put = box.append(sorted((save.message for save in waiting), key=lambda one: one.uid))
        for message, modseq in zip(put, modseqs, strict=True):
            box.raise_modseq(message.uid, modseq)
        box.highestmodseq += self.attributes
        self.attributes = False
        if self.flags:
            each = ((one.uid, change) for one in self.flags for change in one.changes)
            box.change_each_flags(each, by_sync=True)
            for one in self.flags:
                box.raise_modseq(one.uid, one.modseq)
            self.flags = []
        uids = [save.message.uid for save in waiting]
        self._saved.update(uids)
        waiting.clear()
        return Said(f"Saved UIDs: {uid_ranges(uids)}")

    def _expunge(self) -> None:
        self._box.expunge(sorted(self.expunges))


def uid_ranges(uids: Iterable[int]) -> str:
    """Return UIDs as IMAP writes a set of them, in the order in which they come."""
    ranges: list[tuple[int, int]] = []
    for uid in uids:
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1] = ranges[-1][0], uid
        else:
            ranges.append((uid, uid))
    return ",".join(f"{one}" if one == last else f"{one}:{last}" for one, last in ranges)
