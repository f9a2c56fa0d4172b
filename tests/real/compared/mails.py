"""Mails as nobody would write them, and a few as everybody does: headers, parts, encodings.

Each is text in which a lone surrogate stands for a byte that is no UTF-8.
"""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from tests.real.compared.values import mostly, one

Text: TypeAlias = st.SearchStrategy[str]


def _joined(*parts: Text) -> Text:
    return st.tuples(*parts).map("".join)


def _some(part: Text, most: int) -> Text:
    return st.lists(part, max_size=most).map("".join)


#: What is put between the words of structured headers.
_space = mostly(
    one(" ", "", " "), one("\n ", "\t", "\n\t", "  ", " (a comment) ", "((nested) \\) x)", "\r\n ")
)
_atom = mostly(
    one("a", "bob", "x.y", "example", "ann-lee", "Re:", "1"),
    one('"quoted"', '"a \\" b"', "ä", "\udce4", '"', "(", ")", "a.b.", ".a", "a..b", "\\", "[x]"),
)
_encoded_word = one(
    "=?utf-8?q?=C3=A4_b?=",
    "=?utf-8?B?w6Q=?=",
    "=?iso-8859-1?Q?=E4=F6?=",
    "=?ISO-8859-15?q?=A4?= =?iso-8859-1?q?=E4?=",
    "=?utf-8?q?=C3?= =?utf-8?q?=A4?=",
    "=?us-ascii?q?a?=",
    "=?x-none?q?=E4?=",
    "=?utf-8*en?q?a?=",
    "=?utf-8?x?a?=",
    "=?utf-8?q?a b?=",
    "=?utf-8?b?w6?=",
    "=?utf-8?q?=ZZ?=",
    "=?utf-8?q?=0A=00x?=",
    "=?utf-8?q?a?",
    "=??q?a?=",
    "=?windows-1252?q?=80?=",
    "=?koi8-r?B?8NLJ18XU?=",
    "=?iso-2022-jp?B?GyRCJCIbKEI=?=",
)
_phrase = _some(_joined(st.one_of(_atom, _atom, _encoded_word), _space), 3)

_domain = mostly(one("example.com", "x", "b.example"), one("", "[1.2.3.4]", "a b", "ä.example"))
_local = mostly(one("ann", "bob.x", "a+b"), _atom)
_address = st.one_of(
    _joined(_local, one("@"), _domain),
    _joined(_phrase, one("<"), _local, one("@"), _domain, one(">")),
    _joined(_phrase, one("<"), _local, one("@", ""), _domain, one(">", "")),
    _joined(one("<@r.example,@s:", "<@r:", "<"), _local, one("@"), _domain, one(">")),
    _joined(_local, one("@"), _domain, one(" (Ann Lee)", " (ä)", "(a(b))", " (")),
    _phrase,
    one("<>", "undisclosed-recipients:;", "@", "<", ":", ";", ","),
)
_group = _joined(_phrase, one(":"), _some(_joined(_address, one(", ", ",")), 2), one(";", ""))
_addresses = st.lists(st.one_of(_address, _address, _address, _group), max_size=3).map(", ".join)

_date = mostly(
    one(
        "Mon, 01 Jan 2024 10:00:00 +0100",
        "1 Jan 2024 10:00:00 -0330",
        "Thu, 29 Feb 2024 23:59:60 GMT",
        "Sat, 1 Jan 00 00:00 EST",
    ),
    one(
        *("", "x", "Mon, 32 Jan 2024 10:00:00 +0100", "1 Jan 99 1:2:3 +0000", "01 Jan 2024"),
        *("Mon, 01 Jan 2024 10:00:00", "Mon, 01 Jan 2024 10:00:00 +9999", "1 Foo 2024 10:00:00 Z"),
        *("Mon, 1 Jan 1969 00:00:00 +0000", "Mon,1 Jan 2024 10:00:00 (x) +0100 (CET)"),
        *("1 Jan 10000 10:00:00 +0000", "1 Jan 2024 24:00:00 +0000", "1 Jan 123 10:00:00 PST"),
        *("Mon 1 Jan 2024 10:00:00 +0100", "1-Jan-2024 10:00:00 +0100", "2024-01-01 10:00:00"),
    ),
)

