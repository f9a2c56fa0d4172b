"""Dovecot's index of the list of mailboxes, as far as it differs from the directories on disk.

Whatever lists mailboxes, or changes one, first brings the index (dovecot.list.index) up to
date. A rename does not: until then the index has the old names. A mailbox that is new to the
index is opened, and what is wrong with the last that cannot be is said instead of what was to
be said: of a mailbox that is missing, say.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

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

    __slots__ = ("_acl_list", "_behind", "_folders", "_mailboxes")

    def __init__(
        self,
        folders: Folders,
        mailboxes: Container[str],
        acl_list: AclList,
        behind: Behind | None = None,
    ) -> None:
        """Take directories, names of mailboxes and the list of shared ones: others change them."""
        self._folders = folders
        self._mailboxes = mailboxes
        self._acl_list = acl_list
        self._behind = behind

    @property
    def is_behind(self) -> bool:
        """Whether it may differ from what there is."""
        return self._behind is not None

    def freeze(self) -> Behind | None:
        """Return how far it is behind, None if it is not."""
        return self._behind

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
