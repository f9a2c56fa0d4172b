"""The words of a `mimepart` key: a language of its own, in which OR stands before its keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import mimepart_tree as tree
from fakedove.dovecot.search.mimepart_tree import Kin, MimeGroup, MimeNode, Property, negate
from fakedove.dovecot.search.quantities import parse_imap_date
from fakedove.dovecot.search.word_reader import WordReader

#: With more keys in each other the process is taken to run out of stack.
_MOST_NESTED = 150
_MOST_SIZE, _MOST_NUMBER = 2**64 - 1, 2**32 - 1
_DIGITS = re.compile(rb"[0-9]{1,30}")


def parse(words: WordReader, *, strict: bool) -> tuple[MimeNode, ...]:
    """Return the keys that all must match; `strict` about days that do not exist."""
    node = _Parser(words, strict).read_key(in_kin=False)
    if isinstance(node, MimeGroup) and not node.any_of and not node.negated:
        return node.keys
    return (node,)


class _ExistsError(Exception):
    """EXISTS where PARENT or CHILD waits for a key."""

    def __init__(self, negated: bool) -> None:
        super().__init__()
        self.negated = negated


class _Parser:
    def __init__(self, words: WordReader, strict: bool) -> None:
        self.words = words
        self.strict = strict
        self._nested = 0

    def read_key(self, *, in_kin: bool) -> MimeNode:
        """Read one key; raises Fatal if there is none."""
        node = self._read(in_kin)
        if node is None:
            raise Fatal(b"Missing MIMEPART key")
        return node

    def _read(self, in_kin: bool) -> MimeNode | None:
        """Read one key, or None at the end of the list."""
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise Fatal(b"killed with signal 11", crash=True)
        negated = False
        while (word := self.words.key()) is not None and word.upper() == b"NOT":
            negated = not negated
        if word is None:
            if negated:
                raise Fatal(b"Missing MIMEPART key")
            node: MimeNode | None = None
        elif word == WordReader.LIST:
            node = self._list()
        elif word.upper() == b"EXISTS":
            if not in_kin:
                raise Fatal(b"EXISTS key can only be used with PARENT or CHILD")
            self._nested -= 1
            raise _ExistsError(negated)
        else:
            node = self._named(word.upper())
        self._nested -= 1
        return negate(node) if negated and node is not None else node

    def _list(self) -> MimeGroup:
        nodes = []
        while (node := self._read(in_kin=False)) is not None:
            nodes.append(node)
        if not nodes:
            raise Fatal(b"No MIMEPART keys inside list")
        return MimeGroup(tuple(nodes))

    def _named(self, key: bytes) -> MimeNode:
        read = _KEYS.get(key.decode("latin-1"))
        if read is None:
            raise Fatal(b"Unknown MIMEPART key %b" % key)
        return read(self)

    def text(self) -> str:
        """Take a text that may be anything."""
        return self.words.parameter().decode(errors="surrogateescape")

    def keyword(self, complaint: bytes) -> bytes:
        """Take a word that says what the next one is; raises Fatal with `complaint`."""
        try:
            word = self.words.key()
        except Fatal:
            word = None
        if word is None:
            raise Fatal(complaint)
        return word.upper()

    def parameter(self, complaint: bytes) -> bytes:
        """Take a parameter; raises Fatal with `complaint` if there is none."""
        try:
            return self.words.parameter()
        except Fatal:
            raise Fatal(complaint) from None


_Read: TypeAlias = Callable[[_Parser], MimeNode]


def _or(parser: _Parser) -> MimeNode:
    nodes = [parser.read_key(in_kin=False)]
    while parser.words.skip(b"OR"):
        nodes.append(parser.read_key(in_kin=False))
    nodes.append(parser.read_key(in_kin=False))
    return MimeGroup(tuple(nodes), any_of=True)


def _kin(is_parent: bool) -> _Read:
    def read(parser: _Parser) -> MimeNode:
        try:
            node = parser.read_key(in_kin=True)
        except _ExistsError as exists:
            return Kin(is_parent, (), exists.negated)
        if isinstance(node, MimeGroup) and not node.any_of:
            # A NOT before the list is lost.
            return Kin(is_parent, node.keys)
        return Kin(is_parent, (node,))

    return read


def _is(which: Property) -> _Read:
    return lambda parser: tree.Is(which, parser.text())


def _sent(relation: str) -> _Read:
    def read(parser: _Parser) -> MimeNode:
        seconds = parse_imap_date(parser.words.parameter(), strict=parser.strict)
        if seconds is None:
            raise Fatal(b"Invalid search date parameter")
        return tree.Sent(relation, seconds)

    return read


def _size(parser: _Parser) -> MimeNode:
    complaint = b"Invalid MIMEPART SIZE value"
    key = parser.keyword(b"Invalid MIMEPART SIZE key type")
    word = parser.parameter(complaint) if key in (b"LARGER", b"SMALLER") else key
    size = _number(word, _MOST_SIZE)
    if size is None:
        raise Fatal(complaint)
    match key:
        case b"LARGER":
            return tree.Bytes(size + 1, _MOST_SIZE)
        case b"SMALLER":
            return tree.Bytes(0, size - 1)
    return tree.Bytes(size, size)


def _depth(parser: _Parser) -> MimeNode:
    key = parser.keyword(b"Invalid MIMEPART DEPTH key")
    word = key
    if key in (b"MIN", b"MAX"):
        word = parser.parameter(b"Invalid MIMEPART DEPTH value")
    depth = _number(word, _MOST_NUMBER)
    if depth is None:
        raise Fatal(b"Invalid MIMEPART DEPTH level")
    least = 0 if key == b"MAX" else depth
    return tree.Place(is_depth=True, least=least, most=_MOST_NUMBER if key == b"MIN" else depth)


def _index(parser: _Parser) -> MimeNode:
    index = _number(parser.parameter(b"Invalid MIMEPART INDEX value"), _MOST_NUMBER)
    if index is None:
        raise Fatal(b"Invalid MIMEPART INDEX number")
    return tree.Place(is_depth=False, least=index, most=index)


def _number(word: bytes, most: int) -> int | None:
    if _DIGITS.fullmatch(word) is None or int(word) > most:
        return None
    return int(word)


def _disposition(parser: _Parser) -> MimeNode:
    complaint = b"Invalid MIMEPART DISPOSITION key type"
    match parser.keyword(complaint):
        case b"TYPE":
            value = parser.parameter(b"Invalid MIMEPART DISPOSITION TYPE value")
            return tree.Is(Property.DISPOSITION, value.decode(errors="surrogateescape"))
        case b"PARAM":
            return replace(_parameter(parser), of_disposition=True)
    raise Fatal(complaint)


def _parameter(parser: _Parser) -> tree.Parameter:
    return tree.Parameter(parser.words.text(), parser.words.text(), of_disposition=False)


def _filename(parser: _Parser) -> MimeNode:
    complaint = b"Invalid MIMEPART FILENAME match type"
    how = parser.keyword(complaint)
    if how not in (b"IS", b"CONTAINS", b"BEGINS", b"ENDS"):
        raise Fatal(complaint)
    value = parser.parameter(b"Invalid MIMEPART FILENAME string value")
    try:
        return tree.Filename(how.decode(), value.decode())
    except UnicodeDecodeError:
        raise Fatal(b"Invalid MIMEPART FILENAME stromg value") from None


def _unsearchable_header(parser: _Parser) -> MimeNode:
    _parameter(parser)
    return tree.Unsearchable()


def _unsearchable_text(parser: _Parser) -> MimeNode:
    parser.words.text()
    return tree.Unsearchable()


_KEYS: dict[str, _Read] = {
    "OR": _or,
    "SENTBEFORE": _sent("BEFORE"),
    "SENTON": _sent("ON"),
    "SENTSINCE": _sent("SINCE"),
    "SIZE": _size,
    "DISPOSITION": _disposition,
    "PARAM": _parameter,
    "HEADER": _unsearchable_header,
    "BODY": _unsearchable_text,
    "TEXT": _unsearchable_text,
    "DEPTH": _depth,
    "INDEX": _index,
    "PARENT": _kin(is_parent=True),
    "CHILD": _kin(is_parent=False),
    "FILENAME": _filename,
    **{
        which.name.replace("_", "-"): _is(which)
        for which in Property
        if which is not Property.DISPOSITION
    },
}
