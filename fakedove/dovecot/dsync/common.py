"""Up to which UID both sides of a sync have the same mails, where no state tells it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from fakedove.dovecot.dsync.exporting import Change, Kind, Side
from fakedove.dovecot.dsync.wanted import Wanted


class Common(msgspec.Struct):
    """What was found out about the mails that both sides may have had."""

    #: The last UID that is known to be, or to have been, the same mail on both sides.
    uid: int = 0
    #: Mails of this side that the other one expunged.
    expunged: set[int] = msgspec.field(default_factory=set)
    #: Mails that are the same: what the other side tells of them.
    same: list[Change] = msgspec.field(default_factory=list)
    #: Mails that only the other side has.
    new: list[Change] = msgspec.field(default_factory=list)
    #: What makes it impossible to become like the other side; "": nothing.
    hopeless: str = ""


def find_common(local: Side, changes: Sequence[Change], wanted: Wanted, *, mirror: bool) -> Common:
    """Go through what the other side tells, up to the first mail that is another one here."""
    search = _Search(local, wanted, mirror=mirror)
    for index, change in enumerate(changes):
        if not search.takes(change):
            rest = changes[index:]
            search.found.new += (one for one in rest if one.kind is Kind.SAVED)
            break
    return search.ended()


class _Search:
    """The walk along the mails of both sides."""

    def __init__(self, local: Side, wanted: Wanted, *, mirror: bool) -> None:
        self.found = Common()
        self._local, self._wanted, self._mirror = local, wanted, mirror
        self._messages = {one.uid: one for one in local.messages}
        self._uids = deque(sorted(self._messages))
        self._passed: set[int] = set()
        self._delayed: list[Change] = []

    def takes(self, change: Change) -> bool:
        """Take what the other side tells of a mail; False if the common ones end before it."""
        while self._uids and self._uids[0] < change.uid:
            self._passed.add(self._uids.popleft())
        if self._uids and self._uids[0] == change.uid:
            self._uids.popleft()
            return self._matches(change)
        if change.kind is Kind.EXPUNGED:
            return True
        return self._lacks(change)

    def ended(self) -> Common:
        """Return what was found: what was put off is decided now."""
        found = self.found
        found.expunged |= {uid for uid in self._passed if uid <= found.uid}
        delayed = [one for one in self._delayed if one.uid > found.uid]
        found.new = [one for one in (*delayed, *found.new) if self._takes_mail(one)]
        return found

    def _matches(self, change: Change) -> bool:
        """Compare with the mail of the same UID."""
        if self._messages[change.uid].guid != change.guid:
            if self._mirror:
                self.found.hopeless = (
                    f"Deleting: UID={change.uid} already exists locally for a different mail:"
                    f" GUIDs don't match ({self._messages[change.uid].guid} vs {change.guid})"
                )
            return False
        self.found.uid = change.uid
        if change.kind is Kind.EXPUNGED:
            self.found.expunged.add(change.uid)
        else:
            self.found.same.append(change)
        return True

    def _lacks(self, change: Change) -> bool:
        """Take a mail that is not here: it is new, or was expunged here."""
        if not self._takes_mail(change):
            return True
        if not self._uids and self._local.uidnext <= change.uid:
            return False
        if self._mirror:
            self.found.hopeless = f"Deleting UID={change.uid} GUID={change.guid} is missing locally"
            return False
        logged = self._local.log.get(change.uid)
        if logged is not None and logged.kind is Kind.EXPUNGED:
            if logged.guid == change.guid:
                self.found.uid = change.uid
                return True
            return False
        if not self._uids:
            return False
        self._delayed.append(change)
        return True

    def _takes_mail(self, change: Change) -> bool:
        return change.message is None or self._wanted.takes_mail(change.message)
