"""Up to which UID both sides of a sync have the same mails, where no state tells it."""

from __future__ import annotations

from collections import deque

from fakedove.dovecot.dsync.exporting import Change, Kind, Side
from fakedove.dovecot.dsync.wanted import Wanted


class Common:
    """The walk along the mails of both sides, up to the first that is another one here."""

    def __init__(self, local: Side, wanted: Wanted, *, mirror: bool) -> None:
        """Begin with the first mail of `local`; with `mirror` it is to become the other side."""
        #: The last UID that is known to be, or to have been, the same mail on both sides.
        self.uid = 0
        #: It is known where the common mails end.
        self.found = False
        #: Mails of this side that the other one may have expunged.
        self.passed: list[int] = []
        #: What makes it impossible to become like the other side; "": nothing.
        self.hopeless = ""
        self._local, self._wanted, self._mirror = local, wanted, mirror
        self._messages = {one.uid: one for one in local.messages}
        self._uids = deque(sorted(self._messages))
        self._matched = False

    def compare(self, change: Change) -> tuple[str, str]:
        """Take what the other side tells of a mail.

        Returns in Dovecot's words what comes of it, and what it has found out before that,
        which may be "".
        """
        while self._uids and self._uids[0] < change.uid:
            uid = self._uids.popleft()
            if not self._matched:
                self.passed.append(uid)
            self._matched = False
        if not self._uids:
            return self._behind_all(change), ""
        if self._uids[0] == change.uid:
            self._matched = True
            return self._match(change)
        return self._between(change), ""

    def _behind_all(self, change: Change) -> str:
        """Look at a mail that comes behind all that are here."""
        if change.kind is Kind.EXPUNGED:
            return "Expunged mail not found locally"
        result = self._why_unwanted(change)
        if result:
            pass
        elif self._local.uidnext <= change.uid:
            self.found = True
            result = "Mail's UID is above local UIDNEXT"
        elif self._mirror:
            result = self._give_up(change)
        else:
            result = self._expunged_here(change)
            self.found = self.found or result.endswith("not found")
        return f"{result} - No more local mails found"

    def _match(self, change: Change) -> tuple[str, str]:
        """Compare with the mail of the same UID."""
        guid = self._messages[change.uid].guid
        if guid == change.guid:
            self.uid = change.uid
            return "GUIDs match", f"Last UID matched - last_common_uid={self.uid}"
        result = f"GUIDs don't match ({guid} vs {other_guid(change)})"
        if not self._mirror:
            self.found = True
            return result, f"Last UID mismatch - last_common_uid={self.uid}"
        self.hopeless = exists_already(change.uid, result)
        return result, f"Last UID {change.uid} mismatch - revert local changes"

    def _between(self, change: Change) -> str:
        """Look at a mail that is not here, while later ones are."""
        result = self._why_unwanted(change)
        if result:
            return result
        if self._mirror and change.kind is not Kind.EXPUNGED:
            result = self._give_up(change)
        else:
            result = self._expunged_here(change)
        following = self._uids[0]
        if self.found:
            following = min((uid for uid in self._messages if uid > self.uid), default=0)
        return f"{result} (next local mail UID={following})"

    def _give_up(self, change: Change) -> str:
        self.hopeless = f"Deleting UID={change.uid} GUID={change.guid} is missing locally"
        return "Reverting local change by deleting mailbox"

    def _expunged_here(self, change: Change) -> str:
        """See whether it is this mail that was expunged here."""
        logged = self._local.log.get(change.uid)
        if logged is None or not logged.guid:
            return "Expunged local mail's GUID not found"
        if logged.guid == change.guid:
            self.uid = change.uid
            return "Expunged local mail's GUID matches remote"
        if change.kind is Kind.EXPUNGED:
            return "Expunged mails' GUIDs don't match - delaying decision"
        self.found = True
        return "Expunged local mail's GUID doesn't match remote GUID"

    def _why_unwanted(self, change: Change) -> str:
        return "" if change.message is None else self._wanted.why_unwanted(change.message)


def other_guid(change: Change) -> str:
    """Return the other side's GUID as a text has it where this side's is another one."""
    guid = change.guid
    return f"{guid}(guid128, orig={guid})" if change.kind is Kind.EXPUNGED else guid


def exists_already(uid: int, why: str) -> str:
    """Return what is said of a UID that another mail of this side has."""
    return f"Deleting: UID={uid} already exists locally for a different mail: {why}"
