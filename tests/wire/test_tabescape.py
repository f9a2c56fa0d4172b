from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire import tabescape

#: Bytes in which the special ones are not rare.
fields = st.binary(max_size=20) | st.lists(
    st.sampled_from([b"\0", b"\x01", b"\t", b"\n", b"\r", b"0", b"1", b"t", b"n", b"r", b"x"]),
    max_size=12,
).map(b"".join)


# Measured: \001t \001n \001r \0011, and \0010 for NUL.
@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        (b"", b""),
        (b"plain", b"plain"),
        (b"\t", b"\x01t"),
        (b"\n", b"\x01n"),
        (b"\r", b"\x01r"),
        (b"\x01", b"\x011"),
        (b"\x00", b"\x010"),
        (b"a\tb\x01c", b"a\x01tb\x011c"),
        (b"Ty\xc3\xb6", b"Ty\xc3\xb6"),
    ],
)
def test_escapes(raw: bytes, escaped: bytes) -> None:
    assert tabescape.escape(raw) == escaped
    assert tabescape.unescape(escaped) == raw


# Measured: "other char = itself; \001 at the end of the line is dropped".
@pytest.mark.parametrize(
    ("escaped", "raw"),
    [
        (b"a\x01xb", b"axb"),
        (b"\x01\x01", b"\x01"),
        (b"\x01\n", b"\n"),
        (b"end\x01", b"end"),
        (b"\x01\x01\x01", b"\x01"),
    ],
)
def test_sequences_that_nobody_writes(escaped: bytes, raw: bytes) -> None:
    assert tabescape.unescape(escaped) == raw


# By release: escaped NULs came with 2.2.26.
def test_old_releases_know_no_nul() -> None:
    assert tabescape.unescape_without_nul(b"a\x010b\x01tc\x011") == b"a0b\tc\x01"


@given(fields)
def test_a_field_survives_the_wire(value: bytes) -> None:
    escaped = tabescape.escape(value)
    assert tabescape.unescape(escaped) == value
    assert not set(escaped) & set(b"\0\t\n\r")


@given(fields)
def test_any_input_can_be_unescaped(value: bytes) -> None:
    assert len(tabescape.unescape(value)) <= len(value)
    assert len(tabescape.unescape_without_nul(value)) <= len(value)


@given(st.lists(fields, max_size=6).map(tuple))
def test_a_row_is_its_fields_each_with_a_tab(values: tuple[bytes, ...]) -> None:
    row = tabescape.join(values)
    assert row == b"".join(tabescape.escape(value) + b"\t" for value in values)
    *parts, rest = row.split(b"\t")
    assert rest == b""
    assert tuple(map(tabescape.unescape, parts)) == values


def test_a_row_with_an_empty_value_is_a_tab() -> None:
    assert tabescape.join((b"",)) == b"\t"
    assert tabescape.join(()) == b""
    assert tabescape.join((b"", b"")) == b"\t\t"


@pytest.mark.parametrize(
    ("value", "seen"), [(b"abc", b"abc"), (b"a\0b\0c", b"a"), (b"\0", b""), (b"", b"")]
)
def test_c_sees_nothing_behind_a_nul(value: bytes, seen: bytes) -> None:
    assert tabescape.c_string(value) == seen
