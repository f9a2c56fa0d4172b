"""Header values as the real servers 2.3.19.1 and 2.4.1 gave them."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.mime.addresses import parse_addresses
from fakedove.dovecot.mime.charset_names import CODECS
from fakedove.dovecot.mime.charsets import Decoder, is_known, to_utf8, valid_utf8
from fakedove.dovecot.mime.dates import parse_date
from fakedove.dovecot.mime.encoded_words import decode_words
from fakedove.dovecot.mime.envelope import envelope
from fakedove.dovecot.mime.headers import header_fields, unfold, values

NOBODY, NOWHERE = b"MISSING_MAILBOX", b"MISSING_DOMAIN"


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (b"A B <a@b>", [(b"A B", None, b"a", b"b")]),
        (b'"A \\"q\\" B" <a@b>', [(b'A "q" B', None, b"a", b"b")]),
        (b"A B C", [(b"A B C", None, NOBODY, NOWHERE)]),
        (b"<@route,@r2:a@b>", [(None, b"@route,@r2", b"a", b"b")]),
        (
            b'group: a@b, "C" <c@d>;',
            [
                (None, None, b"group", None),
                (None, None, b"a", b"b"),
                (b"C", None, b"c", b"d"),
                (None, None, None, None),
            ],
        ),
        (b"a@b (comment)", [(b"comment", None, b"a", b"b")]),
        (b"a@[127.0.0.1]", [(None, None, b"a", b"[127.0.0.1]")]),
        (b"<a@b", [(None, None, b"a", b"SYNTAX_ERROR")]),
        (
            b"a@b,,c@d",
            [(None, None, b"a", b"b"), (None,) * 2 + (NOBODY, NOWHERE), (None, None, b"c", b"d")],
        ),
        (b'"unterminated <a@b>', [(None, None, NOBODY, NOWHERE)]),
        (b"(unterminated <a@b>", []),
        (b"a..b@c", [(None, None, b"a..b", b"c")]),
        (b'""@b', [(None, None, b"", b"b")]),
    ],
)
def test_addresses(value: bytes, addresses: list[tuple[bytes | None, ...]]) -> None:
    found = parse_addresses(value, fill_missing=True)
    assert [(one.name, one.route, one.mailbox, one.domain) for one in found] == addresses


def test_what_is_missing_can_stay_empty() -> None:
    (one,) = parse_addresses(b"a", fill_missing=False)
    assert (one.mailbox, one.domain) == (b"a", b"")


@given(st.binary(max_size=60))
def test_any_header_has_an_envelope(value: bytes) -> None:
    assert envelope(b"From: " + value).startswith(b"NIL ")


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (b"Tue, 02 Jan 2024 11:22:33 +0200", (1704187353, 120)),
        (b"Mon, 1 Jan 24 10:00 EST", (1704121200, -300)),
        (b"(c) Mon, (c) 01 Jan 2024 10:00:00 +0000", (1704103200, 0)),
        (b"Mon, 01 Jan 2024 10:00:00 A", (1704099600, 60)),
        (b"Mon,01 Jan 2024 10.00.00 +0000", (1704103200, 0)),
        (b"Mon, 01 Jan 2024 10:00:60 +0000", (1704103259, 0)),
        (b"Mon, 01 Jan 2024 10:00:00 +9999", (1703740860, 6039)),
        (b"Mon, 01 Jan 69 10:00:00 UT", (3124260000, 0)),
        (b"Monday, 01 Jan 2024 10:00:00 +0000", None),
        (b"Mon, 31 Feb 2024 10:00:00 +0000", None),
        (b"Mon, 01 Jan 100 10:00:00 GMT", None),
        (b"01 Jan 2024", None),
        (b"", None),
    ],
)
def test_dates(value: bytes, date: tuple[int, int] | None) -> None:
    assert parse_date(value) == date


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(min_value=-720, max_value=720),
    st.sampled_from(
        ["%d %b %Y %H:%M:%S", "%a, %d %b %Y %H.%M.%S", "(c) %d\n %b(()) %Y %H : %M:%S"]
    ),
)
def test_dates_are_read_as_they_were_written(moment: datetime, zone: int, form: str) -> None:
    hours, minutes = divmod(abs(zone), 60)
    value = f"{moment:{form}} {'-' if zone < 0 else '+'}{hours:02}{minutes:02}"
    seconds = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    assert parse_date(value.encode()) == (seconds - zone * 60, zone)


@given(st.text("MonJaFeb 0123456789:.,+-()\n", max_size=40))
def test_any_header_is_a_date_or_none(value: str) -> None:
    parse_date(value.encode())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?=  x  =?utf-8?Q?b?=", "a  x  b"),
        (b"=?utf-8?b?SMOkbMO2?=", "Hälö"),
        (b"=?iso-8859-1?q?caf=E9?=", "café"),
        (b"=?nosuch?q?caf=E9?=", "caf\ufffd"),
        (b"=?utf-8?q?abc", "=?utf-8?q?abc"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8*en?q?lang=C3=A4?=", "langä"),
        (b"=?utf-8?q?a=C3?= =?utf-8?q?=A4b?=", "a\ufffdb"),
        (b"=?utf-8?b?SMOk!bMO2?=", "Hä"),
    ],
)
def test_encoded_words(value: bytes, text: str) -> None:
    assert decode_words(value).decode() == text


@given(st.binary(), st.sampled_from([None, "iso-8859-1", "utf-16", "gb2312", "shift_jis", "x"]))
def test_decoded_text_is_always_utf8(data: bytes, charset: str | None) -> None:
    Decoder(charset).decode(data).decode()
    valid_utf8(data).decode()


@given(st.text(), st.integers(min_value=0, max_value=20))
def test_utf8_decodes_in_any_pieces(text: str, cut: int) -> None:
    data = text.encode(errors="replace")
    decoder = Decoder("utf-8")
    assert decoder.decode(data[:cut]) + decoder.decode(data[cut:]) == data


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("latin1", b"\xc3\xa4"),
        ("L1//TRANSLIT", b"\xc3\xa4"),
        ("WINDOWS-1251", b"\xd0\xb4"),
        ("", b"\xef\xbf\xbd"),
        ("ANSI_X3.4-1968", b"\xef\xbf\xbd"),
    ],
)
def test_charsets_have_the_names_that_iconv_has(charset: str, text: bytes) -> None:
    assert Decoder(charset).decode(b"\xe4") == text


@pytest.mark.parametrize("charset", ["latin-1", "646", "utf_8", "rot13", "cp65001", "\xe4"])
def test_names_that_python_alone_has_are_unknown(charset: str) -> None:
    assert not is_known(charset)


def test_every_charset_has_a_codec() -> None:
    assert [name for name in CODECS if codecs.lookup(CODECS[name]).name != CODECS[name]] == []


def test_a_value_that_is_not_of_its_charset_cannot_be_converted() -> None:
    assert to_utf8(b"caf\xe9", "iso-8859-1") == "café".encode()
    assert to_utf8(b"caf\xe9", "utf-8") is None
    assert to_utf8(b"a", "nosuch") is None


def test_folding() -> None:
    header = b"Subject : a\n b\n\tc\nno colon\nsubject:d\n\nSubject: body\n"
    assert values(header, b"SUBJECT") == [b"a\n b\n\tc", b"d"]
    assert unfold(b"a\n b\n\tc") == b"a b c"
    fields = list(header_fields(header))
    assert [field.name for field in fields] == [b"Subject", b"", b"subject"]
    assert (fields[0].one_line, fields[0].value) == (b"a b c", b"a\n b\n\tc")
