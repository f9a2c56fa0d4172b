"""Threads as Dovecot makes and sorts them, and what it reads of which mail on the way.

REFERENCES joins threads whose subjects are the same. Threads and the mails in each are sorted by
date, which tells which thread joins which; and the cache notes what was read, and in which order.
What is read for a date or a subject is yielded before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from fakedove.dovecot.search.threads import Forest

#: A mail, and whether its subject is read; else it is its date.
Reading = tuple[int, bool]


@dataclass(slots=True, eq=False)
class _Root:
    """A thread: its highest node, and what it is sorted by."""

    node: bytes
    #: Whether no mail is the highest.
    dummy: bool
    #: Of the mail that it is sorted by.
    uid: int = 0
    date: int = 0
    #: Another thread of the same subject that this one is to be joined with.
    joins: _Root | None = None
    answers: bool = False
    ignored: bool = False


class ThreadWalk:
    """The threads of a mailbox, sorted."""

    def __init__(
        self,
        forest: Forest,
        date: Callable[[int], int],
        subject: Callable[[int], tuple[str, bool] | None],
    ) -> None:
        """Take the forest, and what dates and subjects of mails are by UID.

        A subject is as `base_subject` returns it, None if there is none.
        """
        self._forest, self._date, self._subject = forest, date, subject
        self._uids = forest.uids()
        self._roots: list[_Root] = []
        self._children: dict[bytes, list[bytes]] = {}
        #: By UID, a number of the thread it is in; known when all was read.
        self.thread_of: dict[int, int] = {}
        for node in forest.nodes():
            if forest.parent(node) is None:
                self._roots.append(_Root(node, node not in self._uids, self._uids.get(node, 0)))
            elif node in self._uids:
                self._children.setdefault(self._above(node), []).insert(0, node)

    def readings(self, *, by_subject: bool) -> Iterator[Reading]:
        """Yield what is read of which mail; with REFERENCES threads go `by_subject` too."""
        if by_subject:
            yield from self._sort_roots()
            yield from self._gather_subjects()
            if self._merge():
                yield from self._sort_roots()
        else:
            yield from self._sort_by_newest()
        for number, root in enumerate(self._roots):
            if not root.ignored:
                yield from self._descend(root.node, number)

    def _above(self, node: bytes) -> bytes:
        """Return the nearest mail above, or the highest node where there is none."""
        above = self._forest.parent(node)
        assert above is not None, "a root has nothing above"
        while above not in self._uids and (higher := self._forest.parent(above)) is not None:
            above = higher
        return above

    def _descend(self, top: bytes, number: int) -> Iterator[Reading]:
        """Gather what is below the highest node of a thread."""
        left = [top]
        while left:
            node = left.pop()
            if node in self._uids:
                self.thread_of[self._uids[node]] = number
            if node in self._children:
                children = yield from self._sorted_children(node)
                left += reversed(children)

    def _sorted_children(self, node: bytes) -> Generator[Reading, None, list[bytes]]:
        """Return them by date; an only child's date is not looked at."""
        children = self._children[node]
        if len(children) > 1:
            yield from ((self._uids[child], False) for child in children)
            children = sorted(children, key=self._order)
        return children

    def _order(self, node: bytes) -> tuple[int, int]:
        uid = self._uids[node]
        return self._date(uid), uid

    def _sort_by_newest(self) -> Iterator[Reading]:
        tops = {root.node: root for root in self._roots}
        for node in self._forest.nodes():
            if node in self._uids:
                uid = self._uids[node]
                yield uid, False
                root = tops[self._forest.top(node)]
                root.date = max(root.date, self._date(uid))
        self._roots.sort(key=_order_of_roots)

    def _sort_roots(self) -> Iterator[Reading]:
        """Sort threads by their first mail; of a dummy an only child takes the place."""
        for root in self._roots:
            if root.ignored:
                continue
            if not root.dummy:
                yield from self._fill(root)
                continue
            if not self._children.get(root.node):
                root.ignored = True
                continue
            first, *others = yield from self._sorted_children(root.node)
            if others:
                root.date, root.uid = self._order(first)
                continue
            root.node, root.dummy = first, False
            yield from self._fill(root)
        self._roots.sort(key=_order_of_roots)

    def _fill(self, root: _Root) -> Iterator[Reading]:
        root.uid = self._uids[root.node]
        yield root.uid, False
        root.date = self._date(root.uid)

    def _gather_subjects(self) -> Iterator[Reading]:
        by_subject: dict[str, _Root] = {}
        for root in self._roots:
            if root.dummy and root.ignored:
                continue
            node = root.node
            if root.dummy:
                node, *_ = yield from self._sorted_children(node)
            uid = self._uids[node]
            yield uid, True
            subject = self._subject(uid)
            if subject is not None and subject[0]:
                _add_subject(by_subject, root, *subject)

    def _merge(self) -> bool:
        """Join threads of one subject; return whether there were any."""
        joined = False
        for root in self._roots:
            if root.joins is not None and not root.ignored:
                self._join(root)
                joined = True
        return joined

    def _join(self, root: _Root) -> None:
        other = root
        while other.joins is not None:
            other = other.joins
        if root.dummy:
            for child in self._children.pop(root.node, []):
                self._children.setdefault(other.node, []).insert(0, child)
        elif other.dummy or (root.answers and not other.answers):
            self._children.setdefault(other.node, []).insert(0, root.node)
        else:
            dummy = _Root(b" joined %b" % other.node, dummy=True)
            self._children[dummy.node] = [root.node, other.node]
            other.joins, other.ignored = dummy, True
            self._roots.append(dummy)
        root.ignored = True


def _order_of_roots(root: _Root) -> tuple[int, int]:
    return root.date, root.uid


def _add_subject(by_subject: dict[str, _Root], root: _Root, base: str, answers: bool) -> None:
    """Note a thread's subject, and which thread of that subject joins which."""
    other = by_subject.setdefault(base, root)
    if other is not root:
        if not other.dummy and (root.dummy or (other.answers and not answers)):
            other.joins = root
            by_subject[base] = root
        else:
            root.joins = other
    root.answers = answers
