from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire.lines import LineBuffer, LineTooLong
from tests.wire.cuts import cuts, pieces

LIMIT = 8
text = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"bc", b"\0"]), max_size=40).map(b"".join)


def drain(buffer: LineBuffer) -> list[bytes | str]:
    found: list[bytes | str] = []
    try:
        while (line := buffer.next_line()) is not None:
            found.append(line)
    except LineTooLong:
        found.append("too long")
    return found


def read(buffer: LineBuffer, data: bytes) -> list[bytes | str]:
    buffer.feed(data)
    return drain(buffer)


def test_lines_come_without_their_ends() -> None:
    assert read(LineBuffer(100), b"one\ntwo\r\n\nthree") == [b"one", b"two", b""]


# Measured: "one CR before LF is dropped, for every line".
def test_one_carriage_return_is_dropped() -> None:
    assert read(LineBuffer(100), b"a\r\r\n\rb\n\r\n") == [b"a\r", b"\rb", b""]


def test_a_line_may_come_byte_by_byte() -> None:
    buffer = LineBuffer(100)
    assert [line for byte in b"ab\r\nc\n" for line in read(buffer, bytes([byte]))] == [b"ab", b"c"]


# Measured: 1048576 bytes with LF work, 1048577 fail.
def test_the_limit_counts_the_line_feed() -> None:
    assert read(LineBuffer(LIMIT), b"1234567\n") == [b"1234567"]
    assert read(LineBuffer(LIMIT), b"12345678\n") == ["too long"]


def test_a_line_is_too_long_as_soon_as_no_line_feed_can_fit() -> None:
    buffer = LineBuffer(LIMIT)
    assert read(buffer, b"1234567") == []
    assert read(buffer, b"8") == ["too long"]


def test_too_long_stays_too_long() -> None:
    buffer = LineBuffer(LIMIT)
    assert read(buffer, b"123456789") == ["too long"]
    assert read(buffer, b"\nnext\n") == ["too long"]


def test_good_lines_come_before_one_that_is_too_long() -> None:
    assert read(LineBuffer(LIMIT), b"a\nb\n123456789\n") == [b"a", b"b", "too long"]


def test_room_is_what_fits_before_the_limit() -> None:
    buffer = LineBuffer(LIMIT)
    assert buffer.room == LIMIT
    assert read(buffer, b"ab\ncd") == [b"ab"]
    assert buffer.room == LIMIT - 2
    assert len(buffer) == 2


def test_what_is_not_read_can_be_taken_over() -> None:
    buffer = LineBuffer(LIMIT)
    buffer.feed(b"ab\ncd\nef")
    assert buffer.next_line() == b"ab"
    assert buffer.take() == b"cd\nef"
    assert buffer.take() == b""
    assert read(buffer, b"gh\n") == [b"gh"]


@given(text, cuts, st.integers(1, 12))
def test_any_cut_gives_the_same_lines(data: bytes, sizes: list[int], limit: int) -> None:
    whole = read(LineBuffer(limit), data)
    buffer = LineBuffer(limit)
    found: list[bytes | str] = []
    for piece in pieces(data, sizes):
        found += read(buffer, piece)
        if "too long" in found:
            break
    assert found == whole


@given(text)
def test_lines_are_what_split_finds(data: bytes) -> None:
    buffer = LineBuffer(1000)
    *lines, rest = data.split(b"\n")
    assert read(buffer, data) == [line.removesuffix(b"\r") for line in lines]
    assert buffer.take() == rest


@given(text, st.integers(1, 12))
def test_with_no_more_than_room_a_line_is_never_overrun(data: bytes, limit: int) -> None:
    buffer = LineBuffer(limit)
    while data:
        piece, data = data[: buffer.room], data[buffer.room :]
        if "too long" in read(buffer, piece):
            assert len(buffer) == limit
            return
        assert 0 < buffer.room <= limit


def test_limit_of_a_real_server() -> None:
    limit = 1024 * 1024
    assert read(LineBuffer(limit), b"x" * (limit - 1) + b"\n") == [b"x" * (limit - 1)]
    assert read(LineBuffer(limit), b"x" * limit + b"\n") == ["too long"]
