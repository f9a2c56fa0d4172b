"""What holds for any parameters, and pieces of values; answers of the real servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.mime.content_type import parse_content_type
from fakedove.dovecot.mime.parameters import Parameters, parse_parameters

_TOKEN = st.text("abcxyz019!#$&+-.^_`{|}~ä", min_size=1, max_size=6).map(str.encode)
_VALUE = st.text("ab \"\\()<>@,;:.[]=*%'ä", max_size=10).map(str.encode)
_GAP = st.sampled_from([b"", b" ", b"\r\n\t", b" (a (nested) ; one) "])
_PIECES = st.sampled_from(
    [
        *(b";", b"; ", b"a", b"=", b'"', b'"v w"', b"(", b"(c)", b"*0", b"*1*", b"*", b"\\"),
        *(b"; a*0=x", b"; a*1*=%41", b"utf-8''%C3", b"=?utf-8?q?a?=", b"\0", b"\n ", b"\xc3"),
    ]
)
_GARBAGE = st.lists(_PIECES, max_size=20).map(b"".join) | st.binary(max_size=40)


def _written(name: bytes, value: bytes, gap: bytes) -> bytes:
    quoted = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return gap.join([b";", name, b"=", b'"%b"' % quoted, b""])


@given(st.dictionaries(_TOKEN, _VALUE, max_size=4), _GAP, st.booleans())
def test_parameters_are_read_as_they_were_written(
    parameters: dict[bytes, bytes], gap: bytes, decoded: bool
) -> None:
    value = b"".join(_written(name, value, gap) for name, value in parameters.items())
    assert parse_parameters(value, 0, decoded=decoded) == tuple(parameters.items())


@given(_VALUE, st.integers(min_value=0, max_value=10), st.booleans())
def test_a_value_can_come_in_two_pieces_in_any_order(value: bytes, cut: int, decoded: bool) -> None:
    pieces = (b"n*1", value[cut:]), (b"n*0", value[:cut])
    written = b"".join(_written(name, piece, b"") for name, piece in pieces)
    assert parse_parameters(written, 0, decoded=decoded) == ((b"n", value),)


@given(_GARBAGE, st.integers(min_value=0, max_value=40))
def test_any_value_has_parameters_from_anywhere_on(value: bytes, at: int) -> None:
    old, new = (parse_parameters(value, at, decoded=decoded) for decoded in (False, True))
    assert len(new) <= len(old) or b"*" in value
    names = [name.lower() for name, _ in new]
    assert len(names) == len(set(names))


@given(_GARBAGE)
def test_a_broken_parameter_spoils_no_other(value: bytes) -> None:
    assert parse_parameters(b"; n=v " + value, 0, decoded=False)[:1] == ((b"n", b"v"),) or any(
        character in value for character in (b"(", b"*")
    )


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        (
            b"; A*0=x; B*0=y; a*1=z",
            ((b"A", b"x"), (b"B", b"y"), (b"a*1", b"z")),
            ((b"A", b"x"), (b"B", b"y"), (b"a*1", b"z")),
        ),
        (b"; a*1=z; A*0=x", ((b"A", b"xz"),), ((b"A", b"xz"),)),
        (
            b"; a*0=1; a*0=2; b*0=3",
            ((b"a*0", b"1"), (b"a*0", b"2"), (b"b", b"3")),
            ((b"a*0", b"1"), (b"b", b"3")),
        ),
        (
            b"; a*1=1; b*0=3; A*2*=%41",
            ((b"A*2*", b"%41"), (b"a*1", b"1"), (b"b", b"3")),
            ((b"A*2", b"%41"), (b"a*1", b"1"), (b"b", b"3")),
        ),
    ],
)
def test_pieces(value: bytes, old: Parameters, new: Parameters) -> None:
    assert parse_parameters(value, 0, decoded=False) == old
    assert parse_parameters(value, 0, decoded=True) == new


@given(_TOKEN, _TOKEN, _GAP, st.dictionaries(_TOKEN, _VALUE, max_size=3))
def test_types_are_read_as_they_were_written(
    main: bytes, sub: bytes, gap: bytes, parameters: dict[bytes, bytes]
) -> None:
    value = gap.join([b"", main, b"/", sub, b""])
    value += b"".join(_written(name, value, gap) for name, value in parameters.items())
    found = parse_content_type(value)
    assert found.name == main + b"/" + sub
    assert found.parameters(decoded=False) == tuple(parameters.items())


@given(_GARBAGE)
def test_any_header_is_a_type_or_none(value: bytes) -> None:
    found = parse_content_type(value)
    assert found.complete is (b"/" in found.name)
    found.parameters(decoded=True)
