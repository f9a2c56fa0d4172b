"""What one side of a sync does to its list of mailboxes."""

from __future__ import annotations

import enum

import msgspec


class Act(enum.Enum):
    """What is done to a name."""

    DELETE = enum.auto()
    RENAME = enum.auto()
    CREATE = enum.auto()
    CREATE_FOLDER = enum.auto()
    DELETE_FOLDER = enum.auto()
    SUBSCRIBE = enum.auto()
    UNSUBSCRIBE = enum.auto()


class Step(msgspec.Struct, frozen=True):
    """One change of the list of mailboxes."""

    act: Act
    name: str
    #: The new name.
    to: str = ""
    guid: str = ""
    uidvalidity: int = 0
