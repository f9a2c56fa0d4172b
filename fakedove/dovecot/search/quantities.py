"""Moments and sizes as queries write them.

A moment is a day, an IMAP date, seconds since 1970 or how long ago; releases differ in what
they make of days that do not exist. The server's own time zone is UTC.
"""

from __future__ import annotations

import calendar
import re

import msgspec

from fakedove.dovecot.clock import DAY

#: Highest numbers of C types: time_t, unsigned int, uintmax_t.
_MOST_TIME = 2**63 - 1
_MOST_INTERVAL = 2**32 - 1
_MOST_SIZE = 2**64 - 1
#: What an IMAP date up to 2000 is that is no day.
_LONG_AGO = -(2**31)

_DAY = re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_IMAP_DATE = re.compile(rb" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})(.*)", re.DOTALL)
_IMAP_TIME = re.compile(rb" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (.*)", re.DOTALL)
_ZONE = re.compile(rb"([+-])([0-9]{2})([0-9]{2})")
_SECONDS = re.compile(rb"-?[0-9]+")
_INTERVAL = re.compile(rb"([0-9]+) *([A-Za-z]*)")
_SIZE = re.compile(rb"([0-9]+) *(?:b|([kmgt])i?b?)?", re.IGNORECASE)
_MONTHS = [name.lower().encode() for name in calendar.month_abbr]
_UNITS = (
    ((b"secs", b"seconds"), 1),
    ((b"mins", b"minutes"), 60),
    ((b"hours",), 3600),
    ((b"days",), DAY),
    ((b"weeks",), 604800),
)
_MILLISECONDS = (b"msecs", b"mseconds", b"millisecs", b"milliseconds")
_POWERS = {b"": 0, b"k": 10, b"m": 20, b"g": 30, b"t": 40}


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A point in time."""

    #: Seconds since 1970.
    seconds: int
    #: Compared with a mail's time as it is; otherwise with what that mail's own clock showed.
    exact: bool


def parse_moment(text: bytes, now: int, *, strict: bool) -> Moment | None:
    """Return the moment, or None if it is none; `now` is in seconds since 1970.

    `strict` as 2.4 is: it refuses days that do not exist, takes a day as one of UTC, and
    understands IMAP's times of day.
    """
    moment = _parse_day(text, strict) or _parse_imap(text, strict)
    if moment is None and _SECONDS.fullmatch(text) and len(text) <= 20:
        seconds = int(text)
        moment = Moment(seconds, exact=True) if abs(seconds) <= _MOST_TIME else None
    if moment is None:
        interval = parse_interval(text)
        moment = None if interval is None else Moment(now - interval, exact=True)
    # Minus one is how C says that it failed.
    return None if moment is None or moment.seconds == -1 else moment


def parse_interval(text: bytes) -> int | None:
    """Return a time such as `2weeks` or `1 h` in seconds, or None if it is none."""
    match = _INTERVAL.fullmatch(text)
    if match is None or len(match[1]) > 20:
        return None
    number, unit = int(match[1]), match[2].lower()
    if not unit:
        return 0 if number == 0 else None
    for names, seconds in _UNITS:
        if any(name.startswith(unit) for name in names):
            return number * seconds if number * seconds <= _MOST_INTERVAL else None
    if any(name.startswith(unit) for name in _MILLISECONDS) and number % 1000 == 0:
        return number // 1000 if number // 1000 <= _MOST_INTERVAL else None
    return None


def parse_size(text: bytes) -> int:
    """Return a size such as `10k` in bytes; raises ValueError with Dovecot's words."""
    match = _SIZE.fullmatch(text)
    if match is None or len(match[1].lstrip(b"0")) > 20 or int(match[1]) > _MOST_SIZE:
        raise ValueError("Invalid size: ")
    size = int(match[1]) << _POWERS[(match[2] or b"").lower()]
    if size > _MOST_SIZE:
        raise ValueError("Size is too large: ")
    return size


def parse_imap_date(text: bytes, *, strict: bool) -> int | None:
    """Return the beginning of a day such as `3-Jan-2024` in seconds since 1970, or None."""
    match = _IMAP_DATE.fullmatch(text)
    if match is None or match[4]:
        return None
    return _imap_seconds(match, (0, 0, 0), strict)


def _parse_day(text: bytes, strict: bool) -> Moment | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    if strict and not _exists(year, month, day):
        return Moment(-1, exact=True)
    return Moment(_seconds(year, month, day), exact=strict)


def _parse_imap(text: bytes, strict: bool) -> Moment | None:
    date = _IMAP_DATE.fullmatch(text)
    if date is None:
        return None
    if not date[4]:
        seconds = _imap_seconds(date, (0, 0, 0), strict)
        return None if seconds is None else Moment(seconds, exact=False)
    time = _IMAP_TIME.fullmatch(date[4]) if strict else None
    if time is None:
        return None
    hour, minute, second = (int(part) for part in time.groups()[:3])
    seconds = _imap_seconds(date, (hour, minute, second), strict)
    if seconds is None or seconds == _LONG_AGO:
        return None if seconds is None else Moment(seconds, exact=True)
    return Moment(seconds - _zone(time[4]), exact=True)


def _imap_seconds(date: re.Match[bytes], time: tuple[int, int, int], strict: bool) -> int | None:
    name = date[2].lower()
    if name not in _MONTHS:
        return None
    year, month, day = int(date[3]), _MONTHS.index(name), int(date[1])
    hour, minute, second = time
    second = 59 if second == 60 else second
    if _exists(year, month, day) and hour < 24 and minute < 60 and second < 60:
        return _seconds(year, month, day) + hour * 3600 + minute * 60 + second
    if year <= 2000:
        return _LONG_AGO
    return None if strict else _MOST_TIME


def _zone(text: bytes) -> int:
    """Return seconds east of Greenwich; what is no zone is UTC."""
    match = _ZONE.match(text)
    if match is None:
        return 0
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return seconds if match[1] == b"+" else -seconds


def _exists(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12:
        return False
    # Year 0 has the days of 400.
    return 1 <= day <= calendar.monthrange(year % 400 + 400, month)[1]


def _seconds(year: int, month: int, day: int) -> int:
    """Return when a day begins; month 13 is the next January, day 0 the day before the first."""
    months = year * 12 + month - 1
    year, month = divmod(months, 12)
    cycles, year = divmod(year, 400)
    days = calendar.timegm((year + 400, month + 1, 1, 0, 0, 0)) // DAY
    return (days + (cycles - 1) * 146097 + day - 1) * DAY
