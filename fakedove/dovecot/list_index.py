"""Dovecot's index of the list of mailboxes, as far as it differs from the directories on disk.

Whatever lists mailboxes, or changes one, first brings the index (dovecot.list.index) up to
date. A rename does not: until then the index has the old names. A mailbox that is new to the
index is opened, and what is wrong with the last that cannot be is said instead of what was to
be said: of a mailbox that is missing, say.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import msgspec

from fakedove.dovecot.acl_list import AclList
from fakedove.dovecot.folders import Folders


class Behind(msgspec.Struct, frozen=True):
    """How far the index is behind the directories."""

    #: The names that it has.
    names: frozenset[str]
    #: The lowest of directories that go, up to the first with anything in it, when they are
    #: listed, since they are no mailboxes; "" for none.
    passing: str = ""


class ListIndex:
    """One user's index."""

    __slots__ = ("_acl_list", "_behind", "_folders", "_guids", "_mailboxes")

    def __init__(
        self,
        folders: Folders,
        mailboxes: Container[str],
        acl_list: AclList,
        behind: Behind | None = None,
        guids: Mapping[str, str] | None = None,
    ) -> None:
        """Take directories, names of mailboxes and the list of shared ones: others change them."""
        self._folders = folders
        self._mailboxes = mailboxes
        self._acl_list = acl_list
        self._behind = behind
        self._guids = dict(guids or {})

    @property
    def is_behind(self) -> bool:
        """Whether it may differ from what there is."""
        return self._behind is not None

    @property
    def guids(self) -> Mapping[str, str]:
        """The GUIDs that it has of directories where another mailbox is, or none; "" for none."""
        return self._guids

    def freeze(self) -> Behind | None:
        """Return how far it is behind, None if it is not."""
        return self._behind

    def still_has(self, name: str) -> bool:
        """Whether it has a name that may be another's now, so that nothing new is seen there."""
        return self._behind is not None and name in self._behind.names

    def has_made(self, name: str) -> None:
        """Take it that a mailbox is about to be made, of whose GUID a directory does not tell."""
        if name in self._folders:
            self._guids.setdefault(name, "")
        else:
            self._guids.pop(name, None)

    def has_deleted(self, name: str, guid: str) -> None:
        """Take it that a mailbox was deleted, whose GUID stays while there is a directory."""
        known = self._behind is None or name in self._behind.names
        self._guids.setdefault(name, guid if known else "")
        self.has_removed(name)

    def has_removed(self, name: str) -> None:
        """Take it that a directory may be gone, with some above it, and forget their GUIDs."""
        while name and name not in self._folders:
            self._guids.pop(name, None)
            name = name.rpartition("/")[0]

    def learn(self, names: Iterable[str]) -> None:
        """Take in the GUIDs of mailboxes that are counted or changed."""
        if self._guids:
            for name in names:
                if name in self._mailboxes:
                    self._guids.pop(name, None)

    def guid_left(self, name: str) -> str:
        """Return the GUID that it has of a name, "" if that is the mailbox's or there is none."""
        return self._guids.get(name, "") if name in self._folders else ""

    def fall_behind(self, passing: str = "") -> None:
        """Take it that directories are about to change; one that is `passing` goes when listed."""
        names = self._behind.names if self._behind else frozenset(self._folders.oldest_first())
        self._behind = Behind(names, passing)

    def refresh(self) -> tuple[str, ...]:
        """Bring the index up to date and return the names that are new to it, newest first."""
        behind, self._behind = self._behind, None
        if behind is None:
            return ()
        names = tuple(self._folders.newest_first())
        if behind.passing in self._folders:
            self._folders.remove(behind.passing, self._mailboxes)
        self._guids = {name: guid for name, guid in self._guids.items() if name in self._folders}
        # Directories above the lowest are found while they hold one, and only then go.
        new = tuple(one for one in names if one not in behind.names and one != behind.passing)
        for name in new if "INBOX" in self._mailboxes else (*new, "INBOX"):
            self._acl_list.look_at(name)
        return new

    def listed(self) -> Iterable[str]:
        """Bring the index up to date and return the names that a listing shows, newest first.

        Of directories that are passing it has some for once, but shows none without children.
        """
        if self._behind is None:
            return self._folders.newest_first()
        lowest = self._behind.passing
        names = tuple(self._folders.newest_first())
        self.refresh()
        hidden = {lowest, lowest.rpartition("/")[0]}
        return (one for one in names if one not in hidden or one in self._folders)
