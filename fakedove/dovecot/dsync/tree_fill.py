"""The list of mailboxes as one side of a sync finds it, and as the other one is told it."""

from __future__ import annotations

from collections.abc import Callable

from fakedove.dovecot.change_log import Event, ListChange
from fakedove.dovecot.dsync.names import Names, name_digest
from fakedove.dovecot.dsync.tree import Existence, Node, Tree
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.user import User

#: What the kinds of deletions are called.
_KINDS = {Event.DELETED: "mailbox", Event.FOLDER_DELETED: "dir", Event.UNSUBSCRIBED: "unsubscribe"}


def listed(user: User) -> list[tuple[str, Mailbox | None]]:
    """Return the names of all mailboxes and folders; an INBOX that is not there is not made."""
    names = user.listing(inbox_last=False)
    return [(name, box) for name, box in names if name != "INBOX" or box is not None]


def last_duplicates(user: User) -> tuple[Mailbox, Mailbox] | None:
    """Return the last mailbox whose GUID an earlier one has, and that one; None: there is none.

    A sync goes through the names of each level in the opposite order of a listing.
    """
    found: tuple[Mailbox, Mailbox] | None = None
    seen: dict[str, Mailbox] = {}
    names = listed(user)
    boxes = dict(names)
    tree = Tree()
    for name, _ in names:
        tree.at(name)
    for node in tree:
        box = boxes.get(node.path)
        if box is not None and seen.setdefault(box.guid, box) is not box:
            found = box, seen[box.guid]
    return found


def read_tree(
    user: User, wanted: Wanted, names: Names, is_visible: Callable[[Mailbox], bool]
) -> Tree:
    """Return the names that a sync of `user`'s mail is about."""
    tree = Tree()
    for name, box in listed(user):
        if box is not None and not is_visible(box):
            continue
        if not wanted.takes_mailbox(name, box.special_use if box else ""):
            continue
        if box is None and not wanted.guid:
            tree.at(names.listed(name)).existence = Existence.EXISTS
        elif box is not None and wanted.guid in ("", box.guid):
            _fill(tree.at(names.listed(name)), box)
    for name in user.subscriptions:
        if wanted.takes_name(name):
            tree.at(names.listed(name)).subscribed = True
    for node in tree:
        tree.index(node)
    for change in user.list_log:
        _note(tree, change)
    return tree


def told(node: Node) -> str:
    """Return what a debug line says of a name."""
    guid = node.guid or "0" * 32
    subscribed = "yes" if node.subscribed else "no"
    return (
        f"guid={guid} uid_validity={node.uidvalidity} uid_next={node.uidnext} subs={subscribed}"
        f" last_change={node.renamed} last_subs={node.subscription_changed}"
    )


def mark_deleted(tree: Tree, other: Tree, deletion: ListChange) -> tuple[str, str]:
    """Note in a tree what was deleted there, which the other tree may still have.

    Returns its name in `other`, "" if it is not there, and what came of it in Dovecot's words.
    """
    by_guid = deletion.event is Event.DELETED
    node = other.by_guid.get(deletion.subject) if by_guid else other.find(deletion.subject)
    if node is None:
        return "", "not found"
    if deletion.event is Event.FOLDER_DELETED and deletion.time <= node.renamed:
        return node.path, "keep directory, we have a newer timestamp"
    if deletion.event is Event.UNSUBSCRIBED and deletion.time <= node.subscription_changed:
        return node.path, "keep subscription, we have a newer timestamp"
    gone = tree.at(node.path)
    if gone.exists and (gone.guid or not by_guid):
        return node.path, "name has already been recreated"
    if by_guid:
        gone.guid = node.guid
    if deletion.event is Event.UNSUBSCRIBED:
        gone.subscription_changed, gone.subscribed = deletion.time, False
    else:
        gone.existence = Existence.DELETED
    tree.index(gone)
    done = "unsubscribed" if deletion.event is Event.UNSUBSCRIBED else "deleted"
    return node.path, f"marked as {done}"


def told_deletion(deletion: ListChange) -> str:
    """Return what a debug line says of a deletion: names are known by their SHA-1 only."""
    guid = deletion.subject
    if deletion.event is not Event.DELETED:
        guid = name_digest(guid)
    return f"guid={guid} type={_KINDS[deletion.event]} timestamp={deletion.time}"


def _fill(node: Node, box: Mailbox) -> None:
    node.existence = Existence.EXISTS
    node.guid = box.guid
    node.uidvalidity, node.uidnext = box.uidvalidity, box.uidnext


def _note(tree: Tree, change: ListChange) -> None:
    """Enter what the log says."""
    node = None if change.event is Event.DELETED else tree.find(change.subject)
    match change.event:
        case Event.DELETED if change.subject not in tree.by_guid:
            tree.deletions.append(change)
        case Event.FOLDER_DELETED if node is None or not node.exists:
            tree.deletions.append(change)
        case Event.RENAMED if node is not None:
            node.renamed = change.time
        case Event.SUBSCRIBED if node is not None:
            node.subscription_changed = change.time
        case Event.UNSUBSCRIBED if node is not None:
            node.subscription_changed = change.time
        case Event.UNSUBSCRIBED:
            tree.deletions.append(change)
