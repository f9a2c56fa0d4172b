"""A user as a value: what the account and its mail were at one moment.

A seed without mailboxes is a user who never logged in: like any Dovecot user it has an INBOX
as soon as somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fakedove.dovecot import acl
from fakedove.dovecot.change_log import ListChange
from fakedove.dovecot.guids import derived_guid
from fakedove.dovecot.list_index import Behind
from fakedove.dovecot.mailbox_seed import FIRST_UIDVALIDITY, Items, MailboxSeed
from fakedove.dovecot.quota_roots import QuotaRoot


class UserSeed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a user was at one moment."""

    name: str
    password: str = "pass"
    uid: int = 5000
    gid: int = 5000
    home: str = ""
    #: The limits of the only root, `User quota`, in bytes and messages ...
    quota_storage: int | None = None
    quota_messages: int | None = None
    quota_grace: int | None = None
    #: ... unless there are roots with names, which then say it all.
    quota_roots: tuple[QuotaRoot, ...] = ()
    userdb: Items = ()
    passdb: Items = ()
    sieve_scripts: tuple[tuple[str, bytes], ...] = ()
    sieve_active: str | None = None
    subscriptions: tuple[str, ...] = ()
    subscriptions_readable: bool = True
    alternative_known: bool = True
    hidden: tuple[tuple[str, tuple[int, int]], ...] = ()
    mailboxes: tuple[MailboxSeed, ...] = ()
    #: The list of shared mailboxes, None: those that are; and whether it was found to be wrong.
    listed_acls: tuple[tuple[str, int], ...] | None = None
    listed_acls_wrong: bool = False
    #: All directories, oldest first; empty: those of the mailboxes in their order.
    folders: tuple[str, ...] = ()
    #: The highest UIDVALIDITY ever given out.
    last_uidvalidity: int = FIRST_UIDVALIDITY
    #: INBOX was deleted or renamed, and nobody has looked since.
    without_inbox: bool = False
    #: What the log of the list of mailboxes tells a sync.
    list_log: tuple[ListChange, ...] = ()
    #: How far the index of that list is behind.
    list_behind: Behind | None = None
    #: GUIDs that the index has of names, where they are not those of mailboxes.
    list_guids: Items = ()


def shared_mailboxes(seed: UserSeed) -> Iterator[tuple[str, int]]:
    """Yield the names of mailboxes that others may see, with the time of the ACL."""
    for box in seed.mailboxes:
        if box.acl and acl.is_shared(dict(box.acl), seed.name):
            yield box.name, box.acl_changed


def untouched_inbox(user: str) -> MailboxSeed:
    """Return the INBOX of a user whom nobody has sent mail yet."""
    return MailboxSeed(
        name="INBOX", guid=derived_guid(user, "INBOX"), uidvalidity=FIRST_UIDVALIDITY
    )
