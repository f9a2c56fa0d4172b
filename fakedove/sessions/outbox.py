"""What is to leave with the next plan, and how plans end."""

from __future__ import annotations

from typing import Final, TypeAlias

from fakedove.plan import PLAN_BYTES, Close, Plan, Send, Step

#: The steps behind what a plan sends; none: the conversation goes on.
Ending: TypeAlias = tuple[Step, ...]

GO_ON: Final[Ending] = ()
CLOSE: Final[Ending] = (Close(),)


class Outbox:
    """Bytes that are gathered for one plan."""

    __slots__ = ("_pieces", "_planned", "total")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        #: Bytes that were ever put, and how many of them are in plans.
        self.total = self._planned = 0

    @property
    def full(self) -> bool:
        """Whether the rest has to wait for the next plan."""
        return self.total - self._planned >= PLAN_BYTES

    def put(self, data: bytes) -> None:
        """Add what follows on the connection; may be nothing."""
        if data:
            self._pieces.append(data)
            self.total += len(data)

    def plan(self, ending: Ending) -> Plan:
        """Return the plan that sends everything and then ends so; the outbox is empty then."""
        if not self._pieces:
            return ending
        send = Send(b"".join(self._pieces))
        self._pieces.clear()
        self._planned = self.total
        return (send, *ending) if ending else (send,)
