"""Sets of message numbers or UIDs: `1,3:5,7:*`.

`*` is a number of its own, above all others. Numbers wrap around at 32 bits, as they do in
Dovecot: 4294967297 is 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

#: Lowest and highest numbers of ranges, ascending, with gaps between them.
Ranges: TypeAlias = tuple[tuple[int, int], ...]

#: What `*` counts as.
STAR = 2**32 - 1
_RANGE = re.compile(rb"(\*|[0-9]+)(?::(\*|[0-9]+))?(?:,|\Z)")


def parse_set(text: bytes) -> Ranges | None:
    """Return the ranges in `text`, or None if it is no set; an empty text is an empty set.

    >>> parse_set(b"5:4,1,2,*")
    ((1, 2), (4, 5), (4294967295, 4294967295))
    """
    found = []
    position = 0
    while position < len(text):
        match = _RANGE.match(text, position)
        if match is None:
            return None
        bounds = [_number(match[1]), _number(match[2] or match[1])]
        if 0 in bounds:
            return None
        found.append((min(bounds), max(bounds)))
        position = match.end()
    return _joined(found)


def contains(ranges: Ranges, number: int) -> bool:
    """Whether `number` is in the set."""
    index = bisect_right(ranges, (number, STAR + 1))
    return index > 0 and number <= ranges[index - 1][1]


def union(first: Ranges, second: Ranges) -> Ranges:
    """Return the numbers that are in either set."""
    return _joined([*first, *second])


def intersection(first: Ranges, second: Ranges) -> Ranges:
    """Return the numbers that are in both sets."""
    return complement(union(complement(first, 0, STAR), complement(second, 0, STAR)), 0, STAR)


def complement(ranges: Ranges, lowest: int, highest: int) -> Ranges:
    """Return the numbers from `lowest` to `highest` that are not in the set."""
    found = []
    for low, high in ranges:
        if lowest < low:
            found.append((lowest, min(low - 1, highest)))
        lowest = max(lowest, high + 1)
    if lowest <= highest:
        found.append((lowest, highest))
    return tuple(one for one in found if one[0] <= one[1])


def settle(ranges: Ranges, count: int) -> Ranges:
    """Return the set for a mailbox of `count` messages: `*` is the last one."""
    if ranges and ranges[-1][1] == STAR:
        ranges = union(ranges, ((count, count),))
    return tuple((low, min(high, count)) for low, high in ranges if low <= count)


def _number(digits: bytes) -> int:
    if digits == b"*":
        return STAR
    number = 0
    for digit in digits:
        number = (number * 10 + digit - 48) & STAR
    # The number of `*` is taken for the one before.
    return min(number, STAR - 1)


def _joined(found: Iterable[tuple[int, int]]) -> Ranges:
    ranges: list[tuple[int, int]] = []
    for low, high in sorted(found):
        if ranges and low <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(high, ranges[-1][1]))
        else:
            ranges.append((low, high))
    return tuple(ranges)
