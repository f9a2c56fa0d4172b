from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire import multiplex
from fakedove.wire.multiplex import LOG, MAIN, Framer, PacketFramer, Reader, StreamFramer
from tests.wire.cuts import cuts, pieces

data = st.binary(max_size=20) | st.lists(
    st.sampled_from([b"\x03", b"\xfe", b"\x00", b"\x01", b"L", b"\xff", b"text"]), max_size=10
).map(b"".join)
channels = st.sampled_from([MAIN, LOG, 3, 0xFE, 0xFF])
writes = st.lists(st.tuples(channels, data), max_size=8)
framers = st.sampled_from([PacketFramer, StreamFramer])


def joined(runs: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Join neighbours of one channel and leave out what is empty: cuts are not content."""
    found: list[tuple[int, bytes]] = []
    for channel, piece in runs:
        if found and found[-1][0] == channel:
            found[-1] = (channel, found[-1][1] + piece)
        elif piece:
            found.append((channel, piece))
    return found


def framed(framer: Framer, sent: list[tuple[int, bytes]]) -> bytes:
    return b"".join(framer.frame(channel, piece) for channel, piece in sent)


# Measured: channel byte, length in 4 bytes, big-endian (seq.unknown-then-quota).
def test_packets() -> None:
    framer = PacketFramer()
    assert framer.start() == b""
    assert framer.frame(MAIN, b"\n+\n") == b"\x00\x00\x00\x00\x03\n+\n"
    log = b"\x04doveadm(nosuch): cmd quota get: User doesn't exist\n"
    assert framer.frame(LOG, log) == b"L\x00\x00\x004" + log


def test_packets_are_read_whole() -> None:
    reader = Reader()
    assert list(reader.feed(b"\x00\x00\x00\x00\x03\n+")) == []
    assert list(reader.feed(b"\nL\x00\x00\x00\x02\x04a")) == [(MAIN, b"\n+\n"), (LOG, b"\x04a")]


def test_a_packet_knows_no_limit_of_64_kilobytes() -> None:
    value = bytes(200_000)
    assert list(Reader().feed(PacketFramer().frame(MAIN, value))) == [(MAIN, value)]


# Measured: nine bytes of header, before the first data.
def test_a_stream_begins_with_its_header_once() -> None:
    framer = StreamFramer()
    assert framer.frame(MAIN, b"a\t") == b"\xff\xff\xff\xff\xff\x00\x02\x03\xfea\t"
    assert framer.frame(MAIN, b"\n+\n") == b"\n+\n"
    assert framer.start() == b""


def test_the_header_may_be_asked_for_before_any_data() -> None:
    framer = StreamFramer()
    assert framer.start() == multiplex.STREAM_HEADER
    assert framer.frame(MAIN, b"x") == b"x"


# Measured: `03 FE 00 <channel>` switches.
def test_a_stream_switches_channels_only_when_they_change() -> None:
    framer = StreamFramer()
    framer.start()
    assert framer.frame(LOG, b"\x04x\n") == b"\x03\xfe\x00L\x04x\n"
    assert framer.frame(LOG, b"\x04y\n") == b"\x04y\n"
    assert framer.frame(MAIN, b"\n+\n") == b"\x03\xfe\x00\x00\n+\n"


# Measured: "A 03 needs that only if the next byte is FE or if it is the last".
@pytest.mark.parametrize(
    ("plain", "sent"),
    [
        (b"\x03a", b"\x03a"),
        (b"\x03\x03a", b"\x03\x03a"),
        (b"\x03\xfe", b"\x03\xfe\x01\xfe"),
        (b"a\x03", b"a\x03\xfe\x01"),
        (b"\x03\x03\xfe", b"\x03\x03\xfe\x01\xfe"),
        (b"\xfe", b"\xfe"),
    ],
)
def test_a_stream_escapes_only_what_would_be_misread(plain: bytes, sent: bytes) -> None:
    framer = StreamFramer()
    framer.start()
    assert framer.frame(MAIN, plain) == sent


@given(framers, writes)
def test_what_is_framed_is_read(make: type[Framer], sent: list[tuple[int, bytes]]) -> None:
    assert joined(list(Reader().feed(framed(make(), sent)))) == joined(sent)


@given(writes)
def test_each_write_is_one_packet(sent: list[tuple[int, bytes]]) -> None:
    assert list(Reader().feed(framed(PacketFramer(), sent))) == sent


@given(framers, writes, cuts)
def test_any_cut_gives_the_same_channels(
    make: type[Framer], sent: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    reader = Reader()
    found = [run for piece in pieces(framed(make(), sent), sizes) for run in reader.feed(piece)]
    assert joined(found) == joined(sent)


@given(st.binary(max_size=40) | data.map(lambda tail: multiplex.STREAM_HEADER + tail), cuts)
def test_any_cut_of_garbage_gives_the_same(garbage: bytes, sizes: list[int]) -> None:
    reader = Reader()
    found = [run for piece in pieces(garbage, sizes) for run in reader.feed(piece)]
    assert joined(found) == joined(list(Reader().feed(garbage)))


def test_a_long_packet_of_channel_ff_is_no_header() -> None:
    reader = Reader()
    assert list(reader.feed(b"\xff\xff\xff\xff\xfe" + b"x" * 20)) == []
