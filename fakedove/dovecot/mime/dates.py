"""The Date header: a moment and its zone, or nothing where Dovecot finds no date."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from fakedove.dovecot.mime.lexical import ATEXT, without_comments

_MONTHS = [name.lower().encode() for name in calendar.month_abbr[1:]]
#: Hours west of Greenwich in winter.
_AMERICAN = {b"E": 5, b"C": 6, b"M": 7, b"P": 8}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 2**32 - 1


_DATE = re.compile(
    rb"""
    (?: %(word)b{3} %(end)b , %(gap)b )?+
    (?P<day> [0-9]{1,2} ) %(end)b
    (?P<month> %(months)b ) %(word)b*+ %(end)b
    (?P<year> [0-9]{2} | (?!1[0-8]|0)[0-9]{4} ) %(end)b
    (?P<hour> [0-9]{1,2} ) %(end)b
    [:.] %(gap)b (?P<minute> [0-9]{2} ) %(end)b
    (?: [:.] %(gap)b (?P<second> [0-9]{2} ) %(end)b )?+
    (?: (?P<zone> %(word)b++ ) %(end)b (?!\() | \Z )
    """
    % {
        b"word": rb"[%b]" % ATEXT,
        b"end": rb"(?![%b])[ \t\r\n]*+" % ATEXT,
        b"gap": rb"[ \t\r\n]*+",
        b"months": b"|".join(_MONTHS),
    },
    re.IGNORECASE | re.VERBOSE,
)


def in_32_bits(seconds: int, *, clamped: bool) -> int:
    """Return a time as the index keeps it: what does not fit is cut off, or clamped."""
    return min(max(seconds, 0), _LAST_SECOND) if clamped else seconds & _LAST_SECOND


def parse_date(value: bytes) -> tuple[int, int] | None:
    """Return seconds since 1970 and the zone in minutes east of Greenwich, or None.

    >>> parse_date(b"Tue, 02 Jan 2024 11:22:33 +0200")
    (1704187353, 120)
    """
    match = _DATE.match(without_comments(value).lstrip(b" \t\r\n"))
    if match is None:
        return None
    day, hour, minute, second = (
        int(match[name] or b"0") for name in ("day", "hour", "minute", "second")
    )
    month = _MONTHS.index(match["month"].lower()) + 1
    zone = _zone(match["zone"] or b"")
    local = _seconds(_year(match["year"]), month, day, hour, minute, second)
    return None if local is None else (local - zone * 60, zone)


def _year(digits: bytes) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if digits < b"70" else 1900)


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


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Return seconds since 1970, None where there is no such moment.

    A leap second is the second before it. The last second of 1969 counts as none.
    """
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return None if second > 60 or seconds == -1 else seconds
