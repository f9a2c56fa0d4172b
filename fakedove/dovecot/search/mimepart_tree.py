"""The query of a `mimepart` key as a tree: what one part of a mail must be like."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TypeAlias


class Property(enum.Enum):
    """What is compared with a text."""

    DESCRIPTION = enum.auto()
    DISPOSITION = enum.auto()
    ENCODING = enum.auto()
    ID = enum.auto()
    LANGUAGE = enum.auto()
    LOCATION = enum.auto()
    MD5 = enum.auto()
    TYPE = enum.auto()
    SUBTYPE = enum.auto()
    BCC = enum.auto()
    CC = enum.auto()
    FROM = enum.auto()
    IN_REPLY_TO = enum.auto()
    MESSAGE_ID = enum.auto()
    REPLY_TO = enum.auto()
    SENDER = enum.auto()
    SUBJECT = enum.auto()
    TO = enum.auto()


class Comparison(enum.Enum):
    """How a number compares."""

    EQUAL = enum.auto()
    LEAST = enum.auto()
    MOST = enum.auto()


@dataclass(frozen=True, slots=True)
class Is:
    """A property of the part."""

    property: Property
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the content type, or of the disposition; an empty text asks if it is there."""

    name: str
    text: str
    of_disposition: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The date in the part's envelope."""

    #: BEFORE, ON or SINCE.
    relation: str
    #: Since 1970.
    seconds: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Bytes:
    """The size of the part's body, within these bounds."""

    least: int
    most: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the part is: its depth, or its index among its siblings, within these bounds."""

    is_depth: bool
    least: int
    most: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filename:
    """The name of an attached file: `how` is IS, CONTAINS, BEGINS or ENDS."""

    how: str
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unsearchable:
    """A key that Dovecot parses but cannot decide: HEADER, BODY, TEXT."""

    negated: bool = False


@dataclass(frozen=True, slots=True)
class Kin:
    """The part's parent, or any part below it; without keys, whether there is one."""

    is_parent: bool
    keys: tuple[MimeNode, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class MimeGroup:
    """Keys that must all match, or of which any one must."""

    keys: tuple[MimeNode, ...]
    any_of: bool = False
    negated: bool = False


MimeNode: TypeAlias = (
    Is | Parameter | Sent | Bytes | Place | Filename | Unsearchable | Kin | MimeGroup
)


def negate(node: MimeNode) -> MimeNode:
    """Return the opposite of `node`."""
    return replace(node, negated=not node.negated)
