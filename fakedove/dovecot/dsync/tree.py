"""A tree of names: the list of mailboxes as both sides of a sync work on it."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec

from fakedove.dovecot.change_log import ListChange


class Existence(enum.IntEnum):
    """Whether there is a mailbox or folder of a name, as Dovecot's debug lines number it."""

    NOTHING = 0
    EXISTS = 1
    #: It was there until it was deleted on that side.
    DELETED = 2


class Node(msgspec.Struct, eq=False):
    """A name: of a mailbox, of a folder, or only of a subscription."""

    #: The last part of the name.
    name: str
    #: The node above; None: this is the root of the tree.
    parent: Node | None = None
    children: list[Node] = msgspec.field(default_factory=list)
    #: The mailbox's GUID; "": it is none.
    guid: str = ""
    existence: Existence = Existence.NOTHING
    uidvalidity: int = 0
    uidnext: int = 0
    #: When it got this name, in seconds; 0: not known.
    renamed: int = 0
    subscribed: bool = False
    subscription_changed: int = 0
    #: The name stands in for another one while mailboxes are renamed.
    temporary: bool = False
    #: Its children by name; None: not known.
    _named: dict[str, Node] | None = None

    @property
    def path(self) -> str:
        """The whole name; "" for the root."""
        parts = [node.name for node in self.and_above() if node.parent is not None]
        return "/".join(reversed(parts))

    @property
    def exists(self) -> bool:
        """Whether there is a mailbox or folder."""
        return self.existence is Existence.EXISTS

    @property
    def up(self) -> Node:
        """The node above one that is not the root."""
        assert self.parent is not None, "nothing stands above the root"
        return self.parent

    def and_above(self) -> Iterator[Node]:
        """Yield this node and those above it."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def child(self, name: str) -> Node | None:
        """Return the node of that name right below this one."""
        if self._named is None or len(self._named) != len(self.children):
            self._named = {one.name: one for one in reversed(self.children)}
        return self._named.get(name)

    def add_first(self, name: str) -> Node:
        """Make a node of that name before all others below this one."""
        node = Node(name, self)
        self.children.insert(0, node)
        if self._named is not None:
            self._named[name] = node
        return node

    def is_in_use(self, *, folders: bool = True) -> bool:
        """Whether it exists, or something below it does."""
        return self.exists or self.has_below(folders=folders)

    def has_below(self, *, folders: bool) -> bool:
        """Whether there is a mailbox below it, or with `folders` anything."""
        return any(
            (one.exists and (folders or bool(one.guid))) or one.has_below(folders=folders)
            for one in self.children
        )

    def take(self, other: Node) -> None:
        """Become what the other side tells of the name."""
        self.guid, self.existence = other.guid, other.existence
        self.uidvalidity, self.uidnext = other.uidvalidity, other.uidnext
        self.renamed = other.renamed
        self.subscribed = other.subscribed
        self.subscription_changed = other.subscription_changed

    def forget(self) -> None:
        """Be no mailbox any more."""
        self.existence = Existence.DELETED
        self.guid, self.uidvalidity = "", 0

    def move_below(self, parent: Node) -> None:
        """Stand below another node, where the order of names says."""
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent._named = None
        self.parent, parent._named = parent, None
        after = (at for at, one in enumerate(parent.children) if order(one) > order(self))
        parent.children.insert(next(after, len(parent.children)), self)


class Tree:
    """The names of one side, what was deleted there, and its mailboxes by GUID."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.root = Node("")
        self.by_guid: dict[str, Node] = {}
        self.deletions: list[ListChange] = []

    def __iter__(self) -> Iterator[Node]:
        """Yield the nodes, parents before their children."""
        return _below(self.root)

    def find(self, path: str) -> Node | None:
        """Return the node of that whole name."""
        node: Node | None = self.root
        for name in path.split("/"):
            node = node.child(name) if node is not None else None
        return node

    def at(self, path: str) -> Node:
        """Return the node of that whole name; those that are missing come before the others."""
        node = self.root
        for name in path.split("/"):
            node = node.child(name) or node.add_first(name)
        return node

    def at_in_order(self, path: str) -> Node:
        """Return the node of that whole name; those that are missing come where they belong."""
        node = self.root
        for name in path.split("/"):
            below = node.child(name)
            if below is None:
                below = Node(name)
                below.move_below(node)
            node = below
        return node

    def index(self, node: Node) -> None:
        """Let a mailbox be found by its GUID, if none of that GUID is yet."""
        if node.guid:
            self.by_guid.setdefault(node.guid, node)


def order(node: Node) -> bytes:
    """Return what the children of a node are sorted by."""
    return node.name.encode(errors="surrogateescape")


def _below(node: Node) -> Iterator[Node]:
    for one in node.children:
        yield one
        yield from _below(one)
