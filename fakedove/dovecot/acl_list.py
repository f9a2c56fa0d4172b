"""Dovecot's list of mailboxes whose ACL lets others see them, with the time of each ACL.

It is a file beside the mail (dovecot-acl-list), and right until a mailbox in it is deleted or
renamed. That is found out when the ACL of a mailbox with such a name is next read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Protocol

from fakedove.dovecot.folders import Folders


class WithAcl(Protocol):
    """A mailbox, as far as this is about it."""

    #: When the ACL changed, in seconds.
    acl_changed: int

    @property
    def acl(self) -> Sized:
        """The ACL, empty if there is none."""


class AclList:
    """One user's list."""

    __slots__ = ("_folders", "_mailboxes", "is_wrong", "times")

    def __init__(
        self,
        mailboxes: Mapping[str, WithAcl],
        folders: Folders,
        times: Iterable[tuple[str, int]] = (),
        *,
        is_wrong: bool = False,
    ) -> None:
        """Take the mailboxes and directories, which others may change, and what is listed."""
        self._mailboxes = mailboxes
        self._folders = folders
        #: When the ACLs changed, in seconds, by name.
        self.times = dict(times)
        #: Whether it was found to be wrong, and is to be made anew.
        self.is_wrong = is_wrong

    @property
    def may_be_wrong(self) -> bool:
        """Whether somebody may find it to be wrong."""
        return self.is_wrong or any(map(self._is_wrong_about, self.times))

    def look_at(self, name: str) -> None:
        """Read the ACL of a mailbox, or where there is none of that name."""
        self.is_wrong = self.is_wrong or (name in self.times and self._is_wrong_about(name))

    def look_at_all(self) -> None:
        """Read the ACLs of all that has a directory, as counting the quota does."""
        for name in self.times:
            if name in self._folders:
                self.look_at(name)

    def become(self, names: Iterable[str]) -> None:
        """List these mailboxes."""
        self.times = {name: self._mailboxes[name].acl_changed for name in names}
        self.is_wrong = False

    def _is_wrong_about(self, name: str) -> bool:
        box = self._mailboxes.get(name)
        return self.times[name] != (box.acl_changed if box and box.acl else None)
