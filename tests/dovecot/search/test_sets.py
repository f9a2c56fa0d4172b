from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.search.sets import (
    STAR,
    Ranges,
    complement,
    contains,
    intersection,
    parse_set,
    settle,
    union,
)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"", ()),
        (b"1", ((1, 1),)),
        (b"3:1", ((1, 3),)),
        (b"1,", ((1, 1),)),
        (b"1,2,4", ((1, 2), (4, 4))),
        (b"2:*", ((2, STAR),)),
        (b"*", ((STAR, STAR),)),
        (b"01", ((1, 1),)),
        (b"4294967297", ((1, 1),)),
        (b"4294967295", ((STAR - 1, STAR - 1),)),
    ],
)
def test_good_sets(text: bytes, ranges: Ranges) -> None:
    assert parse_set(text) == ranges


@pytest.mark.parametrize(
    "text", [b"0", b"1:0", b",1", b"1,,2", b"1:", b":1", b"1-2", b"1x", b"**", b"4294967296", b"+1"]
)
def test_bad_sets(text: bytes) -> None:
    assert parse_set(text) is None


def test_a_number_of_thousands_of_digits() -> None:
    assert parse_set(b"9" * 100_000) is not None


numbers = st.sets(st.integers(1, 30))


def as_ranges(some: set[int]) -> Ranges:
    ranges = parse_set(b",".join(b"%d" % one for one in some))
    assert ranges is not None
    return ranges


def members(ranges: Ranges) -> set[int]:
    return {one for one in range(1, 31) if contains(ranges, one)}


@given(numbers, numbers)
def test_sets_are_sets(first: set[int], second: set[int]) -> None:
    one, two = as_ranges(first), as_ranges(second)
    assert members(one) == first
    assert members(union(one, two)) == first | second
    assert members(intersection(one, two)) == first & second
    assert members(complement(one, 1, 30)) == set(range(1, 31)) - first


@pytest.mark.parametrize(
    ("text", "numbers"),
    [(b"*", {4}), (b"2:*", {2, 3, 4}), (b"9:*", {4}), (b"2,9", {2}), (b"9", set())],
)
def test_the_star_is_the_last_message(text: bytes, numbers: set[int]) -> None:
    ranges = parse_set(text)
    assert ranges is not None
    assert members(settle(ranges, 4)) == numbers