_token = mostly(
    one("text", "plain", "html", "x", "mixed"), one("", "ä", "a b", "(c)x", '"q"', "a/b")
)
_charset = one("utf-8", "iso-8859-1", "us-ascii", "UTF-8", "x-none", "", "utf-16", "koi8-r")
_parameter = st.one_of(
    _joined(one("charset="), _charset),
    _joined(one('charset="'), _charset, one('"', "")),
    _joined(one("name=", "NAME = ", "name*=utf-8''", "name*0=", "name*0*=utf-8'en'"), _token),
    _joined(one("name*0=a; name*1=", "name*1=b; name*0=", "name*0=a; name*2="), _token),
    one(
        "name*=%C3%A4", "name*=utf-8''%C3%A4%ZZ", "x", "=", "=x", "x=", 'x="a\\"b"', 'x="a', "x=a b"
    ),
    one("format=flowed", "name==?utf-8?q?=C3=A4?=", 'name="=?utf-8?q?=C3=A4?="', "x=\udce4"),
)
_parameters = _some(_joined(one(";", "; ", ";\n ", " ; "), _parameter), 3)

_type = mostly(
    one(
        *(
            "text/plain",
            "text/html",
            "image/png",
            "message/rfc822",
            "multipart/mixed",
            "TEXT/Plain",
        ),
        *("application/octet-stream", "multipart/alternative", "message/delivery-status"),
        *("multipart/digest", "message/partial", "multipart/related", "multipart/signed"),
    ),
    _joined(_token, one("/", "", " / ", "//"), _token),
    times=5,
)
_encoding = mostly(
    one("base64", "quoted-printable", "7bit", "8bit", "binary", "Base64"),
    one("", "x-uuencode", "base64 x", "(c) base64", "8 bit", '"base64"', "base64;x=y"),
    times=5,
)
_disposition = _joined(
    mostly(one("attachment", "inline", "ATTACHMENT"), _token),
    _some(
        _joined(
            one("; ", ";"),
            one("filename=x.png", 'filename="a b"', "filename*=utf-8''%C3%A4", "size=1", "x", "="),
        ),
        2,
    ),
)
_language = one("en", "en, de", "", "en (c)", "ä", "en,,de", '"en"')

_name = mostly(
    one("Subject", "X-Note", "Received", "Comments", "subject"),
    one("X Y", "", "ä", "X\x01", "x" * 200, "Subject "),
    times=12,
)
_unstructured = _some(
    st.one_of(
        one(
            "word ", "ä ", "\udcff", "a\tb", "  ", "\x00", "\x01", "\x1b", "\x7f", "\n more", "\n\t"
        ),
        _joined(_encoded_word, one(" ", "", "\n ")),
        _joined(_encoded_word, one(" ", "")),
    ),
    4,
)

_message_id = mostly(
    one("<1@x>", "<a.b@example.com>", "<1@x> <2@x>"),
    one("", "x", "<", "<a b@c>", "(c)<1@x>"),
)

_line_end = one("\n", "\n", "\n", "\n", "\r\n")
_header = st.one_of(
    _joined(_name, one(": ", ":", ":\t", " : "), _unstructured),
    _joined(one("Subject: ", "Subject:"), _unstructured),
    _joined(one("From: ", "To: ", "Cc: ", "Bcc: ", "Sender: ", "Reply-To: ", "to:"), _addresses),
    _joined(one("From: ", "To: ", "Cc: "), _addresses),
    _joined(one("Date: ", "date:"), _date),
    _joined(one("Message-ID: ", "In-Reply-To: ", "References: "), _message_id),
    one("no colon here", "MIME-Version: 1.0", "MIME-Version: 2", " leading space", ":"),
)
_mime_header = st.one_of(
    _joined(one("Content-Type: ", "content-type:"), _type, _parameters),
    _joined(one("Content-Type: "), _type, _parameters),
    _joined(one("Content-Transfer-Encoding: "), _encoding),
    _joined(one("Content-Disposition: "), _disposition),
    _joined(one("Content-Description: "), _unstructured),
    _joined(one("Content-Language: "), _language),
    _joined(one("Content-ID: ", "Content-MD5: ", "Content-Location: "), _atom),
)


