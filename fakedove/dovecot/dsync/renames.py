"""How the mailboxes of two trees get the same names: by renaming in one tree or in the other.

Both sides do this alone, each with its own tree as the local one, and come to the same names.
The trees are walked through side by side, and after every renaming again from the start. What
stands in the way of a name gets a temporary one until it is its turn.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Sequence

import msgspec

from fakedove.dovecot.dsync.steps import Act, Step
from fakedove.dovecot.dsync.tree import Existence, Node, Tree, order

#: Bytes that a temporary name may have, and that its suffix may have.
_LONGEST, _SUFFIX = 100, 13
_DIGITS = "0123456789abcdef"


class Way(enum.Enum):
    """Which tree has its say."""

    BOTH = enum.auto()
    KEEP_LOCAL = enum.auto()
    KEEP_REMOTE = enum.auto()


class _Half(msgspec.Struct, frozen=True):
    """One tree where both are looked at."""

    label: str
    tree: Tree
    #: The node at the place where both trees are looked at.
    here: Node
    #: The node that is the same as the other tree's `here`, wherever it is.
    twin: Node | None
    #: The numbers that Dovecot's debug lines give both.
    numbers: tuple[int, int]
    #: This tree's names stay as they are.
    kept: bool

    @property
    def age(self) -> int:
        """When the later of both nodes got its name; 0: both names are temporary."""
        nodes = (one for one in (self.here, self.twin) if one is not None and not one.temporary)
        return max((one.renamed + 1 for one in nodes), default=0)

    def is_fixed(self) -> bool:
        """Whether one of the nodes cannot have another name: INBOX and the root."""
        return any(_is_fixed(one) for one in (self.here, self.twin))


class Renames:
    """The renaming of the mailboxes of two trees."""

    def __init__(
        self, local: Tree, remote: Tree, way: Way, *, mistakes_folders: bool = False
    ) -> None:
        """Rename in `local` and `remote`; `steps` and `said` tell then what was done and why.

        With `mistakes_folders` a folder is taken for the same as the one right above a mailbox
        that both have, however deep that is in it, as releases before 2.4 do.
        """
        self._local, self._remote, self._way = local, remote, way
        self._mistakes_folders = mistakes_folders
        self.steps: list[Step] = []
        self.said: list[str] = []
        #: There was no end to it.
        self.failed = False

    def settle(self) -> bool:
        """Do it, and return whether temporary names were left and got others at last."""
        left = 3 * (sum(1 for _ in self._local) + sum(1 for _ in self._remote))
        while self._walk(self._local.root, self._remote.root):
            self.said.append("-- Mailbox renamed, restart sync --")
            left -= 1
            if left < 0:
                why = "Mailbox renaming algorithm got into a potentially infinite loop, aborting"
                self.said.append(f"BUG: {why}")
                self.failed = True
                return False
        renamed = False
        for tree in (self._local, self._remote):
            while self._name_for_good(tree, tree.root):
                renamed = True
        return renamed

    def _walk(self, local: Node, remote: Node) -> bool:
        """Go through what is below both nodes, up to the first that is renamed."""
        at = 0
        while at < max(len(local.children), len(remote.children)):
            here, there = _pair(local, remote, at)
            seen = f"Mailbox {here.path}: {_told(here, there)}"
            renamed, reason = self._decide(here, there)
            self.said.append(f"{seen}: {reason}")
            if renamed or self._walk(here, there):
                return True
            at += 1
        return False

    def _decide(self, here: Node, there: Node) -> tuple[bool, str]:
        if not here.guid and not there.guid:
            return self._folders(here, there)
        if here.guid == there.guid:
            return False, "Mailboxes are equal"
        return self._conflict(here, there)

    def _folders(self, here: Node, there: Node) -> tuple[bool, str]:
        """Take folders for the same that have mailboxes in common."""
        remote_twin = self._branch(here, self._remote)
        local_twin = self._branch(there, self._local)
        if remote_twin is None or local_twin is None:
            return False, "Directory rename branch not found"
        if remote_twin.path == local_twin.path:
            return False, "Directory name paths are equal"
        return self._rename_older(here, there, local_twin, remote_twin)

    def _branch(self, folder: Node, tree: Tree) -> Node | None:
        """Return the node in a tree that has the first mailbox of a folder which both have."""
        for node in folder.children:
            if node.guid:
                other = tree.by_guid.get(node.guid)
                above = other.parent if other is not None else None
            else:
                above = self._branch(node, tree)
                if above is not None and not self._mistakes_folders:
                    above = above.parent
            if above is not None:
                return above
        return None

    def _conflict(self, here: Node, there: Node) -> tuple[bool, str]:
        """Look at a name that is not the same mailbox on both sides."""
        remote_twin = self._remote.by_guid.get(here.guid)
        local_twin = self._local.by_guid.get(there.guid)
        if any(one is not None and one.exists for one in (remote_twin, local_twin)):
            renamed, reason = self._rename_older(here, there, local_twin, remote_twin)
            return renamed, f"conflicting name: {reason}"
        if not here.guid or not there.guid:
            return False, "mailbox not selectable yet"
        return False, "GUIDs conflict - will be merged later"

    def _rename_older(
        self, here: Node, there: Node, local_twin: Node | None, remote_twin: Node | None
    ) -> tuple[bool, str]:
        """Let the tree have its names that named the mailboxes last."""
        keeps_local = self._way is Way.KEEP_LOCAL
        keeps_remote = self._way is Way.KEEP_REMOTE
        local = _Half("local", self._local, here, local_twin, (1, 2), keeps_local)
        remote = _Half("remote", self._remote, there, remote_twin, (2, 1), keeps_remote)
        if local.is_fixed() or remote.is_fixed():
            return False, "Can't rename namespace prefixes - will be merged later"
        ages = local.age, remote.age
        same = ages[0] == ages[1]
        if self._way is Way.BOTH:
            wins = ages[0] > ages[1] or (same and _comes_first(here, there))
        else:
            wins = keeps_local
        return self._rename(local, remote) if wins else self._rename(remote, local)

    def _rename(self, winner: _Half, loser: _Half) -> tuple[bool, str]:
        """Bring the names of the loser's tree nearer to those of the winner's."""
        mine, others = winner.numbers
        label = winner.label
        if winner.twin is None:
            return self._give_name(winner, loser, f"{label}_node{others}=NULL")
        if loser.twin is loser.here:
            return False, f"{label}: remote_node{mine}=remote_node{others}"
        if loser.twin is not None:
            return self._give_name(winner, loser, f"{loser.label}_node{mine}=NULL")
        twin = winner.twin
        if not winner.kept and twin in winner.here.and_above():
            reason = self._set_aside(winner.tree, winner.here, twin.up)
            return True, f"{reason}({label}: node{others} parent of node{mine})"
        if not winner.kept and winner.here in twin.and_above():
            reason = self._set_aside(winner.tree, twin, winner.here.up)
            return True, f"{reason}({label}: node{mine} parent of node{others})"
        if winner.here.exists:
            reason = self._set_aside(loser.tree, loser.here, loser.here.up)
            return True, f"{reason}({label}: {label}_node{mine} exists)"
        return False, f"{label}: unchanged"

    def _give_name(self, winner: _Half, loser: _Half, why: str) -> tuple[bool, str]:
        """Give a node the name that it has in the other tree, in place of what has that name."""
        node, model, tree = loser.twin, winner.here, loser.tree
        assert node is not None, "one of both has a twin"
        why = f"({winner.label}: {why})"
        parent = tree.root if model.up.parent is None else tree.at_in_order(model.up.path)
        if node in parent.and_above():
            reason = self._set_aside(tree, node, tree.root)
            return True, f"{reason} (Don't introduce loop){why}"
        reason = self._set_aside(tree, loser.here, loser.here.up)
        old = node.path
        node.name, node.temporary, node.renamed = model.name, model.temporary, model.renamed
        node.move_below(parent)
        self._note(tree, node, old, model.path)
        return True, f"{reason} + Renamed '{old}' to '{model.name}'{why}"

    def _set_aside(self, tree: Tree, node: Node, parent: Node) -> str:
        """Give a node a temporary name."""
        longest = _LONGEST - _SUFFIX - 1
        begin = node.name.rpartition("-")[0] if node.temporary else node.name
        begin = begin.encode()[:longest].decode(errors="ignore")
        number = 1
        while node.up.child(f"{begin}-temp-{number:x}") is not None:
            number += 1
        old, old_path = node.name, node.path
        node.name, node.temporary, node.renamed = f"{begin}-temp-{number:x}", True, 0
        node.move_below(parent)
        self._note(tree, node, old_path, node.path)
        return f"Renamed '{old}' to '{node.name}'"

    def _note(self, tree: Tree, node: Node, old: str, new: str) -> None:
        if tree is self._local and node.is_in_use():
            self.steps.append(Step(Act.RENAME, old, to=new))

    def _name_for_good(self, tree: Tree, parent: Node) -> bool:
        """Replace the first temporary name below a node; folders without mailboxes go instead."""
        where = "local" if tree is self._local else "remote"
        for node in list(parent.children):
            while self._name_for_good(tree, node):
                pass
            if not node.temporary:
                continue
            if not node.guid and not node.has_below(folders=False):
                self.said.append(f"{where} mailbox {node.path}: Delete directory-only tree")
                self._drop_folders(tree, node)
                continue
            old = node.path
            _rename_for_good(node)
            self.said.append(f"{where} mailbox {node.path}: Renamed '{old}' to '{node.name}'")
            return True
        return False

    def _drop_folders(self, tree: Tree, node: Node) -> None:
        for one in node.children:
            self._drop_folders(tree, one)
        if tree is self._local and self._way is not Way.KEEP_LOCAL and node.existence:
            self.steps.append(Step(Act.DELETE_FOLDER, node.path))
        node.existence = Existence.NOTHING
        node.temporary = False


def _pair(local: Node, remote: Node, at: int) -> tuple[Node, Node]:
    """Return the nodes at one place below both; one that is missing is made."""
    here = local.children[at] if at < len(local.children) else None
    there = remote.children[at] if at < len(remote.children) else None
    if there is not None and (here is None or order(here) > order(there)):
        here = Node(there.name, local, temporary=there.temporary)
        local.children.insert(at, here)
    assert here is not None, "one of both is there"
    if there is None or order(there) > order(here):
        there = Node(here.name, remote, temporary=here.temporary)
        remote.children.insert(at, there)
    return here, there


def _told(here: Node, there: Node) -> str:
    def one(node: Node) -> str:
        return f"{node.guid or '0' * 32}/{node.renamed}/{node.existence.value}"

    return f"local={one(here)}, remote={one(there)}"


def _is_fixed(node: Node | None) -> bool:
    if node is None:
        return False
    return node.parent is None or (node.name == "INBOX" and node.parent.parent is None)


def _comes_first(here: Node, there: Node) -> bool:
    """Decide between two nodes of one age: by the GUIDs in both, else by the names."""
    nodes = _siblings(here), _siblings(there)
    return (_compare(*nodes, _guid_order) or _compare(*nodes, _name_order)) < 0


def _siblings(node: Node) -> list[Node]:
    """Return the node and those that follow it at the same place."""
    children = node.up.children
    return children[children.index(node) :]


def _compare(
    mine: Sequence[Node], others: Sequence[Node], key: Callable[[Node], tuple[bool, bytes]]
) -> int:
    """Return -1 or 1 at the first difference, going down before on; more nodes come first."""
    for one, other in zip(mine, others, strict=False):
        if key(one) != key(other):
            return -1 if key(one) < key(other) else 1
        below = _compare(one.children, other.children, key)
        if below:
            return below
    return (len(mine) < len(others)) - (len(mine) > len(others))


def _guid_order(node: Node) -> tuple[bool, bytes]:
    return not node.exists, bytes.fromhex(node.guid)


def _name_order(node: Node) -> tuple[bool, bytes]:
    return False, order(node)


def _rename_for_good(node: Node) -> None:
    """Put what both sides know behind the name: its GUID, or what the first mailbox in it is."""
    suffix = node.guid or _digest(node)
    begin = node.name[: node.name.rindex("-") + 1].encode()[: _LONGEST - len(suffix) - 1]
    name = begin.decode(errors="ignore") + suffix
    while node.up.child(name) is not None:
        name = _next(name)
    node.name, node.temporary = name, False
    node.move_below(node.up)


def _digest(folder: Node) -> str:
    first = _first_below(folder)
    assert first is not None, "a folder without mailboxes is dropped"
    known = bytes.fromhex(first.guid or "0" * 32) + order(first)
    return hashlib.md5(known, usedforsecurity=False).hexdigest()


def _first_below(folder: Node) -> Node | None:
    for node in folder.children:
        found = node if node.exists else _first_below(node)
        if found is not None:
            return found
    return None


def _next(name: str) -> str:
    """Count the hexadecimal digits at the end of a name up; the last one does not carry."""
    begin = name.rstrip(_DIGITS[-1])
    digit = _DIGITS[_DIGITS.index(begin[-1]) + 1]
    return begin[:-1] + digit + name[len(begin) :]
