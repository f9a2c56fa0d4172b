"""A mailbox as a value: what it was at one moment, with its totals."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from fakedove.dovecot.cache.history import Traces
from fakedove.dovecot.change_log import MailChange
from fakedove.dovecot.flag_changes import used_keywords
from fakedove.dovecot.message import Message
from fakedove.errors import StoreError, did_you_mean

#: Where default UIDVALIDITY values begin.
FIRST_UIDVALIDITY = 1700000000

#: RFC 6154 and RFC 8457.
SPECIAL_USES = (
    *("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent"),
    "\\Trash",
)

#: The metadata that tells the special use, which no command can set.
SPECIAL_USE_KEY = "/private/specialuse"

#: Names and values in order, frozen.
Items: TypeAlias = tuple[tuple[str, str], ...]


class MailboxSeed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a mailbox was at one moment."""

    name: str
    guid: str
    uidvalidity: int
    uidnext: int = 1
    highestmodseq: int = 1
    #: As the server's configuration would have it: `\\Sent`, or several with spaces.
    special_use: str = ""
    metadata: Items = ()
    acl: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: When the ACL changed, in seconds.
    acl_changed: int = 0
    #: What has happened to its cache; None if its mails were saved and no more.
    cache: Traces | None = None
    #: Messages from this UID on are \\Recent.
    first_recent_uid: int = 1
    #: All keywords that there ever were, in the order of their first use.
    keywords: tuple[str, ...] = ()
    #: Whether messages have modseqs of their own; until somebody asks, all have the highest.
    tracks_modseqs: bool = False
    #: Whether nothing was changed aside since somebody looked into it.
    synchronized: bool = False
    messages: tuple[Message, ...] = ()
    unseen: int = 0
    deleted: int = 0
    virtual_size: int = 0
    #: What the transaction log tells a sync.
    log: tuple[MailChange, ...] = ()


def seed_mailbox(
    name: str,
    messages: tuple[Message, ...] = (),
    *,
    guid: str,
    uidvalidity: int,
    uidnext: int = 1,
    highestmodseq: int = 1,
    special_use: str = "",
    keywords: tuple[str, ...] = (),
    metadata: Items = (),
    acl: tuple[tuple[str, tuple[str, ...]], ...] = (),
    log: tuple[MailChange, ...] = (),
) -> MailboxSeed:
    """Make a seed of `messages`, which are in UID order, with its totals.

    `uidnext` is raised above the last UID; `keywords` are those known before the messages'.
    """
    return MailboxSeed(
        name=name,
        guid=guid,
        uidvalidity=uidvalidity,
        uidnext=max(uidnext, messages[-1].uid + 1 if messages else 1),
        highestmodseq=highestmodseq,
        special_use=special_use,
        metadata=metadata,
        acl=acl,
        keywords=tuple(dict.fromkeys((*keywords, *used_keywords(messages)))),
        synchronized=bool(messages or acl or metadata),
        messages=messages,
        unseen=sum(not message.seen for message in messages),
        deleted=sum(message.deleted for message in messages),
        virtual_size=sum(message.virtual_size for message in messages),
        log=log,
    )


def check_special_use(text: str) -> None:
    """Raise StoreError unless `text` is of special uses, with spaces between."""
    for word in text.split():
        if word not in SPECIAL_USES:
            near = did_you_mean(word, SPECIAL_USES) or f"; there is: {' '.join(SPECIAL_USES)}"
            raise StoreError(f'"{word}" is no special use{near}')
