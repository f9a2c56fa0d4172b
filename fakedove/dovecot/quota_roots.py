"""Quota roots: what limits the mail of one user, each by a name of its own.

A root counts the mail of all mailboxes but those that a rule of it leaves out; a mail has to fit
into all roots.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fakedove.dovecot.quota import parse_grace, parse_size
from fakedove.dovecot.quota_rules import Extra, QuotaRule
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
    #: What is different for single mailboxes; the first rule that matches counts.
    rules: tuple[QuotaRule, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        storage: str | int | None = None,
        messages: int | None = None,
        grace: str | int | None = None,
        rules: Iterable[QuotaRule] = (),
    ) -> QuotaRoot:
        """Return a root whose sizes are written as "10M" or bytes, the grace also as "10%".

        Raises StoreError if a size is none.
        """
        limit = None if storage is None else parse_size(storage)
        allowed = None if grace is None else parse_grace(grace, limit)
        return cls(name, limit, messages, allowed, tuple(rules))

    def counts(self, mailbox: str) -> bool:
        """Whether the mail of a mailbox counts."""
        rule = self._rule(mailbox)
        return rule is None or not rule.ignore

    def has_room(self, used: int, messages: int, mailbox: str) -> bool:
        """Whether a mailbox may take what makes it `used` virtual bytes and so many messages."""
        most, count = self.limits_in(mailbox)
        return (not count or messages <= count) and (not most or used <= most)

    def limits_in(self, mailbox: str) -> tuple[int | None, int | None]:
        """Return how many virtual bytes and messages there may be for a mailbox to take more."""
        rule = self._rule(mailbox)
        if rule is None:
            return self.storage, self.messages
        if rule.ignore:
            return None, None
        return rule.storage.beyond(self.storage), rule.messages.beyond(self.messages)

    def _rule(self, mailbox: str) -> QuotaRule | None:
        return next((rule for rule in self.rules if rule.matches(mailbox)), None)


def checked_roots(roots: Iterable[QuotaRoot]) -> tuple[QuotaRoot, ...]:
    """Return the roots; raise StoreError if there is none, or one cannot be.

    A name must not be empty or taken, nor may a rule add to a limit that there is not.
    """
    by_name: dict[str, QuotaRoot] = {}
    for root in roots:
        if not root.name:
            raise StoreError("a quota root's name must not be empty")
        if root.name in by_name:
            raise StoreError(f'there are two quota roots "{root.name}"')
        check_rules(root)
        by_name[root.name] = root
    if not by_name:
        raise StoreError("there must be a quota root; one without limits is enough")
    return tuple(by_name.values())


def check_rules(root: QuotaRoot) -> QuotaRoot:
    """Return the root; raise StoreError if a rule of it adds to a limit that there is not.

    2.3 makes a limit of such an extra if the root has another one, 2.4 does not.
    """
    for rule in root.rules:
        for what, limit, extra in (
            ("storage", root.storage, rule.storage),
            ("messages", root.messages, rule.messages),
        ):
            if not limit and extra != Extra():
                raise StoreError(
                    f'the quota root "{root.name}" has no limit for {what}'
                    f' that the rule for "{rule.mailbox}" could add to'
                )
    return root
