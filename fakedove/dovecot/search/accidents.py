"""Whether a query is narrow enough for commands that remove what they find.

Each branch has to name a mailbox, and something else besides.
"""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.dovecot.search.tree import (
    Group,
    InMailbox,
    InMailboxes,
    InThread,
    MailboxGuid,
    Node,
)

_MAILBOX = (InMailbox, InMailboxes, MailboxGuid)


def names_mailboxes(nodes: Sequence[Node]) -> bool:
    """Whether keys that all must match name a mailbox in each branch."""
    for node in nodes:
        if isinstance(node, _MAILBOX):
            return True
        if _is_list(node) and names_mailboxes(_keys(node)):
            return True
    choices = [node for node in nodes if isinstance(node, Group) and node.any_of]
    return bool(choices) and all(_each_names_mailboxes(node.keys) for node in choices)


def _each_names_mailboxes(nodes: Sequence[Node]) -> bool:
    for node in nodes:
        if isinstance(node, _MAILBOX):
            continue
        if isinstance(node, Group) and node.any_of:
            if not _each_names_mailboxes(node.keys):
                return False
        elif not (_is_list(node) and names_mailboxes(_keys(node))):
            return False
    return True


def names_messages(nodes: Sequence[Node]) -> bool:
    """Whether keys that all must match ask for more than mailboxes."""
    return any(_names_messages(node) for node in nodes)


def _names_messages(node: Node) -> bool:
    if isinstance(node, Group):
        each = all(map(_names_messages, node.keys))
        return each if node.any_of else names_messages(node.keys)
    return not isinstance(node, _MAILBOX)


def _is_list(node: Node) -> bool:
    return isinstance(node, InThread) or (isinstance(node, Group) and not node.any_of)


def _keys(node: Node) -> Sequence[Node]:
    return node.keys if isinstance(node, (Group, InThread)) else ()
