"""The Date header: a moment and its zone, or nothing where Dovecot finds no date."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

from fakedove.dovecot.mime.scanner import Found, Scanner

_MONTHS = [name.lower().encode() for name in calendar.month_abbr[1:]]
_TIME_SEPARATORS = b":."
#: Hours west of Greenwich in winter.
_AMERICAN = {b"E": 5, b"C": 6, b"M": 7, b"P": 8}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _NoDateError(Exception):
    pass


def parse_date(value: bytes) -> tuple[int, int] | None:
    """Return seconds since 1970 and the zone in minutes east of Greenwich, or None.

    >>> parse_date(b"Tue, 02 Jan 2024 11:22:33 +0200")
    (1704187353, 120)
    """
    try:
        return _Reader(value).read()
    except _NoDateError:
        return None


class _Reader:
    def __init__(self, value: bytes) -> None:
        self._scanner = Scanner(value)

    def read(self) -> tuple[int, int]:
        """Read `[weekday ,] day month year hour:minute[:second] [zone]`."""
        scanner = self._scanner
        scanner.skip_white()
        word = self._word()
        if len(word) == 3:
            if not scanner.take(b","):
                raise _NoDateError
            scanner.skip_white()
            word = self._word()
        day = _number(word, 1, 2)
        month = _month(self._word())
        year = _year(self._word())
        hour = _number(self._word(), 1, 2)
        minute = self._after_separator()
        if minute is None:
            raise _NoDateError
        second = self._after_separator() or 0
        zone = _zone(self._word(optional=True))
        return _moment(year, month, day, hour, minute, second) - zone * 60, zone

    def _word(self, *, optional: bool = False) -> bytes:
        word = bytearray()
        if self._scanner.at_end:
            if optional:
                return b""
            raise _NoDateError
        if self._scanner.read_atom(word) is Found.BROKEN:
            raise _NoDateError
        return bytes(word)

    def _after_separator(self) -> int | None:
        if not self._scanner.at(_TIME_SEPARATORS):
            return None
        self._scanner.position += 1
        self._scanner.skip_white()
        return _number(self._word(), 2, 2)


def _number(word: bytes, shortest: int, longest: int) -> int:
    if not shortest <= len(word) <= longest or not word.isdigit():
        raise _NoDateError
    return int(word)


def _month(word: bytes) -> int:
    try:
        return _MONTHS.index(word[:3].lower()) + 1
    except ValueError:
        raise _NoDateError from None


def _year(word: bytes) -> int:
    year = _number(word, 2, 4)
    if len(word) == 2:
        return year + (2000 if year < 70 else 1900)
    if len(word) == 3 or year < 1900:
        raise _NoDateError
    return year


def _zone(word: bytes) -> int:
    """Return a zone in minutes; one that is not known is Greenwich."""
    upper = word.upper()
    if len(word) == 5 and word[:1] in (b"+", b"-"):
        if not word[1:].isdigit():
            return 0
        minutes = int(word[1:3]) * 60 + int(word[3:])
        return minutes if word[:1] == b"+" else -minutes
    if len(word) == 1:
        return _military(word)
    if len(word) == 3 and word[2:] == b"T" and upper[:1] in _AMERICAN:
        winter = -60 * _AMERICAN[upper[:1]]
        return {b"D": winter + 60, b"S": winter}.get(upper[1:2], 0)
    return 0


def _military(word: bytes) -> int:
    """Return a zone of one letter: A is one hour east, N one hour west, J is nowhere."""
    letter, upper = word[0], word.upper()[0]
    if upper < ord("J"):
        return (letter - ord("A") + 1) * 60
    if upper == ord("J"):
        return 0
    if upper <= ord("M"):
        return (letter - ord("A")) * 60
    if upper < ord("Z"):
        return (ord("M") - letter) * 60
    return 0


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Return seconds since 1970; a leap second is the second before it."""
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        raise _NoDateError from None
    if second > 60:
        raise _NoDateError
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if seconds == -1:
        raise _NoDateError
    return seconds
