"""One mailbox: its messages in UID order, its counters and its settings.

A `Mailbox` is live and changes; a `MailboxSeed` is the frozen value it is made from and
turned into for snapshots. Making one costs nothing per message: totals are part of the seed,
and messages are shared.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from datetime import datetime

import msgspec

from fakedove.dovecot.acl_list import AclList
from fakedove.dovecot.cache.history import MailCache
from fakedove.dovecot.change_log import MailChange
from fakedove.dovecot.clock import Clock, in_utc
from fakedove.dovecot.flag_changes import (
    FlagChange,
    Keywords,
    Mode,
    appended,
    changed,
    logged,
    numbered,
)
from fakedove.dovecot.folders import Folders
from fakedove.dovecot.guids import checked_guid, random_guid
from fakedove.dovecot.header_texts import HeaderTexts
from fakedove.dovecot.list_index import ListIndex
from fakedove.dovecot.mail_files import MailFiles
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.message import Message, split_flags, stored, virtual_size
from fakedove.errors import StoreError


class Mailbox:
    """A mailbox that can be delivered to and expunged from.

    `guid`, `uidvalidity`, `uidnext`, `highestmodseq` and `special_use` can be set; `metadata`
    and `acl` are plain mappings to change as you like.
    """

    __slots__ = (
        "_by_uid",
        "_clock",
        "_keywords",
        "_messages",
        "_new",
        "_random",
        "_seed",
        "_subscriptions",
        "_synchronized",
        "_tracks_modseqs",
        "acl",
        "acl_changed",
        "cache",
        "deleted",
        "first_recent_uid",
        "guid",
        "header_texts",
        "highestmodseq",
        "list_index",
        "log",
        "message_count",
        "metadata",
        "name",
        "special_use",
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
        list_index: ListIndex | None = None,
    ) -> None:
        """Bring `seed` to life; `subscriptions` and `list_index` are the mailbox's user's."""
        self.name = seed.name
        self.guid = seed.guid
        self.uidvalidity = seed.uidvalidity
        self.uidnext = seed.uidnext
        self.highestmodseq = seed.highestmodseq
        #: As the server's configuration would have it: `\\Sent`, or several with spaces.
        self.special_use = seed.special_use
        self.metadata = dict(seed.metadata)
        self.acl = dict(seed.acl)
        self.acl_changed = seed.acl_changed
        self.cache = MailCache(seed.cache, seed.messages[0] if seed.messages else None)
        self.first_recent_uid = seed.first_recent_uid
        self.header_texts = HeaderTexts()
        #: What became of mails that are there or were, for a later sync.
        self.log: list[MailChange] = list(seed.log)
        self.message_count = len(seed.messages)
        #: How many messages lack \\Seen, how many have \\Deleted, and the bytes of all.
        self.unseen = seed.unseen
        self.deleted = seed.deleted
        self.virtual_size = seed.virtual_size
        self._seed = seed
        self._keywords = Keywords(seed.keywords)
        self._tracks_modseqs = seed.tracks_modseqs
        self._synchronized = seed.synchronized
        # Two views of the messages; each is made from the other when it is asked for. While
        # there is no index, what comes in waits, so that it costs nothing for what was there.
        self._messages: tuple[Message, ...] | None = seed.messages
        self._new: list[Message] = []
        self._by_uid: dict[int, Message] | None = None
        self._subscriptions = subscriptions
        self._clock = clock
        self._random = random
        #: The index of the user's list of mailboxes; what changes a mailbox refreshes it.
        self.list_index = list_index or ListIndex(Folders(), (), AclList({}, Folders()))

    def __repr__(self) -> str:
        return f"<Mailbox {self.name!r} with {self.message_count} messages>"

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages in UID order."""
        if self._messages is None:
            self._messages = tuple(self._index().values())
        elif self._new:
            self._messages = (*self._messages, *self._new)
            self._new.clear()
        return self._messages

    @property
    def recent(self) -> int:
        """How many messages are \\Recent: all but old ones, since no session ever selects it."""
        if self.first_recent_uid == 1:
            return self.message_count
        return sum(uid >= self.first_recent_uid for uid in self._index())

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

    def is_recent(self, message: Message) -> bool:
        """Whether the message is \\Recent."""
        return message.uid >= self.first_recent_uid

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
        draft = self.draft(data, (*flags, *keywords), received)
        message = msgspec.structs.replace(
            draft,
            uid=uid or 0,
            guid=draft.guid if guid is None else checked_guid(guid),
            saved=draft.saved if saved is None else in_utc(saved),
        )
        return self.append([message])[0]

    def import_folder(
        self,
        path: str | os.PathLike[str],
        flags: Iterable[str] = (),
        received: datetime | None = None,
    ) -> tuple[Message, ...]:
        """Deliver the mails in a folder's .eml files, by file name, and return them.

        `flags` and `received` are those of all. Raises StoreError if there is no such file or
        one cannot be read, and delivers nothing then.
        """
        words = tuple(flags)
        mails = MailFiles().folder(path)
        return tuple(self.deliver(mail.data, words, received=received) for mail in mails)

    def take_in(self, seed: MailboxSeed) -> None:
        """Append what `seed` holds, in one transaction.

        A mailbox that never had a mail becomes the seed's, by GUID and UIDVALIDITY.
        """
        if self.uidnext == 1:
            self.guid, self.uidvalidity = seed.guid, seed.uidvalidity
        self._keywords.learn(seed.keywords)
        self.append(seed.messages)
        self.uidnext = max(self.uidnext, seed.uidnext)

    def draft(
        self, data: bytes, flags: Iterable[str] = (), received: datetime | None = None
    ) -> Message:
        """Return what a mail would be here, for `append`; raises StoreError for a bad flag."""
        now = self._clock.now()
        kept = stored(data)
        system, words = split_flags(flags)
        return Message(
            uid=0,
            guid=random_guid(self._random),
            flags=system,
            keywords=words,
            received=now if received is None else in_utc(received),
            saved=now,
            data=kept,
            virtual_size=virtual_size(kept),
            modseq=0,
        )

    def append(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Put messages at the end in one transaction and return what they are there.

        A UID that has passed already becomes the next one; modseqs are new.
        """
        new = []
        for message in messages:
            uid = max(message.uid, self.uidnext)
            self.uidnext = uid + 1
            words = self._keywords.learn(message.keywords)
            new.append(msgspec.structs.replace(message, uid=uid, keywords=words))
        if not new:
            return ()
        self._changed()
        put, self.highestmodseq = appended(new, self._keywords, self.highestmodseq)
        self.cache.saved(put[0])
        if self._by_uid is None:
            self._new += put
            for message in put:
                self._count(message, 1)
        else:
            self._put(put)
        return put

    def copy_in(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Append copies of messages: GUID, flags and time of receipt stay."""
        now = self._clock.now()
        return self.append(
            msgspec.structs.replace(message, uid=0, saved=now) for message in messages
        )

    def change_flags(self, uids: Iterable[int], change: FlagChange) -> None:
        """Change flags of the messages with these UIDs in one transaction; ignore others."""
        self.change_each_flags((uid, change) for uid in uids)

    def change_each_flags(
        self, changes: Iterable[tuple[int, FlagChange]], *, by_sync: bool = False
    ) -> None:
        """Change flags of messages in one transaction, each by its UID and in its own way.

        What a sync changes is not logged for the next one.
        """
        index = self._index()
        new: dict[int, Message] = {}
        replaced: set[int] = set()
        for uid, change in changes:
            if uid in index:
                if change.mode is Mode.REPLACE:
                    replaced.add(uid)
                words = self._keywords.spelled(change.keywords)
                spelled = msgspec.structs.replace(change, keywords=words)
                new[uid] = changed(new.get(uid, index[uid]), spelled)
        if new:
            self._changed()
        pairs = [(index[uid], one) for uid, one in new.items()]
        # What changes nothing teaches no keyword.
        for one in new.values():
            self._keywords.learn(one.keywords)
        after, self.highestmodseq = numbered(pairs, self._keywords, self.highestmodseq, replaced)
        if not by_sync:
            self.log += (
                logged(index[uid], one, replaced=uid in replaced) for uid, one in after.items()
            )
        self._put(
            msgspec.structs.replace(one, keywords=self._keywords.learn(one.keywords))
            for one in after.values()
        )

    def mark_alternative(self, uids: Iterable[int], *, alternative: bool) -> None:
        """Mark messages for the alternative storage or the usual one; no modseq changes."""
        index = self._index()
        self._put(
            msgspec.structs.replace(index[uid], alternative=alternative)
            for uid in uids
            if uid in index
        )

    def modseq(self, uid: int) -> int:
        """Return the modseq of a message; from the first question on each has its own."""
        self.track_modseqs()
        return self._index()[uid].modseq

    def track_modseqs(self) -> None:
        """From now on each message has a modseq of its own: at first all have the highest."""
        if not self._tracks_modseqs:
            self._tracks_modseqs = True
            self._put(
                msgspec.structs.replace(one, modseq=self.highestmodseq) for one in self.messages
            )

    def raise_modseq(self, uid: int, modseq: int) -> None:
        """Raise the modseq of a message, and with it the highest, if it is lower."""
        message = self._index()[uid]
        if message.modseq < modseq:
            self._put([msgspec.structs.replace(message, modseq=modseq)])
        self.highestmodseq = max(self.highestmodseq, modseq)

    def note_attribute(self, name: str | None = None, *, unset: str | None = None) -> None:
        """Log that an attribute of the mailbox was set, and that one is not there any more."""
        self._changed()
        self.highestmodseq += 1
        added, removed = (() if one is None else (one,) for one in (name, unset))
        self.log.append(MailChange(0, self.highestmodseq, added=added, removed=removed))

    def synchronize(self) -> None:
        """Look for what was changed aside; if there is anything, the list is told."""
        if not self._synchronized:
            self._changed()

    def change_aside(self) -> None:
        """Take it that something changed which the next to look into the mailbox finds."""
        self.list_index.refresh()
        self._synchronized = False

    def rebuild(self) -> None:
        """Give all messages new modseqs, as a rebuilt index does."""
        if self.message_count:
            put, self.highestmodseq = appended(self.messages, self._keywords, self.highestmodseq)
            self._tracks_modseqs = True
            self._put(put)

    def expunge(self, uids: Iterable[int]) -> tuple[Message, ...]:
        """Remove the messages with these UIDs and return them; others are ignored."""
        index = self._index()
        gone = tuple(index.pop(uid) for uid in dict.fromkeys(uids) if uid in index)
        if gone:
            self._messages = None
            self.highestmodseq += 1
            self.change_aside()
        for message in gone:
            self._count(message, -1)
            self.log.append(MailChange(message.uid, self.highestmodseq, expunged=message.guid))
        return gone

    def freeze(self) -> MailboxSeed:
        """Return the mailbox as a value: the one it was made from if nothing changed."""
        seed = MailboxSeed(
            name=self.name,
            guid=self.guid,
            uidvalidity=self.uidvalidity,
            uidnext=self.uidnext,
            highestmodseq=self.highestmodseq,
            special_use=self.special_use,
            metadata=tuple(self.metadata.items()),
            acl=tuple(self.acl.items()),
            acl_changed=self.acl_changed,
            cache=self.cache.freeze(),
            first_recent_uid=self.first_recent_uid,
            keywords=tuple(self._keywords),
            tracks_modseqs=self._tracks_modseqs,
            synchronized=self._synchronized,
            messages=self.messages,
            unseen=self.unseen,
            deleted=self.deleted,
            virtual_size=self.virtual_size,
            log=tuple(self.log),
        )
        return self._seed if seed == self._seed else seed

    def _changed(self) -> None:
        self._synchronized = True
        self.list_index.refresh()
        self.list_index.learn([self.name])

    def _index(self) -> dict[int, Message]:
        if self._by_uid is None:
            self._by_uid = {message.uid: message for message in self.messages}
        return self._by_uid

    def _put(self, messages: Iterable[Message]) -> None:
        """Put messages where their UIDs belong, which is at the end if they are new."""
        index = self._index()
        for message in messages:
            before = index.get(message.uid)
            if before is not None:
                self._count(before, -1)
            index[message.uid] = message
            self._count(message, 1)
        self._messages = None

    def _count(self, message: Message, sign: int) -> None:
        self.message_count += sign
        self.unseen += sign * (not message.seen)
        self.deleted += sign * message.deleted
        self.virtual_size += sign * message.virtual_size
