"""Who may be served: a service takes so many connections at a time, the others wait in line.

As with a service of Dovecot that has all its processes: nobody is refused, nobody is accepted
before it is his turn (recordings concurrent-process_limit-1-*).
"""

from __future__ import annotations

from collections.abc import Callable

import trio

#: Seconds in which it is said once that somebody waits.
_SAID_FOR = 1.0


class Turns:
    """The turns of one service, over all its listeners; given out in the order of asking."""

    def __init__(self, limit: int, full: Callable[[], None]) -> None:
        """Have `limit` turns; `full` is told when somebody has to wait, once a second."""
        self.limit = limit
        self._full = full
        self._taken = 0
        self._said = -_SAID_FOR
        self._waiting = trio.lowlevel.ParkingLot()

    async def take(self) -> None:
        """Wait for a turn."""
        if self._taken < self.limit:
            self._taken += 1
            return
        now = trio.current_time()
        if now - self._said >= _SAID_FOR:
            self._said = now
            self._full()
        # Whoever gives a turn back hands it over.
        await self._waiting.park()

    def give_back(self) -> None:
        """End a turn."""
        if not self._waiting.unpark():
            self._taken -= 1
