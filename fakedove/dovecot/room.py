"""Whether the quota of a user has room for more mail."""

from __future__ import annotations

from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.user import User


def has_room(user: User, mailbox: str, size: int, count: int = 1, *, as_root: bool = False) -> bool:
    """Whether `count` mails of `size` virtual bytes altogether may be put into a mailbox.

    A process that works as root counts what root has put where the user cannot see it.
    """
    user.open_all()
    for root in user.quota_roots:
        used, messages = user.usage_of(root)
        if as_root:
            more, others = _hidden(user, root)
            used, messages = used + more, messages + others
        if not root.has_room(used + size, messages + count, mailbox):
            return False
    return True


def may_take(user: User, mailbox: str, size: int) -> bool:
    """Whether a mail of the user's own may be moved into a mailbox, by 2.4.1 and later.

    The usage is as before then; but it must not exceed the limit, nor may the mail alone.
    """
    if has_room(user, mailbox, size):
        return True
    for root in user.quota_roots:
        most, _ = root.limits_in(mailbox)
        if (most and size > most) or not root.has_room(*user.usage_of(root), mailbox):
            return False
    return True


def _hidden(user: User, root: QuotaRoot) -> tuple[int, int]:
    counted = [usage for name, usage in user.hidden.items() if root.counts(name)]
    return sum(size for size, _ in counted), sum(count for _, count in counted)
