"""A query as a tree: keys, and groups of them.

A key that is `negated` matches what it would not match otherwise. Keys are values, so equal
keys can be found and merged (`simplify`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import TypeAlias, TypeVar

from fakedove.dovecot.search.mimepart_tree import MimeNode
from fakedove.dovecot.search.quantities import Moment
from fakedove.dovecot.search.sets import Ranges


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""

    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Message numbers. No two are equal, since messages move."""

    ranges: Ranges
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Uids:
    """UIDs; `real` ones are those of the mailbox behind a virtual one."""

    ranges: Ranges
    real: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Flags:
    """System flags that must all be set, \\Recent included."""

    flags: frozenset[str]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword, as it was written."""

    word: str
    negated: bool = False


class Relation(enum.Enum):
    """How a mail's time relates to the moment."""

    BEFORE = enum.auto()
    ON = enum.auto()
    SINCE = enum.auto()


class Time(enum.Enum):
    """Which of a mail's times is meant."""

    SENT = enum.auto()
    RECEIVED = enum.auto()
    SAVED = enum.auto()


@dataclass(frozen=True, slots=True)
class When:
    """A mail's time; ON is within the 24 hours from the moment on."""

    relation: Relation
    time: Time
    moment: Moment
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Larger:
    """More bytes, with CRLF line ends, than this."""

    size: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Smaller:
    """Fewer bytes, with CRLF line ends, than this."""

    size: int
    negated: bool = False


class Reading(enum.Enum):
    """What is made of a header's value before the text is looked for in it."""

    PLAIN = enum.auto()
    #: The addresses, written in one form.
    ADDRESSES = enum.auto()
    #: Runs of white space are one space.
    PACKED = enum.auto()


@dataclass(frozen=True, slots=True)
class Header:
    """A text in a header field; an empty one asks whether the field is there."""

    field: bytes
    text: str
    reading: Reading = Reading.PLAIN
    negated: bool = False
    #: Whether the field was given by name, which caches call it by then, in capitals.
    by_name: bool = dataclass_field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the body, or with `headers` anywhere in the mail."""

    text: str
    headers: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Guid:
    """A mail's GUID."""

    guid: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Modseq:
    """A modification sequence of at least this."""

    modseq: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SaveDate:
    """Whether there is a date of saving."""

    negated: bool = False


@dataclass(frozen=True, slots=True)
class InMailbox:
    """The mailbox of this name."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InMailboxes:
    """Mailboxes by an IMAP list pattern."""

    mask: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class MailboxGuid:
    """The mailbox of this GUID."""

    guid: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class MimePart:
    """Any MIME part that a query of its own matches."""

    query: tuple[MimeNode, ...]
    negated: bool = False


class Threading(enum.Enum):
    """How mails make threads."""

    REFERENCES = enum.auto()
    REFS = enum.auto()
    #: Known by name, but the real process aborts on it.
    ORDERED_SUBJECT = enum.auto()


@dataclass(frozen=True, slots=True)
class InThread:
    """Messages in a thread in which any message matches all of `keys`."""

    threading: Threading
    keys: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that must all match, or of which any one must."""

    keys: tuple[Node, ...]
    any_of: bool = False
    negated: bool = False


MailboxKey: TypeAlias = InMailbox | InMailboxes | MailboxGuid
Leaf: TypeAlias = (
    All
    | Numbers
    | Uids
    | Flags
    | Keyword
    | When
    | Larger
    | Smaller
    | Header
    | Text
    | Guid
    | Modseq
    | SaveDate
    | MimePart
    | MailboxKey
)
Node: TypeAlias = Leaf | InThread | Group
_AnyNode = TypeVar("_AnyNode", bound=Node)


def negate(node: _AnyNode) -> _AnyNode:
    """Return the opposite of `node`."""
    return replace(node, negated=not node.negated)
