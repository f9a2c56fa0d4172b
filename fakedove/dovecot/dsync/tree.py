"""The list of mailboxes as one side of a sync sees it and tells it the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from fakedove.dovecot.change_log import Event, ListChange
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.user import User


class Node(msgspec.Struct):
    """A name: of a mailbox, of a folder, or only of a subscription."""

    name: str
    #: The mailbox's GUID; "": it is none.
    guid: str = ""
    #: There is a mailbox or a folder.
    exists: bool = False
    uidvalidity: int = 0
    uidnext: int = 0
    #: When it got this name, in seconds; 0: not known.
    renamed: int = 0
    subscribed: bool = False
    subscription_changed: int = 0


class Tree:
    """The nodes of one side by name, and what was deleted there."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.nodes: dict[str, Node] = {}
        self.deletions: list[ListChange] = []

    def __iter__(self) -> Iterator[Node]:
        """Yield the nodes, parents before their children, sorted by their bytes."""
        return iter(sorted(self.nodes.values(), key=lambda node: place(node.name)))

    def at(self, name: str) -> Node:
        """Return the node of that name, which is made if it is missing."""
        return self.nodes.setdefault(name, Node(name))

    def copy(self) -> Tree:
        """Return the tree as it is now."""
        tree = Tree()
        tree.nodes = {name: msgspec.structs.replace(one) for name, one in self.nodes.items()}
        tree.deletions = list(self.deletions)
        return tree

    def by_guid(self) -> dict[str, Node]:
        """Return the nodes that are mailboxes, by GUID."""
        return {node.guid: node for node in self.nodes.values() if node.guid}

    def has_children(self, name: str) -> bool:
        """Whether there is a mailbox or folder below `name`."""
        return any(node.exists and _is_below(node.name, name) for node in self.nodes.values())

    def rename(self, old: str, new: str) -> None:
        """Give a node and all below it another name, in place of what had that one."""
        for name in [one for one in self.nodes if one == old or _is_below(one, old)]:
            node = self.nodes.pop(name)
            node.name = new + name.removeprefix(old)
            self.nodes[node.name] = node


def place(name: str) -> list[bytes]:
    """Return what names are sorted by."""
    return [part.encode() for part in name.split("/")]


def listed(user: User) -> list[tuple[str, Mailbox | None]]:
    """Return the names of all mailboxes and folders; an INBOX that is not there is not made."""
    return [(name, box) for name, box in user.listing() if name != "INBOX" or box is not None]


def last_duplicates(user: User) -> tuple[Mailbox, Mailbox] | None:
    """Return the last mailbox whose GUID an earlier one has, and that one; None: there is none.

    A sync goes through the names of each level in the opposite order of a listing.
    """
    found: tuple[Mailbox, Mailbox] | None = None
    seen: dict[str, Mailbox] = {}
    names = listed(user)
    numbers = {name: -number for number, (name, _) in enumerate(names)}
    # An INBOX that is not there would be the last of a listing.
    first = -len(names)
    for _, box in sorted(names, key=lambda one: [numbers.get(up, first) for up in _path(one[0])]):
        if box is not None and seen.setdefault(box.guid, box) is not box:
            found = box, seen[box.guid]
    return found


def _path(name: str) -> list[str]:
    """Return the names above `name`, from the top, and itself."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def read_tree(user: User, wanted: Wanted, is_visible: Callable[[Mailbox], bool]) -> Tree:
    """Return the names that a sync of `user`'s mail is about."""
    tree = Tree()
    for name, box in listed(user):
        if box is not None and not is_visible(box):
            continue
        if not wanted.takes_mailbox(name, box.special_use if box else ""):
            continue
        if box is None and not wanted.guid:
            tree.at(name).exists = True
        elif box is not None and wanted.guid in ("", box.guid):
            _fill(tree.at(name), box)
    for name in user.subscriptions:
        if wanted.takes_name(name):
            tree.at(name).subscribed = True
    _date(tree, user.list_log)
    return tree


def _fill(node: Node, box: Mailbox) -> None:
    node.exists = True
    node.guid = box.guid
    node.uidvalidity, node.uidnext = box.uidvalidity, box.uidnext


def _date(tree: Tree, log: list[ListChange]) -> None:
    """Enter what the log says; a name has also the age of those above it."""
    here = tree.by_guid()
    for change in log:
        node = tree.nodes.get(change.subject)
        match change.event:
            case Event.FOLDER_MADE | Event.RENAMED if node is not None:
                node.renamed = change.time
            case Event.SUBSCRIBED if node is not None:
                node.subscription_changed = change.time
            case Event.UNSUBSCRIBED:
                tree.at(change.subject).subscription_changed = change.time
            case Event.DELETED if change.subject not in here:
                tree.deletions.append(change)
            case Event.FOLDER_DELETED if node is None or not node.exists:
                tree.deletions.append(change)
    for node in tree:
        above = tree.nodes.get(node.name.rpartition("/")[0])
        if above is not None:
            node.renamed = max(node.renamed, above.renamed)


def _is_below(name: str, above: str) -> bool:
    return name.startswith(f"{above}/")
