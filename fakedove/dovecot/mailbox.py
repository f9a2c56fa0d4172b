"""One mailbox: its messages in UID order, its counters and its settings.

A `Mailbox` is live and changes; a `MailboxSeed` is the frozen value it is made from and
turned into for snapshots. Making one costs nothing per message: totals are part of the seed,
and messages are shared.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

import msgspec

from fakedove.dovecot.clock import Clock, in_utc
from fakedove.dovecot.message import Message, split_flags, stored, virtual_size
from fakedove.errors import StoreError

#: Where default UIDVALIDITY values begin.
FIRST_UIDVALIDITY = 1700000000

#: Names and values in order, frozen.
Items: TypeAlias = tuple[tuple[str, str], ...]

_HEX = frozenset("0123456789abcdef")


class MailboxSeed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a mailbox was at one moment."""

    name: str
    guid: str
    uidvalidity: int
    uidnext: int = 1
    highestmodseq: int = 1
    metadata: Items = ()
    acl: tuple[tuple[str, tuple[str, ...]], ...] = ()
    messages: tuple[Message, ...] = ()
    unseen: int = 0
    deleted: int = 0
    virtual_size: int = 0


class Mailbox:
    """A mailbox that can be delivered to and expunged from.

    `metadata` and `acl` are plain mappings to change as you like.
    """

    __slots__ = (
        "_by_uid",
        "_clock",
        "_messages",
        "_random",
        "_seed",
        "_subscriptions",
        "acl",
        "deleted",
        "guid",
        "highestmodseq",
        "message_count",
        "metadata",
        "name",
        "uidnext",
        "uidvalidity",
        "unseen",
        "virtual_size",
    )

    def __init__(
        self,
        seed: MailboxSeed,
        subscriptions: dict[str, None],
        clock: Clock,
        random: random.Random,
    ) -> None:
        """Bring `seed` to life; `subscriptions` are those of the mailbox's user."""
        self.name = seed.name
        self.guid = seed.guid
        self.uidvalidity = seed.uidvalidity
        self.uidnext = seed.uidnext
        self.highestmodseq = seed.highestmodseq
        self.metadata = dict(seed.metadata)
        self.acl = dict(seed.acl)
        self.message_count = len(seed.messages)
        #: How many messages lack \\Seen, how many have \\Deleted, and the bytes of all.
        self.unseen = seed.unseen
        self.deleted = seed.deleted
        self.virtual_size = seed.virtual_size
        self._seed = seed
        # Two views of the messages; each is made from the other when it is asked for.
        self._messages: tuple[Message, ...] | None = seed.messages
        self._by_uid: dict[int, Message] | None = None
        self._subscriptions = subscriptions
        self._clock = clock
        self._random = random

    def __repr__(self) -> str:
        return f"<Mailbox {self.name!r} with {self.message_count} messages>"

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages in UID order."""
        if self._messages is None:
            self._messages = tuple(self._index().values())
        return self._messages

    @property
    def recent(self) -> int:
        """How many messages are \\Recent: all, since no session ever selects the mailbox."""
        return self.message_count

    @property
    def first_saved(self) -> datetime | None:
        """When the first message was saved, None if there is none."""
        messages = self.messages
        return messages[0].saved if messages else None

    @property
    def subscribed(self) -> bool:
        """Whether the user is subscribed to this mailbox; can be set."""
        return self.name in self._subscriptions

    @subscribed.setter
    def subscribed(self, value: bool) -> None:
        if value:
            self._subscriptions[self.name] = None
        else:
            self._subscriptions.pop(self.name, None)

    def by_uid(self, uid: int) -> Message | None:
        """Return the message with this UID, or None."""
        return self._index().get(uid)

    def deliver(
        self,
        data: bytes,
        flags: Iterable[str] = (),
        keywords: Iterable[str] = (),
        received: datetime | None = None,
        guid: str | None = None,
        uid: int | None = None,
        saved: datetime | None = None,
    ) -> Message:
        """Put a mail at the end of the mailbox and return it.

        `flags` may hold keywords too. `received` and `saved` default to now, `guid` to a
        random one, `uid` to the next; moments without a time zone are UTC. Raises
        StoreError for a flag that does not exist, a malformed GUID, or a UID that was
        passed already.
        """
        if uid is not None and uid < self.uidnext:
            raise StoreError(
                f'uid {uid} is too low: the next of mailbox "{self.name}" is {self.uidnext}'
            )
        now = self._clock.now()
        system, words = split_flags((*flags, *keywords))
        message = Message(
            uid=self.uidnext if uid is None else uid,
            guid=random_guid(self._random) if guid is None else checked_guid(guid),
            flags=system,
            keywords=words,
            received=now if received is None else in_utc(received),
            saved=now if saved is None else in_utc(saved),
            data=stored(data),
            virtual_size=virtual_size(data),
            modseq=self.highestmodseq + 1,
        )
        self._index()[message.uid] = message
        self._messages = None
        self.uidnext = message.uid + 1
        self.highestmodseq = message.modseq
        self._count(message, 1)
        return message

    def expunge(self, uids: Iterable[int]) -> tuple[Message, ...]:
        """Remove the messages with these UIDs and return them; others are ignored."""
        index = self._index()
        gone = tuple(index.pop(uid) for uid in dict.fromkeys(uids) if uid in index)
        if gone:
            self._messages = None
            self.highestmodseq += 1
        for message in gone:
            self._count(message, -1)
        return gone

    def freeze(self) -> MailboxSeed:
        """Return the mailbox as a value: the one it was made from if nothing changed."""
        seed = MailboxSeed(
            name=self.name,
            guid=self.guid,
            uidvalidity=self.uidvalidity,
            uidnext=self.uidnext,
            highestmodseq=self.highestmodseq,
            metadata=tuple(self.metadata.items()),
            acl=tuple(self.acl.items()),
            messages=self.messages,
            unseen=self.unseen,
            deleted=self.deleted,
            virtual_size=self.virtual_size,
        )
        return self._seed if seed == self._seed else seed

    def _index(self) -> dict[int, Message]:
        if self._by_uid is None:
            self._by_uid = {message.uid: message for message in self._messages or ()}
        return self._by_uid

    def _count(self, message: Message, sign: int) -> None:
        self.message_count += sign
        self.unseen += sign * (not message.seen)
        self.deleted += sign * message.deleted
        self.virtual_size += sign * message.virtual_size


def seed_mailbox(
    name: str,
    messages: tuple[Message, ...] = (),
    *,
    guid: str,
    uidvalidity: int,
    highestmodseq: int = 1,
    metadata: Items = (),
    acl: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> MailboxSeed:
    """Make a seed of `messages`, which are in UID order, with its totals."""
    return MailboxSeed(
        name=name,
        guid=guid,
        uidvalidity=uidvalidity,
        uidnext=messages[-1].uid + 1 if messages else 1,
        highestmodseq=highestmodseq,
        metadata=metadata,
        acl=acl,
        messages=messages,
        unseen=sum(not message.seen for message in messages),
        deleted=sum(message.deleted for message in messages),
        virtual_size=sum(message.virtual_size for message in messages),
    )


def random_guid(source: random.Random) -> str:
    """Return a GUID from `source`: 32 hex digits."""
    return f"{source.getrandbits(128):032x}"


def derived_guid(*names: str | int) -> str:
    """Return the GUID that always belongs to `names`, so that a store is the same each time."""
    return hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).hexdigest()


def checked_guid(text: str) -> str:
    """Return `text` as a GUID in lower case; raises StoreError unless it is 32 hex digits."""
    guid = text.lower()
    if len(guid) != 32 or not _HEX.issuperset(guid):
        raise StoreError(f'"{text}" is no GUID: it must be 32 hex digits')
    return guid
