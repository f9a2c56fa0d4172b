"""Quota roots: what limits the mail of one user, each by a name of its own.

Every root counts the same mail, that of all mailboxes; a mail has to fit into all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fakedove.dovecot.quota import parse_grace, parse_size
from fakedove.errors import StoreError

#: The root of a user of whom nothing else is said.
DEFAULT_ROOT = "User quota"


class QuotaRoot(msgspec.Struct, frozen=True, gc=False):
    """One root: limits in bytes and messages, None for no limit.

    `grace` is by how many bytes the last mail that is delivered may exceed `storage`, None for
    the release's default. No command of doveadm makes use of it (measured: `save`, `copy` and
    `import` on 2.3.19.1 and 2.4.1).
    """

    name: str
    storage: int | None = None
    messages: int | None = None
    grace: int | None = None

    @classmethod
    def of(
        cls,
        name: str,
        storage: str | int | None = None,
        messages: int | None = None,
        grace: str | int | None = None,
    ) -> QuotaRoot:
        """Return a root whose sizes are written as "10M" or bytes, the grace also as "10%".

        Raises StoreError if a size is none.
        """
        limit = None if storage is None else parse_size(storage)
        return cls(name, limit, messages, None if grace is None else parse_grace(grace, limit))

    def has_room(self, used: int, messages: int) -> bool:
        """Whether `used` virtual bytes and so many messages are within the limits."""
        if self.messages and messages > self.messages:
            return False
        return not self.storage or used <= self.storage


def checked_roots(roots: Iterable[QuotaRoot]) -> tuple[QuotaRoot, ...]:
    """Return the roots; raise StoreError if there is none, or a name is empty or taken."""
    by_name: dict[str, QuotaRoot] = {}
    for root in roots:
        if not root.name:
            raise StoreError("a quota root's name must not be empty")
        if root.name in by_name:
            raise StoreError(f'there are two quota roots "{root.name}"')
        by_name[root.name] = root
    if not by_name:
        raise StoreError("there must be a quota root; one without limits is enough")
    return tuple(by_name.values())
