from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire.dotstream import DotReader, DotWriter, stuff
from tests.wire.cuts import cuts, pieces

mail = st.binary(max_size=30) | st.lists(
    st.sampled_from([b".", b"\n", b"\r", b"\r\n", b"a", b"\r\n.\r", b"\n."]), max_size=14
).map(b"".join)


def read(data: bytes, sizes: list[int] | None = None) -> tuple[bytes, bool, bytes]:
    """Return what is decoded, whether the dot came, and what came behind it."""
    reader = DotReader()
    decoded = b""
    rest = data
    for piece in pieces(data, sizes) if sizes else [data]:
        decoded += reader.feed(piece)
        rest = rest[len(piece) :]
        if reader.ended:
            break
    return decoded, reader.ended, reader.trailing + rest


# Recordings x.save.*: what was sent behind the command line, and what was stored.
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param(b".\n", b"", id="x.save.empty"),
        pytest.param(b"end\n.\n", b"end", id="x.save.no-final-newline"),
        pytest.param(b"body line\r\n.\r\n", b"body line", id="x.save.crlf"),
        pytest.param(b"\r\na\nb\r\n.\n", b"\r\na\nb", id="x.save.mixed-lineends"),
        pytest.param(b"..a\n.b\n...\n.\n", b".a\nb\n..", id="x.save.dotstuffed"),
        pytest.param(b"\xff\xfe\0\x01\n.\n", b"\xff\xfe\0\x01", id="x.save.8bit"),
    ],
)
def test_bodies(sent: bytes, stored: bytes) -> None:
    assert read(sent) == (stored, True, b"")


# Recording x.save.pipelined-next.
def test_the_next_command_is_handed_over() -> None:
    assert read(b"body\n.\n\ttss\tfetch\n") == (b"body", True, b"\ttss\tfetch\n")


def test_a_dot_counts_only_at_the_start_of_a_line() -> None:
    assert read(b"a.\n.b\n") == (b"a.\nb", False, b"")


def test_nothing_but_an_empty_line() -> None:
    assert read(b"\n.\n") == (b"", True, b"")
    assert read(b"\n\n.\n") == (b"\n", True, b"")


def test_what_may_become_the_end_is_held_back() -> None:
    reader = DotReader()
    assert reader.feed(b"a\r\n.\r") == b"a"
    assert not reader.ended
    assert reader.feed(b"x") == b"\r\n\rx"
    assert reader.feed(b"\n.") == b""
    assert reader.feed(b"\n") == b""
    assert reader.ended


@given(mail, cuts)
def test_any_cut_gives_the_same_mail(data: bytes, sizes: list[int]) -> None:
    assert read(data, sizes) == read(data)


# What the doveadm program sends: CRLF line ends, dot-stuffed, ended by CRLF, dot, CRLF.
def test_the_program_sends_crlf() -> None:
    assert stuff(b"Subject: x\n\n.dot\nend\n") == b"Subject: x\r\n\r\n..dot\r\nend\r\n\r\n.\r\n"


@given(mail, mail, cuts)
def test_a_mail_survives_stuffing_but_for_its_line_ends(
    data: bytes, behind: bytes, sizes: list[int]
) -> None:
    canonical = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert read(stuff(data) + behind, sizes) == (canonical, True, behind)


def written(data: bytes, sizes: list[int] | None = None) -> bytes:
    """Return a whole stream, written in pieces."""
    writer = DotWriter()
    parts = pieces(data, sizes) if sizes else [data]
    return b"".join([*map(writer.feed, parts), writer.end()])


def test_a_stream_in_pieces() -> None:
    assert written(b"") == b".\r\n"
    assert written(b".a\n.\n") == b"..a\r\n..\r\n.\r\n"
    assert written(b"no line end") == b"no line end\r\n.\r\n"


@given(mail, cuts)
def test_any_cut_gives_the_same_stream(data: bytes, sizes: list[int]) -> None:
    assert written(data, sizes) == written(data)


@given(mail, mail)
def test_a_stream_is_read_as_it_was_written(data: bytes, behind: bytes) -> None:
    canonical = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    # The line end before the dot is none of the data.
    expected = canonical.removesuffix(b"\r\n")
    assert read(written(data) + behind) == (expected, True, behind)
