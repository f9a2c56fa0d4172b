from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.search.quantities import (
    Moment,
    parse_imap_date,
    parse_interval,
    parse_moment,
    parse_size,
)

NOW = 1_700_000_000
DAY_3 = int(datetime(2024, 1, 3, tzinfo=UTC).timestamp())


def moment(text: bytes, *, strict: bool = True) -> Moment | None:
    return parse_moment(text, NOW, strict=strict)


@pytest.mark.parametrize(
    ("text", "seconds", "exact"),
    [
        (b"3-Jan-2024", DAY_3, False),
        (b"03-jan-2024", DAY_3, False),
        (b" 3-JAN-2024", DAY_3, False),
        (b"20240103", 20240103, True),
        (b"0", 0, True),
        (b"-5", -5, True),
        (b"1d", NOW - 86400, True),
        (b"2weeks", NOW - 1209600, True),
        (b"1 h", NOW - 3600, True),
        (b"1mi", NOW - 60, True),
        (b"1M", NOW - 60, True),
        (b"1000ms", NOW - 1, True),
        (b"0s", NOW, True),
        (b"0 ", NOW, True),
    ],
)
def test_moments_that_all_releases_know(text: bytes, seconds: int, exact: bool) -> None:
    assert moment(text) == Moment(seconds, exact)
    assert moment(text, strict=False) == Moment(seconds, exact)


@pytest.mark.parametrize(
    "text",
    [
        b"notadate",
        b"2024-1-3",
        b"03-January-2024",
        b"3-Foo-2024",
        b"1y",
        b"1month",
        b"1500ms",
        b"1.5d",
        b"1d ",
        b"-1",
        b"+5",
        b"49711d",
        b"9223372036854775808",
        b"2024-01-03 05:00:10",
        b"",
    ],
)
def test_moments_that_no_release_knows(text: bytes) -> None:
    assert moment(text) is None
    assert moment(text, strict=False) is None


def test_a_day_is_one_of_utc_from_2_4_on() -> None:
    assert moment(b"2024-01-03") == Moment(DAY_3, exact=True)
    assert moment(b"2024-01-03", strict=False) == Moment(DAY_3, exact=False)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (b"2024-13-01", date(2025, 1, 1)),
        (b"2024-00-00", date(2023, 11, 30)),
        (b"2024-02-31", date(2024, 3, 2)),
    ],
)
def test_days_that_do_not_exist(text: bytes, day: date) -> None:
    assert moment(text) is None
    earlier = moment(text, strict=False)
    assert earlier is not None
    assert earlier.seconds == (day - date(1970, 1, 1)).days * 86400


def test_imap_dates_that_do_not_exist() -> None:
    assert moment(b"31-Feb-2024") is None
    assert moment(b"31-Feb-2024", strict=False) == Moment(2**63 - 1, exact=False)
    assert moment(b"31-Feb-1999") == Moment(-(2**31), exact=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"03-Jan-2024 05:00:10 +0000", DAY_3 + 18010),
        (b"03-Jan-2024 05:00:10 -0500", DAY_3 + 36010),
        (b"03-Jan-2024 05:00:10 x", DAY_3 + 18010),
        (b"03-Jan-2024 05:00:60 +0000", DAY_3 + 18059),
    ],
)
def test_times_of_day_are_known_from_2_4_on(text: bytes, seconds: int) -> None:
    assert moment(text) == Moment(seconds, exact=True)
    assert moment(text, strict=False) is None


@pytest.mark.parametrize(
    "text", [b"03-Jan-2024 05:00:10", b"03-Jan-2024 5:00:10 +0000", b"03-Jan-2024 25:61:61 +0000"]
)
def test_times_of_day_that_are_none(text: bytes) -> None:
    assert moment(text) is None


@given(st.dates())
def test_any_day_begins_where_the_calendar_has_it(day: date) -> None:
    seconds = (day - date(1970, 1, 1)).days * 86400
    assert moment(day.isoformat().encode(), strict=False) == Moment(seconds, exact=False)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"10", 10),
        (b"10b", 10),
        (b"10k", 10240),
        (b"10KiB", 10240),
        (b"10 kb", 10240),
        (b"1t", 2**40),
        (b"18446744073709551615", 2**64 - 1),
        (b"1 ", 1),
    ],
)
def test_sizes(text: bytes, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", [b"1p", b"1.5k", b"k", b"-1", b"1bb", b"1ib", b"1kbx", b"9" * 30])
def test_sizes_that_are_none(text: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid size: "):
        parse_size(text)


def test_a_size_beyond_64_bits() -> None:
    with pytest.raises(ValueError, match="Size is too large: "):
        parse_size(b"16777216t")


@given(st.binary(max_size=30))
def test_anything_is_a_quantity_or_none(text: bytes) -> None:
    assert parse_interval(text) is None or parse_interval(text) in range(2**32)
    for strict in (True, False):
        assert parse_imap_date(text, strict=strict) is None or text.count(b"-") == 2
        parsed = moment(text, strict=strict)
        assert parsed is None or abs(parsed.seconds) < 2**63
