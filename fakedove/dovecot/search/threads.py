"""Threads: which mails of a mailbox belong together.

Only who is with whom matters here, not the order. Mails hang together by Message-ID,
References and In-Reply-To; REFERENCES also joins threads whose subjects are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from fakedove.dovecot.message import Message
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


def threads(messages: Iterable[Message], *, by_subject: bool) -> Mapping[int, object]:
    """Return what thread each UID is in: any value that is equal for the UIDs of a thread."""
    forest = _Forest()
    texts = {message.uid: Texts(message.data) for message in messages}
    for uid, one in texts.items():
        forest.add(uid, one)
    roots = {uid: forest.root(uid) for uid in texts}
    if not by_subject:
        return roots
    return _joined_by_subject(texts, roots, forest)


def _joined_by_subject(
    texts: Mapping[int, Texts], roots: Mapping[int, bytes], forest: _Forest
) -> Mapping[int, object]:
    """Join threads whose first mails have the same subject."""
    first: dict[bytes, int] = {}
    for uid, root in roots.items():
        if forest.node_of(uid) == root or root not in first:
            first[root] = uid
    subjects = {}
    for root, uid in first.items():
        fields = texts[uid].fields(b"subject")
        base = base_subject(fields[0].one_line) if fields else ""
        subjects[root] = base or root
    return {uid: subjects[root] for uid, root in roots.items()}


class _Forest:
    """Message IDs with their parents; when all mails are added, their roots can be asked for."""

    def __init__(self) -> None:
        self._roots: dict[bytes, bytes] = {}
        self._have_children: set[bytes] = set()
        self._parents: dict[bytes, bytes] = {}
        self._nodes: dict[int, bytes] = {}
        self._taken: set[bytes] = set()

    def node_of(self, uid: int) -> bytes:
        """Return the node that stands for a mail."""
        return self._nodes[uid]

    def root(self, uid: int) -> bytes:
        """Return the highest node above a mail."""
        node = self._nodes[uid]
        way = []
        while node in self._parents and node not in self._roots:
            way.append(node)
            node = self._parents[node]
        root = self._roots.get(node, node)
        self._roots |= dict.fromkeys(way, root)
        return root

    def add(self, uid: int, texts: Texts) -> None:
        """Add a mail, with the links that its headers tell of."""
        own = next(_ids(texts, b"message-id"), None)
        if own is None or own in self._taken:
            own = b" %d" % uid
        self._taken.add(own)
        self._nodes[uid] = own
        references = list(_ids(texts, b"references"))
        if not references:
            references = list(_ids(texts, b"in-reply-to"))[:1]
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


def base_subject(subject: bytes) -> str:
    """Return the subject without `Re:`, `Fwd:`, `(fwd)` and the like (RFC 5256 section 2.1)."""
    text = _WHITE.sub(" ", normal(decode_words(subject).decode(errors="replace")))
    while True:
        text = _TRAILER.sub("", text)
        while (shorter := _without_leader(text)) != text:
            text = shorter
        if not (text.startswith("[FWD:") and text.endswith("]")):
            return text
        text = text[5:-1]


def _without_leader(text: str) -> str:
    leader = _LEADER.match(text)
    text = text[leader.end() :] if leader else text.removeprefix(" ")
    blob = _LEADING_BLOB.match(text)
    return text[blob.end() :] if blob else text
