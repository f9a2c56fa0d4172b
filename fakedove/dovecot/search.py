"""The search language: a query's arguments in, matching messages out.

Built: `all`, `mailbox`, `uid`, message numbers and the flags, with `not`. Each key is a
function of `_KEYS` that takes its parameters from the query and returns a test.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fakedove.dovecot import masks
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.names import mailbox_name
from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.user import User

#: A mailbox, a message in it and the message's number there, counted from 1.
Test: TypeAlias = Callable[[Mailbox, Message, int], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: which mailboxes to look into, which messages to take."""

    #: Masks of all `mailbox` keys; empty: every mailbox.
    mailboxes: tuple[str, ...]
    tests: tuple[Test, ...]
    #: Whether anything but mailboxes was asked for.
    names_messages: bool
    #: The first key that fakedove cannot search for; what follows it was not read.
    not_built: str | None = None

    def select(self, user: User) -> Iterator[tuple[Mailbox, list[Message]]]:
        """Yield each mailbox that is looked into, with its matching messages."""
        if self.not_built is not None:
            built = ", ".join(sorted([*_KEYS, *_FLAGS])).lower()
            text = f"fakedove does not know the search key {self.not_built} yet; there is: {built}"
            raise Fatal(text.encode())
        for name, box in user.listing():
            if box is not None and self._looks_into(name):
                yield (
                    box,
                    [
                        one
                        for seq, one in enumerate(box.messages, 1)
                        if self._matches(box, one, seq)
                    ],
                )

    def missing(self, user: User) -> str | None:
        """Return the name of a mailbox that was asked for by name and is not there."""
        literal = [one for one in self.mailboxes if not masks.has_wildcard(one.encode(), b"*%")]
        return next((name for name in literal if user.find_mailbox(name) is None), None)

    def _looks_into(self, name: str) -> bool:
        return not self.mailboxes or any(
            masks.mailbox_matches(mask, name) for mask in self.mailboxes
        )

    def _matches(self, box: Mailbox, message: Message, seq: int) -> bool:
        return all(test(box, message, seq) for test in self.tests)


class _NotBuiltError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _Words:
    """The query's words, taken one by one."""

    def __init__(self, words: Sequence[bytes]) -> None:
        self._words = deque(words)
        self.mailboxes: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._words)

    def key(self) -> str:
        return _key(self._words.popleft())

    def parameter(self, key: str) -> bytes:
        if not self._words:
            raise Fatal(f"Missing parameter for search key (for search key: {key})".encode())
        return self._words.popleft()


def _key(word: bytes) -> str:
    return word.upper().decode(errors="surrogateescape")


def parse_query(words: Sequence[bytes]) -> Query:
    """Return the query that `words` make; raise Fatal as the real process dies of a bad one."""
    rest = _Words(words)
    tests = []
    keys = []
    not_built = None
    while rest:
        key = rest.key()
        keys.append(key)
        try:
            tests.append(_test(key, rest))
        except _NotBuiltError as error:
            not_built = error.key
            break
    named = any(key != "MAILBOX" for key in keys)
    return Query(tuple(rest.mailboxes), tuple(tests), named, not_built)


def _test(key: str, words: _Words) -> Test:
    if key in _FLAGS:
        return _flag_test(_FLAGS[key], wanted=True)
    if key.startswith("UN") and key[2:] in _FLAGS:
        return _flag_test(_FLAGS[key[2:]], wanted=False)
    if key in _KEYS:
        return _KEYS[key](words)
    if key[:1].isdigit() or key.startswith("*"):
        return _numbers(key)
    if key in _NOT_BUILT:
        raise _NotBuiltError(key)
    raise Fatal(b"Unknown argument %b" % key.encode(errors="surrogateescape"))


def _flag_test(flag: str, *, wanted: bool) -> Test:
    return lambda _box, message, _seq: (flag in message.flags) is wanted


def _all(words: _Words) -> Test:
    return lambda _box, _message, _seq: True


def _mailbox(words: _Words) -> Test:
    mask = mailbox_name(words.parameter("MAILBOX"))
    words.mailboxes.append(mask)
    return lambda box, _message, _seq: masks.mailbox_matches(mask, box.name)


def _uid(words: _Words) -> Test:
    ranges = _ranges(words.parameter("UID"), b"UID ")
    return lambda _box, message, _seq: any(low <= message.uid <= high for low, high in ranges)


def _numbers(text: str) -> Test:
    ranges = _ranges(text.encode(errors="surrogateescape"), b"")
    # Here `*` is the last message, other than for UIDs.
    return lambda box, _message, seq: any(
        min(low, box.message_count) <= seq <= high if high == _LAST_UID else low <= seq <= high
        for low, high in ranges
    )


def _ranges(text: bytes, what: bytes) -> list[tuple[int, int]]:
    """Return (lowest, highest) pairs of a set of numbers such as `1,3:5,7:*`.

    `*` is the largest number there is, not the last message: `*` alone finds nothing.
    """
    ranges = []
    for part in text.split(b","):
        first, colon, last = part.partition(b":")
        bounds = [first, last if colon else first]
        if not all(bound == b"*" or _NUMBER.fullmatch(bound) for bound in bounds):
            raise Fatal(b"Invalid %bmessageset" % what)
        numbers = [_LAST_UID if bound == b"*" else int(bound) for bound in bounds]
        ranges.append((min(numbers), max(numbers)))
    return ranges


def _not(words: _Words) -> Test:
    wanted = False
    while (key := _key(words.parameter("NOT"))) == "NOT":
        wanted = not wanted
    inner = _test(key, words)
    return lambda box, message, seq: inner(box, message, seq) is wanted


_LAST_UID = 2**32 - 1
_NUMBER = re.compile(rb"0*[1-9][0-9]{0,9}")
_FLAGS = {
    "ANSWERED": "\\Answered",
    "DELETED": "\\Deleted",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}
#: Keys of Dovecot's that there is no test for yet.
_NOT_BUILT = frozenset(
    [
        "(",
        "BCC",
        "BEFORE",
        "BODY",
        "CC",
        "FROM",
        "GUID",
        "HEADER",
        "INTHREAD",
        "KEYWORD",
        "LARGER",
        "MAILBOX-GUID",
        "MIMEPART",
        "MODSEQ",
        "NEW",
        "OLD",
        "OLDER",
        "ON",
        "OR",
        "RECENT",
        "SAVEDBEFORE",
        "SAVEDON",
        "SAVEDSINCE",
        "SENTBEFORE",
        "SENTON",
        "SENTSINCE",
        "SINCE",
        "SMALLER",
        "SUBJECT",
        "TEXT",
        "TO",
        "UNKEYWORD",
        "X-GUID",
        "X-MAILBOX",
        "X-REAL-UID",
        "X-SIZE",
        "YOUNGER",
    ]
)
_KEYS: dict[str, Callable[[_Words], Test]] = {
    "ALL": _all,
    "MAILBOX": _mailbox,
    "NOT": _not,
    "UID": _uid,
}
