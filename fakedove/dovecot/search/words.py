"""From a query's words to its tree.

Parentheses are words of their own. OR between keys makes an OR of all that stands with them in
the same parentheses; Dovecot wants it between each two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import keys, tree
from fakedove.dovecot.search.sets import parse_set
from fakedove.dovecot.search.tree import Group, InThread, Node, Threading, negate
from fakedove.dovecot.search.word_reader import WordReader

#: Lists in each other that have more in them than one list.
_MOST_NESTED = 150
_THREADINGS = {
    b"REFERENCES": Threading.REFERENCES,
    b"REFS": Threading.REFS,
    b"ORDEREDSUBJECT": Threading.ORDERED_SUBJECT,
}


def parse(words: Sequence[bytes], release: Release, now: int) -> tuple[tuple[Node, ...], bool]:
    """Return the keys that all must match, and whether the search ends where they do not.

    `now` is in seconds since 1970. Raises Fatal for a bad query, as the process dies of it.
    """
    parser = _Parser(keys.Source(WordReader(words), release, now))
    root = parser.read().group()
    nodes: tuple[Node, ...] = (root,) if root.any_of else root.keys
    return nodes, parser.oldest_only


@dataclass(slots=True)
class _List:
    """A list under work."""

    nodes: list[Node] = field(default_factory=list)
    #: Whether an OR stood before its last key.
    any_of: bool = False
    #: What stood before the key to come.
    is_or: bool = False
    negated: bool = False
    needs_key: bool = False
    #: Lists in each other in its keys.
    depth: int = 0

    def add(self, node: Node) -> None:
        if self.any_of and not self.is_or:
            raise Fatal(b"Use parenthesis when mixing ANDs and ORs")
        self.nodes.append(negate(node) if self.negated else node)
        self.any_of = self.is_or
        self.is_or = self.negated = self.needs_key = False

    def add_list(self, inner: _List) -> None:
        group = inner.group()
        if not group.keys:
            raise Fatal(b"No search parameters inside list")
        first = group.keys[0]
        if len(group.keys) == 1 and _is_plain_list(first) and not group.any_of:
            # Parentheses around parentheses; so there can be thousands.
            self.add(first)
            self.depth = max(self.depth, inner.depth)
            return
        self.add(group)
        self.depth = max(self.depth, inner.depth + 1)
        if self.depth > _MOST_NESTED:
            raise Fatal(b"fakedove cannot follow more than %d lists in each other" % _MOST_NESTED)

    def group(self) -> Group:
        return Group(tuple(self.nodes), self.any_of)


def _is_plain_list(node: Node) -> bool:
    return isinstance(node, Group) and not node.any_of and not node.negated


class _Parser:
    def __init__(self, source: keys.Source) -> None:
        self._source = source
        self._words = source.words
        self.oldest_only = False
        self._threads = 0

    def read(self, *, one_key: bool = False) -> _List:
        """Read keys up to the end of the list, or just one."""
        open_lists = [_List()]
        while True:
            current = open_lists[-1]
            word = self._words.key()
            if word is None:
                if current.needs_key:
                    raise Fatal(b"Missing argument")
                if len(open_lists) == 1:
                    return current
                open_lists.pop()
                open_lists[-1].add_list(current)
            elif word == WordReader.LIST:
                open_lists.append(_List())
            else:
                self._take(word.upper(), current)
            if one_key and open_lists[0].nodes:
                return open_lists[0]

    def _take(self, key: bytes, current: _List) -> None:
        match key:
            case b"OR":
                current.is_or = True
            case b"NOT":
                current.negated = not current.negated
            case b"FUZZY" if self._source.knows("FUZZY"):
                pass
            case _:
                current.add(self._named(key))
                return
        current.needs_key = True

    def _named(self, key: bytes) -> Node:
        name = key.decode("latin-1")
        if not self._source.knows(name):
            return _numbers(key)
        if name == "INTHREAD":
            return self._in_thread()
        if name == "OLDESTONLY":
            self.oldest_only = True
        return keys.KEYS[name](self._source)

    def _in_thread(self) -> Node:
        threading = _THREADINGS.get(self._words.parameter().upper())
        if threading is None:
            raise Fatal(b"Unknown thread algorithm")
        self._threads += 1
        if self._threads > _MOST_NESTED:
            raise Fatal(b"fakedove cannot follow more than %d INTHREADs" % _MOST_NESTED)
        found = self.read(one_key=True)
        if not found.nodes:
            raise Fatal(b"Missing argument")
        if found.any_of:
            # The OR makes an OR of the thread key itself.
            return found.group()
        return InThread(threading, tuple(found.nodes))


def _numbers(key: bytes) -> Node:
    if not key[:1].isdigit() and not key.startswith(b"*"):
        raise Fatal(b"Unknown argument %b" % key)
    ranges = parse_set(key)
    if ranges is None:
        raise Fatal(b"Invalid messageset")
    return tree.Numbers(ranges)
