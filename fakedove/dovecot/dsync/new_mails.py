"""Which UIDs the mails get that only one side of a sync has.

A UID is kept where it is new to the other side; two mails with one UID both get new ones. Both
sides come to the same UIDs, since they go through the mails in the same order: that of GUIDs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

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


def assign(
    local: Side, mails: Sequence[Message], remote: Side, changes: Sequence[Change]
) -> tuple[list[NewMail], int]:
    """Return the new mails of both sides with their UIDs, and the UID after all of them."""
    found = list(_paired(local, mails, remote, changes))
    _link(found)
    uidnext = max(local.uidnext, remote.uidnext)
    for mail in found:
        if mail.skipped:
            continue
        if not mail.keeps_uid and mail.twin is not None and mail.twin.keeps_uid:
            mail.uid = mail.twin.uid
        elif not mail.keeps_uid:
            mail.uid, uidnext = uidnext, uidnext + 1
        if mail.twin is not None:
            mail.twin.skipped = True
    return found, uidnext


def _paired(
    local: Side, mails: Sequence[Message], remote: Side, changes: Sequence[Change]
) -> Iterator[NewMail]:
    """Yield the mails of both sides, always that with the lower GUID of the two that are next."""
    mine, theirs = deque(mails), deque(changes)
    while mine or theirs:
        here = (mine[0].guid, mine[0].uid) if mine else None
        there = (theirs[0].guid, theirs[0].uid) if theirs else None
        if here == there:
            message, change = mine.popleft(), theirs.popleft()
            yield NewMail(
                guid=message.guid, uid=message.uid, local=message, remote=change, keeps_uid=True
            )
        elif there is None or (here is not None and here < there):
            message = mine.popleft()
            keeps = message.uid >= remote.uidnext
            yield NewMail(guid=message.guid, uid=message.uid, local=message, keeps_uid=keeps)
        else:
            change = theirs.popleft()
            keeps = change.uid >= local.uidnext
            yield NewMail(guid=change.guid, uid=change.uid, remote=change, keeps_uid=keeps)


def _link(found: Sequence[NewMail]) -> None:
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
