"""What is said while a mailbox takes over what the other side of a sync has."""

from __future__ import annotations

import enum

import msgspec


class Tone(enum.Enum):
    """Which kind of line it is."""

    DETAIL = enum.auto()
    #: A detail that only recent releases tell.
    RECENT_DETAIL = enum.auto()
    #: The mailbox can only be deleted, to be copied anew.
    HOPELESS = enum.auto()
    #: The mailbox is not what the state of the last time says.
    UNEXPECTED = enum.auto()
    ERROR = enum.auto()


class Said(msgspec.Struct, frozen=True):
    """One line, in Dovecot's words, without what stands before it."""

    text: str
    tone: Tone = Tone.DETAIL
