"""Texts in headers and bodies; answers of the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.mime.addresses import parse_addresses
from fakedove.dovecot.search.normal import normal
from fakedove.dovecot.search.texts import written
from tests.dovecot.search.users import inbox_of, uids

MAIL = b"""From: "Doe, John" <john.doe@EXAMPLE.com>,
 =?iso-8859-1?q?J=F6rg_M=FCller?= <joerg@example.de>
To: Group One: a@b.c, "Q \\"x\\"" <q@d.e>;, undisclosed-recipients:;
Cc: plain@host (Comment Name), local-only, <angle@only.org>
Subject: =?utf-8?B?w4TDtsO8IMOfIOKCrA==?=  double  space\ttab
 folded =?utf-8?q?more?= =?utf-8?q?_text?=
X-Multi: first value
X-Multi: second value
X-Empty:
X-Space:   padded   value\x20\x20
Content-Type: multipart/mixed; boundary="out"

preamble words
--out
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9 line one=
 continued
--out
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+aMOkbGzDtiA8Yj53w7ZybGQ8L2I+PC9wPgo=
--out
Content-Type: application/pdf; name="doc one.pdf"
Content-Transfer-Encoding: base64

c2VjcmV0cGRmdGV4dA==
--out
Content-Type: message/rfc822

From: inner@example.com
Subject: inner subject

inner text
--out
Content-Transfer-Encoding: x-unknown

unknowncte words
--out--
epilogue words
"""
PLAIN = "Subject: Topic\nFrom: a@x\n\nnodate STRASSE straße Ångström \ufb01ne\n".encode()
BROKEN = b"X-Raw: na\xefve\n\nbad \xff\xfe bytes \xe9t\xe9\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from john", True),
        ("from doe,", True),
        ('from "Doe,', True),
        ("from jörg", True),
        ("from JÖRG", True),
        ("from jorg", False),
        ("from =?iso", False),
        ("from example.com>,", True),
        ("to group", True),
        ('to "Group', True),
        ("to <a@b.c>", True),
        ("to q@d.e>;", True),
        ("to undisclosed-recipients:;", True),
        ("cc comment", True),
        ("cc (Comment", False),
        ("cc <angle@only.org>", True),
        ("cc local-only@MISSING", True),
        ("subject äöü", True),
        ("subject ß", True),
        ("subject ss", False),
        ("header x-multi first", True),
        ("header X-MULTI second", True),
        ("header x-empty ", True),
        ("header x-empty x", False),
        ("header x-nope ", False),
        ("bcc ", False),
        ("body café", True),
        ("body CAFÉ", True),
        ("body hällö", True),
        ("body <b>wörld", True),
        ("body preamble", False),
        ("text epilogue", False),
        ("text secretpdf", False),
        ("body inner", True),
        ("body subject", False),
        ("text subject", True),
        ("text unknowncte", False),
        ("text x-unknown", True),
        ("body ", True),
        ("text zzz", False),
    ],
)
def test_a_mail_of_many_parts(text: str, found: bool) -> None:
    assert uids(inbox_of(MAIL), text) == ([1] if found else [])


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("subject", b"double space", True),
        ("subject", b"double  space", False),
        ("subject", b"space tab folded more text", True),
        ("header subject", b"double  space", True),
        ("header subject", b"double space", False),
        ("header subject", b"space\ttab folded", True),
        ("header x-space", b"padded   value  ", True),
        ("header x-space", b"   padded", False),
        ("text", b"X-Multi: second", True),
        ("text", b"first value\r\nX-Multi", True),
        ("text", b"first value\nX-Multi", False),
        ("text", b"X-Empty:", True),
        ("text", b"X-Space: padded", False),
        ("body", b"line one continued", True),
        ("text", b"doc one", True),
    ],
)
def test_white_space(key: str, text: bytes, found: bool) -> None:
    assert uids(inbox_of(MAIL), key, text) == ([1] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("body strasse", True),
        ("body straße", True),
        ("body STRAẞE", False),
        ("body ångström", True),
        ("body angstrom", False),
        ("body \ufb01ne", True),
        ("body fine", False),
        ("text topic\r\n", True),
        ("text a@x\r\n\r\nnodate", True),
        ("body nodate", True),
        ("body from", False),
    ],
)
def test_a_plain_mail(text: str, found: bool) -> None:
    assert uids(inbox_of(PLAIN), text) == ([1] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("body bytes", True),
        ("body été", False),
        ("body �t�", True),
        ("header x-raw na", True),
        ("header x-raw naïve", False),
        ("text �", True),
    ],
)
def test_bytes_that_are_no_text(text: str, found: bool) -> None:
    assert uids(inbox_of(BROKEN), text) == ([1] if found else [])


def test_the_first_key_decides_how_a_header_is_read() -> None:
    user = inbox_of(MAIL)
    assert uids(user, "header subject", b"double  space") == [1]
    assert uids(user, "subject double header subject", b"double  space") == []


def test_the_dates_of_mails() -> None:
    dated = b"Date: Mon, 15 Jan 2024 23:30:00 -0800\n\nx\n"
    user = inbox_of(dated, b"Subject: none\n\nx\n", b"Date: yesterday\n\nx\n")
    assert uids(user, "senton 15-Jan-2024") == [1]
    assert uids(user, "senton 2024-01-16") == [1]
    assert uids(user, "senton 2024-01-15", dovecot="2.3.19.1") == [1]
    assert uids(user, "sentsince 1705390200 sentbefore 1705390201") == [1]
    assert uids(user, "senton 1970-01-01") == [2, 3]


def test_addresses_in_one_form() -> None:
    value = b'A B <a.b@c>, "x y"@z, bare, Group: <@r:m@d>;, Empty:;'
    addresses = parse_addresses(value, fill_missing=True)
    assert written(addresses) == (
        b'"A B" <a.b@c>, <"x y"@z>, <bare@MISSING_DOMAIN>, Group: <@r:m@d>;, Empty:;'
    )


def test_syllables_are_taken_apart() -> None:
    assert normal("각") == normal("\u1100\u1161\u11a8")
