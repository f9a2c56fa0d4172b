"""MIME parts; answers of the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.user import User
from tests.dovecot.search.users import fatal, inbox_of, uids

MAIL = b"""From: outer@example.com
Subject: outer
Content-Language: en, fi
Content-Type: multipart/mixed; boundary="out"; x-param=Foo

--out
Content-Type: text/plain; charset=iso-8859-1
Content-ID: <part1@example.com>
Content-Description: The description
Content-Location: http://example.com/p1
Content-MD5: Q2hlY2s=

twenty characters..
--out
Content-Type: application/pdf; name="doc one.pdf"
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf; size=12
Content-Transfer-Encoding: base64

c2VjcmV0cGRmdGV4dA==
--out
Content-Type: message/rfc822

From: inner@example.com
To: other@example.com
Subject: inner subject
Date: Tue, 16 Jan 2024 08:00:00 +0000
Message-ID: <m1@x>
Content-Type: multipart/alternative; boundary=in

--in

inner plain text
--in
Content-Type: text/html

<b>inner html</b>
--in--
--out--
"""


@pytest.fixture
def user() -> User:
    return inbox_of(MAIL)


def test_a_message_has_its_envelope_at_its_content(user: User) -> None:
    assert uids(user, "mimepart ( type multipart subject inner )") == [1]
    assert uids(user, "mimepart ( type message subject inner )") == []


def test_a_multipart_without_parts_has_an_empty_text() -> None:
    user = inbox_of(b"Content-Type: multipart/mixed; boundary=x\n\nnothing\n")
    assert uids(user, "mimepart ( depth 1 index 1 type text subtype plain size 0 )") == [1]
    assert uids(user, "mimepart ( depth 1 not parent type multipart )") == []


def test_a_multipart_has_neither_id_nor_description() -> None:
    header = b"Content-ID: <x>\nContent-Description: d\nContent-Location: l\n"
    user = inbox_of(header + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x--\n")
    assert uids(user, "mimepart ( id <x> )") == uids(user, "mimepart ( description d )") == []
    assert uids(user, "mimepart ( location l )") == [1]


@pytest.mark.parametrize(
    "key",
    [
        "type text",
        "type MULTIPART",
        "subtype rfc822",
        "param charset iso",
        "param CHARSET us-ascii",
        "param x-param o",
        "disposition type ATTACHMENT",
        "disposition param size 12",
        "encoding BASE64",
        "encoding 7bit",
        "id <PART1@example.com>",
        "description desc",
        "language FI",
        "location HTTP://example.com/p1",
        "md5 Q2hlY2s=",
        "from <inner@example.com>",
        "sender inner",
        "to other",
        "subject inner",
        "message-id m1",
        "senton 16-Jan-2024",
        "sentsince 16-Jan-2024",
        "size 20",
        "size 0",
        "size larger 100",
        "size smaller 20",
        "depth 3",
        "depth min 2",
        "depth max 0",
        "index 3",
        "parent exists",
        "not parent exists",
        "parent not exists",
        "child exists",
        "child not exists",
        "child subtype html",
        "child depth 1",
        "child parent type message",
        "( subtype html depth 3 )",
        "( subtype alternative index 1 )",
        "or type image type text",
        "or type image or type audio type text",
        "not type text",
        "not not type text",
        "filename is RÉSUMÉ.PDF",
        "filename contains sum",
        "filename begins rés",
        "filename ends .pdf",
    ],
)
def test_parts_that_are_there(user: User, key: str) -> None:
    assert uids(user, f"mimepart {key}") == [1]


@pytest.mark.parametrize(
    "key",
    [
        "type tex",
        "param charset ISO",
        "param x-param foo",
        "param nope ",
        "disposition type inline",
        "encoding 8bit",
        "id part1@example.com",
        "description DESC",
        "language e",
        "location http",
        "md5 q2hlY2s=",
        "from outer",
        "from INNER",
        "subject outer",
        "cc inner",
        "in-reply-to x",
        "sentbefore 16-Jan-2024",
        "depth 9",
        "index 0",
        "index 6",
        "child depth 0",
        "( subtype html depth 2 )",
        "filename is doc",
        "header subject inner",
        "not header subject inner",
        "body x",
        "text x",
    ],
)
def test_parts_that_are_not_there(user: User, key: str) -> None:
    assert uids(user, f"mimepart {key}") == []


def test_2_3_does_not_decode_parameters(user: User) -> None:
    assert uids(user, "mimepart filename contains sum", dovecot="2.3.19.1") == []
    key = "mimepart disposition param filename* utf"
    assert uids(user, key, dovecot="2.3.19.1") == [1]


def test_what_cannot_be_decided_does_not_match(user: User) -> None:
    assert uids(user, "mimepart header x y or all") == [1]
    assert uids(user, "mimepart header x y all") == []
    assert uids(user, "not mimepart header x y") == []


def test_the_depth_goes_on_from_key_to_key() -> None:
    user = inbox_of(b"Subject: plain\n\nx\n")
    assert uids(user, "mimepart depth 0") == [1]
    assert uids(user, "not mimepart type multipart mimepart depth 0") == []
    assert uids(user, "mimepart type multipart or mimepart depth 1") == [1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", b"Unknown MIMEPART key "),
        ("nosuch", b"Unknown MIMEPART key NOSUCH"),
        ("not", b"Missing MIMEPART key"),
        ("( )", b"No MIMEPART keys inside list"),
        ("( type text", b"Missing ')'"),
        ("or type text", b"Missing MIMEPART key"),
        ("type", b"Missing parameter for search key (for search key: TYPE)"),
        ("exists", b"EXISTS key can only be used with PARENT or CHILD"),
        ("parent ( exists )", b"EXISTS key can only be used with PARENT or CHILD"),
        ("parent", b"Missing MIMEPART key"),
        ("size", b"Invalid MIMEPART SIZE key type"),
        ("size larger x", b"Invalid MIMEPART SIZE value"),
        ("depth", b"Invalid MIMEPART DEPTH key"),
        ("depth min", b"Invalid MIMEPART DEPTH value"),
        ("depth x", b"Invalid MIMEPART DEPTH level"),
        ("index", b"Invalid MIMEPART INDEX value"),
        ("index x", b"Invalid MIMEPART INDEX number"),
        ("filename x y", b"Invalid MIMEPART FILENAME match type"),
        ("filename is", b"Invalid MIMEPART FILENAME string value"),
        ("disposition x", b"Invalid MIMEPART DISPOSITION key type"),
        ("disposition type", b"Invalid MIMEPART DISPOSITION TYPE value"),
        ("disposition param x", b"Missing parameter for search key (for search key: PARAM)"),
        ("senton x", b"Invalid search date parameter"),
    ],
)
def test_what_the_process_dies_of(text: str, words: bytes) -> None:
    assert fatal(f"mimepart {text}") == words


def test_the_process_aborts_where_the_whole_mail_has_no_parent() -> None:
    assert b"assertion failed" in fatal("mimepart parent type multipart")
