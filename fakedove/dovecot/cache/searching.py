"""What a search reads of each mail that it looks at, until it knows whether the mail matches.

Dovecot asks what is in the cache first, of all keys; then it reads headers, and bodies at last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fakedove.dovecot.cache.opened_mail import OpenedMail
from fakedove.dovecot.search import tree
from fakedove.dovecot.search.matching import Candidate, Matcher
from fakedove.dovecot.search.tree import Group, Leaf, Node, Time, When

_Visit = Callable[[Leaf], None]


class Search:
    """A query at work in one mailbox."""

    def __init__(self, nodes: Sequence[Node], matcher: Matcher) -> None:
        """Take keys that all must match, and what tests them."""
        self._nodes = nodes
        self._tests = {id(node): matcher.test(node) for node in leaves(nodes)}

    def look(self, candidate: Candidate, mail: OpenedMail) -> bool:
        """Read of a mail what the query asks for; return whether it matches."""
        return _Look(self._nodes, self._tests, candidate, mail).matches()

    def may_match(self, candidate: Candidate) -> bool:
        """Whether the index alone does not rule the mail out."""
        look = _Look(self._nodes, self._tests, candidate, None)
        return look.index() is not False


class _Look:
    """One mail, looked at."""

    def __init__(
        self,
        nodes: Sequence[Node],
        tests: dict[int, Callable[[Candidate], bool | None]],
        candidate: Candidate,
        mail: OpenedMail | None,
    ) -> None:
        self._nodes, self._tests, self._candidate = nodes, tests, candidate
        self._mail = mail
        self._results: dict[int, bool] = {}

    def index(self) -> bool | None:
        return self._all(self._nodes, self._visit_index)

    def matches(self) -> bool:
        found = self.index()
        for from_cache in (True, False):
            if found is None:
                found = self._all(self._nodes, self._visit_cached(from_cache))
            if found is None:
                found = self._texts(from_cache)
            if found is None and not from_cache:
                found = self._all(self._nodes, self._visit_mimepart)
        return bool(found)

    def _all(self, nodes: Sequence[Node], visit: _Visit) -> bool | None:
        """Ask keys in their order, until one does not match."""
        found: bool | None = True
        for node in nodes:
            result = self._ask(node, visit)
            if result is False:
                return False
            if result is None:
                found = None
        return found

    def _ask(self, node: Node, visit: _Visit) -> bool | None:
        known = self._results.get(id(node))
        if known is not None:
            return known
        if not isinstance(node, Group):
            if not isinstance(node, tree.InThread):
                visit(node)
            elif visit == self._visit_index:
                self._settle(node)
            return self._results.get(id(node))
        found: bool | None = not node.any_of
        for key in node.keys:
            result = self._ask(key, visit)
            if result is node.any_of:
                found = node.any_of
                break
            if result is None:
                found = None
        if found is not None:
            self._results[id(node)] = found is not node.negated
        return self._results.get(id(node))

    def _settle(self, node: Node) -> None:
        self._results[id(node)] = bool(self._tests[id(node)](self._candidate))

    def _visit_index(self, node: Leaf) -> None:
        if not isinstance(node, _READING):
            self._settle(node)

    def _visit_cached(self, from_cache: bool) -> _Visit:
        mail = self._mail
        assert mail is not None

        def visit(node: Leaf) -> None:
            match node:
                case When(_, Time.SENT):
                    known = mail.date_sent(from_cache=from_cache)
                case When(_, Time.RECEIVED):
                    known = mail.date_received(from_cache=from_cache)
                case tree.Guid():
                    known = mail.guid(from_cache=from_cache)
                case _:
                    known = isinstance(node, (When, tree.Larger, tree.Smaller))
            if known:
                self._settle(node)

        return visit

    def _visit_header(self, node: Leaf) -> None:
        if isinstance(node, (tree.Header, When)):
            self._settle(node)

    def _visit_body(self, node: Leaf) -> None:
        if isinstance(node, tree.Text):
            self._settle(node)

    def _visit_mimepart(self, node: Leaf) -> None:
        if isinstance(node, tree.MimePart):
            assert self._mail is not None
            self._mail.body_or_structure("imap.bodystructure")
            self._settle(node)

    def _texts(self, from_cache: bool) -> bool | None:
        """Read headers and bodies that undecided keys are about."""
        mail = self._mail
        assert mail is not None
        open_keys = list(self._undecided(self._nodes))
        names = [name for node in open_keys if (name := _header(node))]
        headers = sorted({name.lower(): name for name in reversed(names)}.values(), key=str.lower)
        texts = [node for node in open_keys if isinstance(node, tree.Text)]
        if not headers and not texts:
            return None
        if headers and (not texts or from_cache):
            if not mail.header_stream(headers, from_cache=from_cache):
                return None
            found = self._all(self._nodes, self._visit_header)
            if found is not None or not texts:
                return found
        if from_cache:
            return None
        mail.text(headers=bool(headers) or any(node.headers for node in texts))
        self._all(self._nodes, self._visit_header)
        return self._all(self._nodes, self._visit_body)

    def _undecided(self, nodes: Sequence[Node]) -> Iterator[Leaf]:
        for node in nodes:
            if id(node) in self._results:
                continue
            if isinstance(node, Group):
                yield from self._undecided(node.keys)
            elif not isinstance(node, tree.InThread):
                yield node


_READING = (tree.Header, tree.Text, tree.Guid, tree.Larger, tree.Smaller, tree.MimePart, When)
#: Of which a mail of the mailbox matches all or none.
_EVERY = (tree.All, tree.InMailbox, tree.InMailboxes, tree.MailboxGuid)
_TOUCHING = (tree.Header, tree.Text, tree.Guid, tree.MimePart)


def leaves(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the keys themselves, without groups."""
    for node in nodes:
        if isinstance(node, Group):
            yield from leaves(node.keys)
        else:
            yield node


def reading_keys(nodes: Sequence[Node]) -> list[Node]:
    """Return the keys that something of the cache is read for."""
    return [node for node in leaves(nodes) if _touches(node)]


def parses_bodies(nodes: Sequence[Node]) -> bool:
    """Whether what is cached then depends on what parts the mail has."""
    return any(isinstance(node, tree.MimePart) for node in leaves(nodes))


def in_threads(nodes: Sequence[Node]) -> list[tree.InThread]:
    """Return the keys that mails are found by through others in their threads."""
    return [node for node in leaves(nodes) if isinstance(node, tree.InThread)]


def asks_index(nodes: Sequence[Node]) -> bool:
    """Whether there is a key that the index alone can rule mails out by."""
    return any(not isinstance(node, (*_READING, *_EVERY)) for node in leaves(nodes))


def _touches(node: Node) -> bool:
    if isinstance(node, When):
        return node.time is not Time.SAVED
    return isinstance(node, _TOUCHING)


def _header(node: Leaf) -> str:
    if isinstance(node, tree.Header):
        name = node.field.decode(errors="surrogateescape")
        return name.upper() if node.by_name else name
    return "date" if isinstance(node, When) and node.time is Time.SENT else ""
