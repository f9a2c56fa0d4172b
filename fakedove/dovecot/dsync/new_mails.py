"""Which UIDs the mails get that only one side of a sync has.

A UID is kept where it is new to the other side; two mails with one UID both get new ones. Both
sides come to the same UIDs, since they go through the mails in the same order: that of GUIDs.
"""

from __future__ import annotations

from collections import deque

import msgspec

from fakedove.dovecot.dsync.common import exists_already
from fakedove.dovecot.dsync.exporting import Change, Side
from fakedove.dovecot.message import Message


class NewMail(msgspec.Struct, kw_only=True):
    """A mail behind the common ones, on this side, the other one or both."""

    guid: str
    #: The UID that it has or will have.
    uid: int
    local: Message | None = None
    remote: Change | None = None
    keeps_uid: bool
    #: The same mail under another UID on the other side.
    twin: NewMail | None = None
    #: It is its twin that is there in the end.
    skipped: bool = False


class NewMails:
    """The mails behind the common ones, always that with the lower GUID of the two next."""

    def __init__(self, local: Side, remote: Side, uid: int, *, mirror: bool) -> None:
        """Begin behind `uid`; with `mirror` what only `local` has is expunged."""
        self._local, self._remote, self._mirror = local, remote, mirror
        self._mails = deque(one for one in local.messages if one.uid > uid)
        self._found: list[NewMail] = []
        #: Mails of this side that are expunged.
        self.expunged: set[int] = set()
        #: What makes it impossible to become like the other side; "": nothing.
        self.hopeless = ""

    def take(self, change: Change) -> None:
        """Take a mail that the other side has."""
        there = change.guid, change.uid
        while self._mails and _order(self._mails[0]) < there:
            self._only_here(self._mails.popleft(), last=False)
        if self._mails and _order(self._mails[0]) == there:
            message = self._mails.popleft()
            self._found.append(
                NewMail(
                    guid=change.guid, uid=change.uid, local=message, remote=change, keeps_uid=True
                )
            )
            return
        keeps = change.uid >= self._local.uidnext
        if not keeps and self._mirror:
            why = f"UID >= local UIDNEXT={self._local.uidnext}"
            self.hopeless = exists_already(change.uid, why)
            return
        self._found.append(
            NewMail(guid=change.guid, uid=change.uid, remote=change, keeps_uid=keeps)
        )

    def end(self) -> None:
        """Take the rest of this side's mails: the other side has no more."""
        while self._mails and not self.hopeless:
            self._only_here(self._mails.popleft(), last=True)

    def assign(self) -> tuple[list[NewMail], int, list[str]]:
        """Return the new mails with their UIDs, the UID after all of them, and what is said."""
        _link(self._found)
        uidnext = max(self._local.uidnext, self._remote.uidnext)
        said = []
        for mail in self._found:
            if mail.skipped:
                continue
            if not mail.keeps_uid and mail.twin is not None and mail.twin.keeps_uid:
                mail.uid = mail.twin.uid
            elif not mail.keeps_uid:
                said.append(f"UID {mail.uid} isn't usable, assigning new UID {uidnext}")
                mail.uid, uidnext = uidnext, uidnext + 1
            if mail.twin is not None:
                mail.twin.skipped = True
        return self._found, uidnext, said

    def _only_here(self, message: Message, *, last: bool) -> None:
        uidnext = self._remote.uidnext
        if not self._mirror:
            keeps = message.uid >= uidnext
            self._found.append(
                NewMail(guid=message.guid, uid=message.uid, local=message, keeps_uid=keeps)
            )
        elif last and message.uid >= uidnext:
            why = f"higher than remote's UIDs (remote UIDNEXT={uidnext})"
            self.hopeless = exists_already(message.uid, why)
        else:
            self.expunged.add(message.uid)


def _order(message: Message) -> tuple[str, int]:
    return message.guid, message.uid


def _link(found: list[NewMail]) -> None:
    """Make twins of mails with one GUID and different UIDs, one of each side."""
    earlier: dict[str, list[NewMail]] = {}
    for mail in found:
        others = earlier.setdefault(mail.guid, [])
        for other in others:
            if other.uid == mail.uid:
                other.keeps_uid = True
            free = other.twin is None and not (other.local and other.remote)
            if free and mail.twin is None and bool(other.local) is not bool(mail.local):
                other.twin, mail.twin = mail, other
        others.append(mail)