def _headers(header: Text, most: int) -> Text:
    return st.lists(_joined(header, _line_end), max_size=most).map("".join)


_content = st.one_of(
    one(
        *(
            "hello\n",
            "",
            "\n",
            "no end",
            "> quoted\nown\n",
            "a" * 300 + "\n",
            "-- \nsig\n",
            "\n\n x\n",
        ),
        *(
            "aGVsbG8gd29ybGQK\n",
            "aGVs\nbG8=\n",
            "aGVsbG8",
            "####\n",
            "aGVs=bG8=\n",
            "aGV\x00sbG8=\n",
        ),
        *("h=C3=A4 =\nlo=20\n", "=ZZ =\n", "a=", "a =\n\n", "=3D=0A=\r\nb\n", "t  \n", "=c3=a4\n"),
        *("<p>a &amp; &auml; <b>b</b></p>\n", "<style>x</style><br>y &#228; &lt", "<!-- c -->t<q"),
        *(
            "ä € \n",
            "\udce4\udcf6\n",
            "\x00a\x01\n",
            "a\rb\r\nc\n",
            "--\n--x\n--x--\n",
            "--x \n--xy\n",
        ),
        *("Subject: in\nFrom: in@x\n\ninner\n", "Content-Type: text/html\n\n<i>x</i>\n", " \t\n"),
    ),
    _some(
        one("a ", "b\n", "\n", "ä", "=", "=3D", "<", ">", "&", "\r\n", "--", "\udc80", "\x00"), 12
    ),
)


def _multipart(entity: Text) -> Text:
    """Draw an entity with a boundary, and parts that keep to it more or less."""
    boundary = one("x", "x", "b", "a b", "=_1", "xx")
    kind = one("mixed", "alternative", "digest", "related", "MIXED", "signed", "x-y")
    mark = mostly(
        one("--{}\n"), one("--{}--\n", "--{} \n", "--{}y\n", "--{}\r\n", "\n--{}\n", "-{}\n")
    )
    end = mostly(
        one("--{}--\n"), one("", "--{}--", "--{}\n", "--{}--x\nepilogue\n", "\n--{}--\n\n")
    )

    def filled(drawn: tuple[str, str, str, str, list[tuple[str, str]], str]) -> str:
        name, subtype, quote, preamble, parts, last = drawn
        head = f"Content-Type: multipart/{subtype}; boundary={quote}{name}{quote}\n"
        inner = "".join(before.format(name) + part for before, part in parts)
        return head + "\n" + preamble + inner + last.format(name)

    return st.tuples(
        boundary,
        kind,
        one('"', '"', ""),
        one("", "", "preamble\n", "\n"),
        st.lists(st.tuples(mark, entity), max_size=3),
        end,
    ).map(filled)


def _inner_message(entity: Text) -> Text:
    return _joined(one("Content-Type: message/rfc822\n\n"), _headers(_header, 2), entity)


_leaf = _joined(_headers(_mime_header, 3), one("\n", "\n", "\n", "\n", "", "\r\n"), _content)
_entity = st.recursive(
    _leaf,
    lambda inner: st.one_of(_multipart(inner), _multipart(inner), _inner_message(inner)),
    max_leaves=4,
)

#: A whole mail.
any_mail: Text = _joined(_headers(_header, 5), st.one_of(_entity, _entity, _leaf))
