"""What both sides of a sync are told to do."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.wanted import Wanted


class Looks(enum.Enum):
    """Which mailboxes are looked at."""

    #: Those that seem to differ.
    DIFFERING = enum.auto()
    ALL = enum.auto()
    #: Those that are not as the state of the last time says.
    CHANGED = enum.auto()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides are told to do."""

    wanted: Wanted
    looks: Looks
    #: The state of the last time, by GUID.
    given: Mapping[str, MailboxState]
    #: Seconds to wait for the lock; 0: there is none.
    lock: int

    def takes(self, *, master: bool) -> bool:
        """Whether that side takes over what the other one has."""
        return self.wanted.near_takes if master else self.wanted.far_takes
