"""What time it is for the fake: the real time, until a test sets or moves it.

Everything that asks for the time (save dates, UIDVALIDITY, faults "for a while") asks the
clock it was handed, never the system.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Seconds of a day.
DAY = 86400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """A clock in UTC that a test can stop at a moment and move.

    It runs with the wall clock until `set`; from then on it stands still, and only `set`,
    `advance` and `run` move it. `advance` before `set` shifts the running clock.
    """

    __slots__ = ("_shift", "_stopped", "nanoseconds")

    def __init__(self, start: datetime | None = None) -> None:
        """Start at the real time, or stopped at `start`."""
        #: Returns the time in nanoseconds since 1970; while the clock just runs, at a tenth of
        #: what `now` costs, for what asks with every command.
        self.nanoseconds: Callable[[], int] = time.time_ns
        self._shift = timedelta(0)
        self._stopped: datetime | None = None
        self.become(start)

    def now(self) -> datetime:
        """Return the time, in UTC."""
        if self._stopped is not None:
            return self._stopped
        return datetime.now(UTC) + self._shift

    def set(self, moment: datetime) -> None:
        """Stop the clock at `moment`; one without a time zone is taken as UTC."""
        self._stopped = in_utc(moment)
        self.nanoseconds = self._reckoned

    def run(self) -> None:
        """Go with the wall clock again, unshifted."""
        self._shift, self._stopped = timedelta(0), None
        self.nanoseconds = time.time_ns

    def become(self, start: datetime | None) -> None:
        """Be as a new clock that starts at `start`."""
        if start is None:
            self.run()
        else:
            self.set(start)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`, or back by a negative number of them."""
        if self._stopped is not None:
            self._stopped += timedelta(seconds=seconds)
        else:
            self._shift += timedelta(seconds=seconds)
            self.nanoseconds = self._reckoned

    def _reckoned(self) -> int:
        return (self.now() - _EPOCH) // _MICROSECOND * 1000


def moment(nanoseconds: int) -> datetime:
    """Return the moment, in UTC, that is so many nanoseconds after 1970."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def in_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; without a time zone it is UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
