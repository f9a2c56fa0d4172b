"""One user: account, quota, Sieve scripts, subscriptions and mailboxes.

A `User` is live and changes; a `UserSeed` is the frozen value it is made from on first use
and turned into for snapshots.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from fakedove.dovecot import acl
from fakedove.dovecot.acl_list import AclList
from fakedove.dovecot.change_log import Event, ListChange
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.folders import Folders
from fakedove.dovecot.guids import checked_guid, random_guid
from fakedove.dovecot.list_index import ListIndex
from fakedove.dovecot.mail_files import MailFiles
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.maildir import read_maildir
from fakedove.dovecot.masks import mailbox_matches
from fakedove.dovecot.names import canonical_name, check_mailbox_name
from fakedove.dovecot.quota_roots import DEFAULT_ROOT, QuotaRoot, checked_roots
from fakedove.dovecot.user_seed import UserSeed, shared_mailboxes, untouched_inbox
from fakedove.errors import StoreError, UnknownNameError, did_you_mean


class User:
    """A user whose attributes and mailboxes can be changed.

    After the store was restored, a `User` taken from it before is detached: changing it
    changes nothing in the store. Take it anew.
    """

    __slots__ = (
        "_clock",
        "_folders",
        "_last_uidvalidity",
        "_listing",
        "_mailboxes",
        "_quota_roots",
        "_random",
        "acl_list",
        "alternative_known",
        "gid",
        "hidden",
        "home",
        "list_index",
        "list_log",
        "name",
        "passdb",
        "password",
        "sieve_active",
        "sieve_scripts",
        "subscriptions",
        "subscriptions_readable",
        "uid",
        "userdb",
    )

    def __init__(self, seed: UserSeed, clock: Clock, random: random.Random) -> None:
        """Bring `seed` to life."""
        self.name = seed.name
        self.password = seed.password
        self.uid = seed.uid
        self.gid = seed.gid
        self.home = seed.home
        self._quota_roots = seed.quota_roots or (
            QuotaRoot(DEFAULT_ROOT, seed.quota_storage, seed.quota_messages, seed.quota_grace),
        )
        #: Extra fields that the userdb and passdb return, in order.
        self.userdb = dict(seed.userdb)
        self.passdb = dict(seed.passdb)
        self.sieve_scripts = dict(seed.sieve_scripts)
        self.sieve_active = seed.sieve_active
        #: Names in the order of subscribing; a mailbox of that name need not exist.
        self.subscriptions = dict.fromkeys(seed.subscriptions)
        #: Whether the list of subscriptions belongs to the user; one that root wrote does not.
        self.subscriptions_readable = seed.subscriptions_readable
        #: Whether the storage knows where its alternative is, which others that read it undo.
        self.alternative_known = seed.alternative_known
        #: What root put where the user cannot see it: virtual bytes and messages by mailbox.
        self.hidden = dict(seed.hidden)
        #: What became of mailboxes and names, for a later sync.
        self.list_log: list[ListChange] = list(seed.list_log)
        self._clock = clock
        self._random = random
        self._last_uidvalidity = seed.last_uidvalidity
        self._listing: tuple[tuple[str, Mailbox | None], ...] | None = None
        self._mailboxes: dict[str, Mailbox] = {}
        self._folders = Folders()
        #: The list of mailboxes that others may see.
        self.acl_list = AclList(
            self._mailboxes,
            self._folders,
            shared_mailboxes(seed) if seed.listed_acls is None else seed.listed_acls,
            is_wrong=seed.listed_acls_wrong,
        )
        #: The index of the list of mailboxes, which may be behind what is there.
        self.list_index = ListIndex(
            self._folders,
            self._mailboxes,
            self.acl_list,
            seed.list_behind,
            dict(seed.list_guids),
        )
        if not seed.without_inbox and all(box.name != "INBOX" for box in seed.mailboxes):
            self._mailboxes["INBOX"] = self._live(untouched_inbox(seed.name))
        for box in seed.mailboxes:
            self._mailboxes[box.name] = self._live(box)
        for path in seed.folders or self._mailboxes:
            self._folders.add(path)

    def __repr__(self) -> str:
        return f"<User {self.name!r} with {len(self._mailboxes)} mailboxes>"

    @property
    def mailboxes(self) -> Mapping[str, Mailbox]:
        """The mailboxes by name, in the order of creation; a view that cannot be written.

        INBOX is missing after it was deleted or renamed, until somebody looks for it.
        """
        return MappingProxyType(self._mailboxes)

    @property
    def quota_roots(self) -> tuple[QuotaRoot, ...]:
        """The quota roots, in the order of `quota get`; assign others to change them.

        Assigning none, or two of one name, raises StoreError.
        """
        return self._quota_roots

    @quota_roots.setter
    def quota_roots(self, roots: Iterable[QuotaRoot]) -> None:
        self._quota_roots = checked_roots(roots)

    @property
    def quota_storage(self) -> int | None:
        """The storage limit of the first quota root in bytes, None for no limit."""
        return self._quota_roots[0].storage

    @quota_storage.setter
    def quota_storage(self, limit: int | None) -> None:
        self._change_first_root(storage=limit)

    @property
    def quota_messages(self) -> int | None:
        """How many messages the first quota root allows, None for no limit."""
        return self._quota_roots[0].messages

    @quota_messages.setter
    def quota_messages(self, limit: int | None) -> None:
        self._change_first_root(messages=limit)

    @property
    def quota_grace(self) -> int | None:
        """The grace of the first quota root in bytes, None for the release's default."""
        return self._quota_roots[0].grace

    @quota_grace.setter
    def quota_grace(self, grace: int | None) -> None:
        self._change_first_root(grace=grace)

    @property
    def usage(self) -> tuple[int, int]:
        """What the first quota root counts: virtual bytes and messages."""
        return self.usage_of(self._quota_roots[0])

    def usage_of(self, root: QuotaRoot, *, physical: bool = False) -> tuple[int, int]:
        """Return the bytes and messages that a root counts of the mailboxes the user can open.

        The bytes are virtual ones, or those that are stored.
        """
        rules, size, count = root.rules, 0, 0
        for box in self._mailboxes.values():
            if (not box.acl or self._may_open(box)) and (not rules or root.counts(box.name)):
                size += _stored_size(box) if physical else box.virtual_size
                count += box.message_count
        return size, count

    @property
    def quota_used(self) -> int:
        """The virtual bytes of the mailboxes that count."""
        return self.usage[0]

    @property
    def message_count(self) -> int:
        """The messages of the mailboxes that count."""
        return self.usage[1]

    def may(self, right: str, box: Mailbox) -> bool:
        """Whether the ACL of one of the user's mailboxes leaves the user a right."""
        return not box.acl or right in acl.effective(box.acl, self.name)

    def find_mailbox(self, name: str) -> Mailbox | None:
        """Return the mailbox `name`, or None; INBOX is found in any case, and always."""
        box = self.existing_mailbox(name)
        if box is None and name.upper() == "INBOX":
            box = self._add("INBOX", None, None)
            self.acl_list.look_at("INBOX")
        return box

    def existing_mailbox(self, name: str) -> Mailbox | None:
        """Return the mailbox `name` if it is there; unlike the others this makes no INBOX."""
        return self._mailboxes.get(canonical_name(name))

    def mailbox(self, name: str, *, create: bool = False) -> Mailbox:
        """Return the mailbox `name`, made on the way with `create`.

        Raises UnknownNameError, with the near names, if it is not there.
        """
        box = self.find_mailbox(name)
        if box is not None:
            return box
        if create:
            return self.create_mailbox(name)
        raise UnknownNameError(
            f'user "{self.name}" has no mailbox "{name}"{did_you_mean(name, self._mailboxes)}'
            f" (there is: {', '.join(self._mailboxes)})"
        )

    def create_mailbox(
        self, name: str, guid: str | None = None, uidvalidity: int | None = None
    ) -> Mailbox:
        """Make and return the mailbox `name`.

        The GUID defaults to a random one, UIDVALIDITY to the time in seconds, or one more
        than the last if that is not newer. Raises StoreError if the name is taken or no
        mailbox name, or a value is out of range.
        """
        check_mailbox_name(name)
        name = canonical_name(name)
        if name in self._mailboxes:
            raise StoreError(f'user "{self.name}" has a mailbox "{name}" already')
        return self._add(name, guid, uidvalidity)

    def import_maildir(self, path: str | os.PathLike[str]) -> tuple[Mailbox, ...]:
        """Take in a Maildir tree and return its mailboxes, which are made if they are missing.

        Flags, keywords, UIDs, GUIDs, UIDVALIDITY and subscriptions are the tree's, and a mail
        is received when its file was written. In a mailbox that had mail before, the new one
        comes behind it. Raises StoreError, which names the file, and changes nothing then.
        """
        tree = read_maildir(path, owner=self.name, now=self._clock.now(), files=MailFiles())
        for name in tree.subscriptions:
            self.subscribe(name)
        return tuple(self._take_in(seed) for seed in tree.mailboxes)

    def create_folder(self, path: str) -> None:
        """Make a folder that is no mailbox, \\NoSelect in listings; no log knows of it."""
        self._folders.add(canonical_name(path))
        self._listing = None

    def leave_folder(self, path: str, *, passing: bool) -> None:
        """Make a folder, with those above it, of which the index of the list does not know.

        One that is `passing` goes with the next look at the list.
        """
        self.list_index.fall_behind(canonical_name(path) if passing else "")
        self.create_folder(path)

    def is_taken(self, path: str) -> bool:
        """Whether there is a mailbox or folder `path`."""
        return canonical_name(path) in self._folders

    def delete_folder(self, path: str, *, prune: bool = True) -> None:
        """Delete a folder that is no mailbox and has no children; `prune` as for mailboxes."""
        path = canonical_name(path)
        self._folders.remove(path, self._mailboxes, prune=prune)
        self.list_index.has_removed(path)
        self._listing = None
        self._log(Event.FOLDER_DELETED, path)

    def has_children(self, name: str) -> bool:
        """Whether there are mailboxes or folders below `name`."""
        above = f"{canonical_name(name)}/"
        return any(path.startswith(above) for path in self._folders.oldest_first())

    def delete_mailbox(self, name: str, *, prune: bool = True) -> None:
        """Delete the mailbox `name` with its messages; INBOX comes back, empty, when asked for.

        Children stay, and so does their parent's name, as \\NoSelect; `prune` removes parents
        that are no mailboxes and have no children any more. Raises
        UnknownNameError if there is no such mailbox.
        """
        box = self.mailbox(name)
        del self._mailboxes[box.name]
        self._listing = None
        self._folders.remove(box.name, self._mailboxes, prune=prune)
        self.list_index.has_deleted(box.name, box.guid)
        self._log(Event.DELETED, box.guid)
        if box.name not in self._folders:
            self._log(Event.FOLDER_DELETED, box.name)

    def subscribe(self, name: str, *, subscribed: bool = True) -> None:
        """Subscribe to the mailbox `name`, which need not exist, or unsubscribe from it."""
        name = canonical_name(name)
        if subscribed is (name in self.subscriptions):
            return
        if subscribed:
            self.subscriptions[name] = None
        else:
            del self.subscriptions[name]
        self._log(Event.SUBSCRIBED if subscribed else Event.UNSUBSCRIBED, name)

    def rename_mailbox(self, old: str, new: str) -> None:
        """Rename the mailbox or folder `old` and all below it; INBOX comes back empty.

        Subscriptions stay as they are, and so does the index of the list. Raises
        UnknownNameError if there is no `old`, and StoreError if there is a `new`, or it lies
        below `old`.
        """
        old, new = canonical_name(old), canonical_name(new)
        if not self.is_taken(old):
            raise UnknownNameError(f'user "{self.name}" has no mailbox or folder "{old}"')
        if self.is_taken(new):
            raise StoreError(f'user "{self.name}" has "{new}" already')
        if new.startswith(f"{old}/"):
            raise StoreError(f'"{old}" cannot become "{new}" below itself')
        moved = {
            name: new + name.removeprefix(old)
            for name in self._mailboxes
            if name == old or name.startswith(f"{old}/")
        }
        self.list_index.fall_behind()
        boxes = {moved.get(name, name): box for name, box in self._mailboxes.items()}
        for name, box in boxes.items():
            box.name = name
        self._mailboxes.clear()
        self._mailboxes.update(boxes)
        self._folders.move(old, new, self._mailboxes)
        self._listing = None
        self._log(Event.RENAMED, new)

    def listing(
        self, masks: Sequence[str] = (), *, inbox_last: bool = True, raw: bool = False
    ) -> Iterable[tuple[str, Mailbox | None]]:
        """Return what `mailbox list` shows, in its order: names, and None for \\NoSelect.

        INBOX is always there, behind all others unless a release has it in its place. The
        index is brought up to date for it, and as it goes on the ACLs are read of what
        matches a single one of `masks`, else of all; a `raw` listing does neither.
        """
        listing = self._listing if inbox_last else None
        if listing is None:
            lasting = inbox_last and not self.list_index.is_behind
            paths = self._folders.newest_first() if raw else self.list_index.listed()
            if inbox_last:
                paths = [*(path for path in paths if path != "INBOX"), "INBOX"]
            listing = self._listed(paths)
            self._listing = listing if lasting else self._listing
        if raw or not self.acl_list.may_be_wrong:
            return listing
        return self._looking_at_acls(listing, masks)

    def open_listed(self, name: str) -> Mailbox | None:
        """Return the mailbox of a name that is listed, None if there is none.

        An INBOX that is lost is made if there is a directory of it, if only for its children.
        """
        box = self._mailboxes.get(name)
        if box is None and name == "INBOX" and name in self._folders:
            return self.find_mailbox(name)
        return box

    def open_all(self) -> None:
        """Open all mailboxes, as counting the quota does, which the index of the list learns."""
        self.open_listed("INBOX")
        self.list_index.refresh()
        self.list_index.learn(self._mailboxes)

    def _looking_at_acls(
        self, listing: Iterable[tuple[str, Mailbox | None]], masks: Sequence[str]
    ) -> Iterator[tuple[str, Mailbox | None]]:
        for name, box in listing:
            if len(masks) != 1 or mailbox_matches(masks[0], name):
                self.acl_list.look_at(name)
            yield name, box

    def _listed(self, paths: Iterable[str]) -> tuple[tuple[str, Mailbox | None], ...]:
        return tuple((path, self._mailboxes.get(path)) for path in paths)

    def freeze(self) -> UserSeed:
        """Return the user as a value; mailboxes that did not change are those of its seed."""
        return UserSeed(
            name=self.name,
            password=self.password,
            uid=self.uid,
            gid=self.gid,
            home=self.home,
            quota_roots=self._quota_roots,
            userdb=tuple(self.userdb.items()),
            passdb=tuple(self.passdb.items()),
            sieve_scripts=tuple(self.sieve_scripts.items()),
            sieve_active=self.sieve_active,
            subscriptions=tuple(self.subscriptions),
            subscriptions_readable=self.subscriptions_readable,
            alternative_known=self.alternative_known,
            hidden=tuple(self.hidden.items()),
            mailboxes=tuple(box.freeze() for box in self._mailboxes.values()),
            listed_acls=tuple(self.acl_list.times.items()),
            listed_acls_wrong=self.acl_list.is_wrong,
            folders=tuple(self._folders.oldest_first()),
            last_uidvalidity=self._last_uidvalidity,
            without_inbox="INBOX" not in self._mailboxes,
            list_log=tuple(self.list_log),
            list_behind=self.list_index.freeze(),
            list_guids=tuple(self.list_index.guids.items()),
        )

    def _log(self, event: Event, subject: str) -> None:
        self.list_log.append(ListChange(event, subject, int(self._clock.now().timestamp())))

    def _change_first_root(self, **changes: int | None) -> None:
        first, *others = self._quota_roots
        self._quota_roots = (msgspec.structs.replace(first, **changes), *others)

    def _add(self, name: str, guid: str | None, uidvalidity: int | None) -> Mailbox:
        if uidvalidity is None:
            uidvalidity = max(int(self._clock.now().timestamp()), self._last_uidvalidity + 1)
        elif not 1 <= uidvalidity < 1 << 32:
            raise StoreError(f"uidvalidity {uidvalidity} must be 1 or more and fit 32 bits")
        seed = MailboxSeed(
            name=name,
            guid=random_guid(self._random) if guid is None else checked_guid(guid),
            uidvalidity=uidvalidity,
        )
        self._last_uidvalidity = max(self._last_uidvalidity, uidvalidity)
        self.list_index.has_made(name)
        self._mailboxes[name] = box = self._live(seed)
        self._folders.add(name)
        self._listing = None
        return box

    def _take_in(self, seed: MailboxSeed) -> Mailbox:
        box = self.find_mailbox(seed.name) or self._add(seed.name, seed.guid, seed.uidvalidity)
        box.take_in(seed)
        self._last_uidvalidity = max(self._last_uidvalidity, box.uidvalidity)
        return box

    def _may_open(self, box: Mailbox) -> bool:
        rights = acl.effective(box.acl, self.name)
        return "lookup" in rights and "read" in rights

    def _live(self, seed: MailboxSeed) -> Mailbox:
        return Mailbox(seed, self.subscriptions, self._clock, self._random, self.list_index)


def _stored_size(box: Mailbox) -> int:
    return sum(message.physical_size for message in box.messages)
