from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire.dialect import ScriptDialect
from fakedove.wire.dotstream import DotReader
from fakedove.wire.program_client import Answer, AnswerReader, Result, request
from fakedove.wire.script import NOREPLY, Header, header_length, parse_header
from tests.wire.cuts import cuts, pieces

_NOW = ScriptDialect()
_RAW = ScriptDialect(major=3, environment=False, escapes=False)

answers = st.lists(
    st.sampled_from([b"+", b"-", b"\n", b"\r\n", b".", b"x", b"\r\n.\r\n", b"+\n"]), max_size=12
).map(b"".join)


def read(
    data: bytes, *, coded: bool = True, dotstream: bool = False, sizes: list[int] | None = None
) -> tuple[bytes, Answer]:
    """Return the output and the end of an answer, read in pieces of these sizes."""
    reader = AnswerReader(coded=coded, dotstream=dotstream)
    output = [reader.feed(piece) for piece in (pieces(data, sizes) if sizes else [data])]
    return b"".join(output), reader.end()


# Recordings script-clients.jsonl of 2.3.19.1 and 2.4.1: pipe-reply-*, execute-*, filter-*.
@pytest.mark.parametrize(
    ("answer", "output", "result"),
    [
        (b"+\n", b"", Result.SUCCESS),
        (b"-\n", b"", Result.FAILURE),
        (b"some output\n-\n", b"some output\n", Result.FAILURE),
        (b"some output+\n", b"some output", Result.SUCCESS),
        (b"+\n+\n", b"+\n", Result.SUCCESS),
        (b"INBOX.foo+\n", b"INBOX.foo", Result.SUCCESS),
        (b"", b"", Result.MISSING),
        (b"+", b"", Result.TOO_SHORT),
        (b"\n", b"", Result.TOO_SHORT),
        (b"xx", b"x", Result.TOO_SHORT),
        (b"abc", b"ab", Result.TOO_SHORT),
        (b"X\n", b"", Result.UNEXPECTED),
        (b"+\r\n", b"+", Result.UNEXPECTED),
        (b"\x01\n", b"", Result.UNEXPECTED),
        (b"+\nmore\n", b"+\nmor", Result.UNEXPECTED),
    ],
)
def test_the_last_bytes_are_the_code(answer: bytes, output: bytes, result: Result) -> None:
    heard, end = read(answer)
    assert (heard, end.result) == (output, result)
    assert end.code == answer[len(output) :]


# Recordings tcp-reply-*.
@pytest.mark.parametrize(
    ("answer", "output", "result", "dot_missing"),
    [
        (b".\r\n+\n", b"", Result.SUCCESS, False),
        (b".\n+\n", b"", Result.SUCCESS, False),
        (b"out\r\n.\r\n+\n", b"out", Result.SUCCESS, False),
        (b"..x\r\n.\r\n+\n", b".x", Result.SUCCESS, False),
        (b".\r\n-\n", b"", Result.FAILURE, False),
        (b"+\n", b"", Result.SUCCESS, True),
        (b"-\n", b"", Result.FAILURE, True),
        (b"out\n+\n", b"out", Result.SUCCESS, True),
        (b"", b"", Result.MISSING, True),
        (b".\r\n", b"", Result.UNEXPECTED, True),
        (b".\r\n+\nmore\n", b"", Result.UNEXPECTED, False),
        (b".\r\nX\n", b"", Result.UNEXPECTED, False),
    ],
)
def test_a_dot_stream_ends_before_the_code(
    answer: bytes, output: bytes, result: Result, dot_missing: bool
) -> None:
    heard, end = read(answer, dotstream=True)
    assert (heard, end.result, end.dot_missing) == (output, result, dot_missing)


def test_without_a_code_everything_is_output() -> None:
    assert read(b"text\n+\n", coded=False) == (b"text\n+\n", Answer(None, b""))


