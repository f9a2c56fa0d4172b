"""How the list of mailboxes of one side becomes what it is to be after a sync.

Both sides do this, each from what both told at first, so they come to the same list.
"""

from __future__ import annotations

from collections import deque

from fakedove.dovecot.dsync.renames import Renames, Way
from fakedove.dovecot.dsync.steps import Act, Step
from fakedove.dovecot.dsync.tree import Existence, Node, Tree, order


class Merge:
    """The merging of two trees, of which one is this side's own."""

    def __init__(
        self, local: Tree, remote: Tree, way: Way, *, mistakes_folders: bool = False
    ) -> None:
        """Merge both trees, which become the same; `steps` and `said` tell what is to be done.

        For `mistakes_folders` see `Renames`.
        """
        self._local, self._remote, self._way = local, remote, way
        self._mistakes_folders = mistakes_folders
        self.steps: list[Step] = []
        #: What debug lines say of it.
        self.said: list[str] = []
        self.failed = False
        left = 3 * sum(1 for tree in (local, remote) for _ in tree) + 1
        while self._merge() and left:
            left -= 1
        if not self.failed:
            self._folders(local.root, remote.root)

    def _merge(self) -> bool:
        """Go through both trees; return whether names were found at last that may need more."""
        for tree in (self._remote, self._local):
            self._settle_deletions(tree)
        for tree in (self._local, self._remote):
            _inherit_age(tree.root, 0)
        renames = Renames(
            self._local, self._remote, self._way, mistakes_folders=self._mistakes_folders
        )
        again = renames.settle()
        self.said += renames.said
        self.steps += renames.steps
        self.failed = renames.failed
        if self.failed:
            return False
        if self._way is Way.KEEP_LOCAL:
            self._wrong(self._remote, self._remote.root, self._local.root)
        elif self._way is Way.KEEP_REMOTE:
            self._wrong(self._local, self._local.root, self._remote.root)
        if self._way is not Way.KEEP_LOCAL:
            self._missing(self._remote, self._local)
        if self._way is not Way.KEEP_REMOTE:
            self._missing(self._local, self._remote)
        return again

    def _settle_deletions(self, tree: Tree) -> None:
        """Sort a tree, and delete in both what is marked as deleted in it."""
        waiting = deque([tree.root])
        while waiting:
            parent = waiting.popleft()
            for node in parent.children:
                waiting.append(node)
                if node.existence is not Existence.DELETED or not node.guid:
                    continue
                if self._way is Way.BOTH:
                    self._delete_in_both(tree, node)
                else:
                    _forget(tree, node)
            parent.children.sort(key=order)

    def _delete_in_both(self, tree: Tree, node: Node) -> None:
        other = self._remote if tree is self._local else self._local
        same = other.by_guid.get(node.guid)
        if same is not None:
            self._delete(other, same, "Mailbox has been deleted")
        self._delete(tree, node, "Mailbox has been deleted")

    def _delete(self, tree: Tree, node: Node, reason: str) -> None:
        if tree is self._local:
            self.said.append(f"Deleting mailbox '{node.path}' (GUID {node.guid}): {reason}")
            if node.existence is not Existence.DELETED:
                self.steps.append(Step(Act.DELETE, node.path, guid=node.guid))
        _forget(tree, node)

    def _wrong(self, tree: Tree, parent: Node, wanted: Node) -> None:
        """Delete mailboxes that cannot become what the other side has under their names."""
        for node in parent.children:
            model = wanted.child(node.name)
            self._wrong(tree, node, model or Node(node.name))
            reason = _why_wrong(node, model)
            if reason and node.exists and node.guid:
                self._delete(tree, node, reason)

    def _missing(self, tree: Tree, other: Tree) -> None:
        """Make the mailboxes in the other tree that only this one has."""
        for node in list(tree):
            if not node.guid:
                continue
            path = node.path
            same = other.by_guid.get(node.guid) or other.at_in_order(path)
            if same.guid == node.guid:
                continue
            if not same.guid:
                same.existence = Existence.EXISTS
                same.uidvalidity, same.guid = node.uidvalidity, node.guid
            if other is self._local:
                step = Step(Act.CREATE, path, guid=node.guid, uidvalidity=node.uidvalidity)
                self.steps.append(step)

    def _folders(self, local: Node, remote: Node) -> None:
        """Make and delete folders, and subscribe and unsubscribe."""
        for here in local.children:
            there = remote.child(here.name)
            if there is not None:
                self._folder(here, there)

    def _folder(self, here: Node, there: Node) -> None:
        keeps_local, keeps_remote = self._way is Way.KEEP_LOCAL, self._way is Way.KEEP_REMOTE
        if here.exists and not there.existence and not keeps_remote:
            there.existence = Existence.EXISTS
        if there.exists and not here.existence and not keeps_local:
            here.existence = Existence.EXISTS
            self.steps.append(Step(Act.CREATE_FOLDER, here.path))
        self._folders(here, there)
        if here.subscribed is not there.subscribed:
            self._subscription(here, there)
        if _is_gone(here, there) and not keeps_remote:
            there.existence = Existence.NOTHING
        if _is_gone(there, here) and not keeps_local:
            here.existence = Existence.NOTHING
            self.steps.append(Step(Act.DELETE_FOLDER, here.path))

    def _subscription(self, here: Node, there: Node) -> None:
        """Let the later subscription count, else that there is one."""
        if self._way is Way.BOTH:
            mine, theirs = here.subscription_changed, there.subscription_changed
            keeps = mine > theirs or (mine == theirs and here.subscribed)
        else:
            keeps = self._way is Way.KEEP_LOCAL
        if keeps:
            there.subscribed = here.subscribed
            return
        here.subscribed = there.subscribed
        act = Act.SUBSCRIBE if here.subscribed else Act.UNSUBSCRIBE
        self.steps.append(Step(act, here.path))


def _forget(tree: Tree, node: Node) -> None:
    tree.by_guid.pop(node.guid, None)
    node.forget()


def _inherit_age(node: Node, age: int) -> None:
    """Let a name be no older than those above it."""
    node.renamed = max(node.renamed, age)
    for one in node.children:
        _inherit_age(one, node.renamed)


def _why_wrong(node: Node, model: Node | None) -> str:
    """Return why a mailbox cannot become the one that is wanted, "" if it can."""
    if model is None or not model.exists:
        deleted = model is not None and model.existence is Existence.DELETED
        return "Mailbox has been deleted" if deleted else "Mailbox doesn't exist"
    if node.uidvalidity != model.uidvalidity:
        return f"UIDVALIDITY changed ({model.uidvalidity} -> {node.uidvalidity})"
    if node.uidnext > model.uidnext:
        return f"UIDNEXT is too high ({node.uidnext} > {model.uidnext})"
    return "" if node.guid == model.guid else "GUID changed"


def _is_gone(deleted: Node, other: Node) -> bool:
    """Whether a folder was deleted on the one side that the other one still has."""
    return (
        deleted.existence is Existence.DELETED
        and not deleted.has_below(folders=True)
        and other.exists
    )
