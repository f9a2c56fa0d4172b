"""Who answers whom: mails hang together by Message-ID, References and In-Reply-To.

`thread_walk` makes threads of them, which go by dates and subjects too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from fakedove.dovecot.mime.encoded_words import decode_words
from fakedove.dovecot.mime.lexical import ATOM, QUOTED, content, gap_at, read
from fakedove.dovecot.search.normal import normal
from fakedove.dovecot.search.texts import Texts

_PLAIN_ID = re.compile(rb"<([^>\"(\[]*)([>\"(\[])")
_AT, _DOT = re.compile(rb"@"), re.compile(rb"\.")
_WHITE = re.compile(r"[ \t\r\n]+")
_TRAILER = re.compile(r"(?: |\(FWD\))+\Z")
_BLOB = r"\[[^\[\]]*\] ?"
_LEADER = re.compile(rf" ?(?:{_BLOB})*(?:RE|FWD?) ?(?:{_BLOB})?:")
_LEADING_BLOB = re.compile(rf"{_BLOB}(?=.)", re.DOTALL)


class Forest:
    """Message IDs with their parents; `top` can be asked for when all mails are added."""

    def __init__(self) -> None:
        #: Nodes in the order in which Dovecot numbers them: mails with an ID of others come last.
        self._numbered: dict[bytes, None] = {}
        self._others: list[bytes] = []
        self._roots: dict[bytes, bytes] = {}
        self._have_children: set[bytes] = set()
        self._parents: dict[bytes, bytes] = {}
        self._nodes: dict[int, bytes] = {}
        self._taken: set[bytes] = set()

    def nodes(self) -> tuple[bytes, ...]:
        """Return all nodes, in the order of their numbers."""
        return (*self._numbered, *self._others)

    def parent(self, node: bytes) -> bytes | None:
        """Return the node above one, None for a root."""
        return self._parents.get(node)

    def uids(self) -> dict[bytes, int]:
        """Return which mail each node stands for; other nodes are known by name only."""
        return {node: uid for uid, node in self._nodes.items()}

    def top(self, node: bytes) -> bytes:
        """Return the highest node above one, or that itself."""
        way = []
        while node in self._parents and node not in self._roots:
            way.append(node)
            node = self._parents[node]
        root = self._roots.get(node, node)
        self._roots |= dict.fromkeys(way, root)
        return root

    def add(self, uid: int, texts: Texts) -> None:
        """Add a mail, with the links that its headers tell of."""
        own, references, _ = links(texts)
        if own is not None and own in self._taken:
            own = b" %d" % uid
            self._others.append(own)
        elif own is None:
            own = b" %d" % uid
            self._numbered[own] = None
        else:
            self._numbered.setdefault(own)
        self._numbered.update(dict.fromkeys(references))
        self._taken.add(own)
        self._nodes[uid] = own
        for parent, child in pairwise(references):
            self._link(parent, child)
        above = references[-1] if references else None
        if self._parents.get(own, above) != above:
            del self._parents[own]
        if above is not None:
            self._link(above, own)

    def _link(self, parent: bytes, child: bytes) -> None:
        """Make `parent` the parent, unless there is one or it would make a circle."""
        node = parent
        if child in self._have_children:
            while node != child and node in self._parents:
                node = self._parents[node]
        if node != child:
            self._parents.setdefault(child, parent)
            self._have_children.add(parent)


def links(texts: Texts) -> tuple[bytes | None, list[bytes], bytes]:
    """Return a mail's ID, those that it refers to, oldest first, and the header they are in."""
    own = next(_ids(texts, b"message-id"), None)
    references = list(_ids(texts, b"references"))
    if references:
        return own, references, b"references"
    return own, list(_ids(texts, b"in-reply-to"))[:1], b"in-reply-to"


def _ids(texts: Texts, header: bytes) -> Iterator[bytes]:
    """Yield the message IDs in the first header of this name, as far as they are good."""
    fields = texts.fields(header)
    value = fields[0].one_line if fields else b""
    position = 0
    while (match := _PLAIN_ID.search(value, position)) is not None:
        position = match.end()
        if match[2] == b">":
            if b"@" in match[1]:
                yield b"".join(match[1].split())
            continue
        position = match.start() + 1
        found = _read_id(value, position)
        if found is not None:
            text, position = found
            yield text


def _read_id(value: bytes, at: int) -> tuple[bytes, int] | None:
    """Read `local@domain>` with quotation marks or comments in it; return also where it ends."""
    at = gap_at(value, at).end
    if value.startswith(b'"', at):
        quoted = read(value, at, QUOTED)
        local = b"".join(content(text[1:-1], nul=b"\0") for text in quoted.texts)
        at = quoted.end
    else:
        local, at = _read_atoms(value, at)
    sign = read(value, at, _AT)
    domain, end = _read_atoms(value, sign.end)
    if not sign.texts or not value.startswith(b">", end):
        return None
    return b"%b@%b" % (local, domain), end + 1


def _read_atoms(value: bytes, at: int) -> tuple[bytes, int]:
    """Read atoms with dots between them."""
    pieces = read(value, at, ATOM)
    text = b"".join(pieces.texts)
    while pieces.complete and value.startswith(b".", pieces.end):
        pieces = read(value, pieces.end, _DOT, ATOM)
        text += b"".join(pieces.texts)
    return text, pieces.end if pieces.complete else len(value)


def base_subject(subject: bytes) -> tuple[str, bool]:
    """Return the subject without `Re:`, `Fwd:`, `(fwd)` and the like (RFC 5256 section 2.1).

    With it comes whether it had one of them.
    """
    text = _WHITE.sub(" ", normal(decode_words(subject).decode(errors="replace")))
    answers = False
    while True:
        trailer = _TRAILER.search(text)
        if trailer is not None:
            answers |= "F" in trailer[0]
            text = text[: trailer.start()]
        while True:
            leader = _LEADER.match(text)
            answers |= leader is not None
            shorter = _without_blob(text[leader.end() :] if leader else text.removeprefix(" "))
            if shorter == text:
                break
            text = shorter
        if not (text.startswith("[FWD:") and text.endswith("]")):
            return text, answers
        text, answers = text[5:-1], True


def _without_blob(text: str) -> str:
    blob = _LEADING_BLOB.match(text)
    return text[blob.end() :] if blob else text