@given(answers, st.booleans(), st.booleans(), cuts)
def test_cuts_do_not_matter(data: bytes, coded: bool, dotstream: bool, sizes: list[int]) -> None:
    in_pieces = read(data, coded=coded, dotstream=dotstream, sizes=sizes)
    assert in_pieces == read(data, coded=coded, dotstream=dotstream)


# Measured on 2.3.19.1 and 2.4.1 with Sieve's three commands.
@pytest.mark.parametrize(
    ("answer", "room"),
    [
        (b"", 8192),
        (b"+\n", 8190),
        (b"out\n+\n", 8186),
        (b"x" * 100 + b"\n+\n", 8089),
        (b"x" * 5000 + b"\n+\n", 3189),
        (b"x" * 8190 + b"+\n", 8190),
        (b"x" * 9000 + b"+\n", 7381),
    ],
)
def test_what_is_asked_for_next(answer: bytes, room: int) -> None:
    reader = AnswerReader(coded=True, dotstream=False)
    reader.feed(answer)
    assert reader.room == room


@given(st.integers(0, 30_000), st.lists(st.integers(1, 9000), min_size=1, max_size=5))
def test_what_is_asked_for_does_not_hang_on_cuts(length: int, sizes: list[int]) -> None:
    answer = b"ab\n" * length
    whole, cut = (AnswerReader(coded=True, dotstream=False) for _ in range(2))
    whole.feed(answer)
    for piece in pieces(answer, sizes):
        cut.feed(piece)
    assert 0 < cut.room == whole.room


@given(st.binary(max_size=40), st.sampled_from([b"+\n", b"-\n"]))
def test_output_comes_back(output: bytes, code: bytes) -> None:
    assert read(output + code) == (output, Answer(_RESULTS[code], code))


_RESULTS = {b"+\n": Result.SUCCESS, b"-\n": Result.FAILURE}


# Recordings pipe-ok, welcome-wait, quota-warn-20, tcp-reply-*.
@pytest.mark.parametrize(
    ("header", "stdin", "dotstream", "sent"),
    [
        (Header(arguments=(b"hello", b"wb")), None, False, b"-\nhello\nwb\n\n"),
        (Header(option=NOREPLY, arguments=(b"20",)), None, False, b"noreply\n20\n\n"),
        (Header(arguments=(b"a",)), b"mail\r\n", False, b"-\na\n\nmail\r\n"),
        (Header(arguments=(b"t00",)), None, True, b"-\nt00\n\n\r\n.\r\n"),
        (Header(), b".a\nb", True, b"-\n\n..a\r\nb\r\n.\r\n"),
        (Header(), b"a\n", True, b"-\n\na\r\n.\r\n"),
    ],
)
def test_requests(header: Header, stdin: bytes | None, dotstream: bool, sent: bytes) -> None:
    data = request(header, _NOW, stdin, dotstream=dotstream)
    assert data == b"VERSION\tscript\t4\t0\n" + sent


def test_an_old_release_has_no_variables() -> None:
    header = Header(environment=((b"A", b"1"),))
    with pytest.raises(ValueError, match="environment variables need protocol 4, not 3"):
        request(header, _RAW, None, dotstream=False)


words = st.binary(min_size=1, max_size=6).filter(lambda word: b"\0" not in word)


@given(st.lists(words, max_size=3), st.binary(max_size=30), st.booleans())
def test_a_service_reads_what_is_sent(
    arguments: list[bytes], stdin: bytes, dotstream: bool
) -> None:
    header = Header(arguments=tuple(arguments))
    data = request(header, _NOW, stdin, dotstream=dotstream)
    length = header_length(data)
    assert length is not None
    assert parse_header(data[:length], _NOW) == header
    if not dotstream:
        assert data[length:] == stdin
        return
    reader = DotReader()
    decoded = reader.feed(data[length:])
    # A last line end belongs to the dot line, and CRLF is the only line end.
    lines = stdin.replace(b"\r\n", b"\n").split(b"\n")
    canonical = b"\r\n".join(lines).removesuffix(b"\r\n")
    assert (decoded, reader.ended) == (canonical, True)
