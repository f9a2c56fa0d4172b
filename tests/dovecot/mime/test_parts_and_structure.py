"""MIME parts, IMAP structures and sections; answers of the real servers 2.3.19.1 and 2.4.1."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.mime.binary import BadEncodingError, UnknownEncodingError, read_binary
from fakedove.dovecot.mime.bodies import NamelessFieldError, mail_in_utf8
from fakedove.dovecot.mime.parts import Kind, parse_parts
from fakedove.dovecot.mime.sections import find_part, parse_section, read_fields, span_of
from fakedove.dovecot.mime.snippet import snippet
from fakedove.dovecot.mime.structure import body_structure
from fakedove.dovecot.mime.transfer import decode_base64, decode_quoted_printable

ALTERNATIVE = """\
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="xx"

--xx
Content-Type: text/plain; charset=utf-8

päivää
--xx
Content-Type: text/html; charset=utf-8

<p>p&auml;iv&auml;&auml;</p>
--xx--
""".encode()
ATTACHED = b"""\
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: message/rfc822

From: inner@example.com
Subject: in

body
--x
Content-Type: application/pdf; name*=utf-8''%C3%A4
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*0=a; filename*1=b

QUJD
--x--
"""
_TOKENS = st.sampled_from(
    [
        b"--x\n",
        b"--x--\n",
        b"--y\n",
        b"\n",
        b"\r\n",
        b"a: b\n",
        b" fold\n",
        b"text",
        b"\0",
        b"Content-Type: multipart/mixed; boundary=x\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: multipart/digest; boundary=y\n",
        b"Content-Transfer-Encoding: base64\n",
    ]
)
MAILS = st.lists(_TOKENS, max_size=30).map(b"".join)


def structure(mail: bytes, *, decoded: bool) -> bytes:
    return body_structure(mail, parse_parts(mail), extended=True, decoded=decoded)


def section(mail: bytes, text: str) -> bytes | None:
    root = parse_parts(mail)
    parsed = parse_section(text)
    assert parsed is not None
    part = find_part(root, parsed)
    if part is None:
        return None
    if parsed.names:
        return read_fields(mail, part, parsed)
    start, end = span_of(mail, part, parsed)
    return mail[start:end]


@given(MAILS)
def test_all_bytes_of_a_mail_are_in_its_parts(mail: bytes) -> None:
    root = parse_parts(mail)
    assert (root.position, root.end) == (0, len(mail))
    for part in root.walk():
        inner = sum(child.header.physical + child.body.physical for child in part.children)
        assert 0 <= inner <= part.body.physical
        assert part.kind & (Kind.MULTIPART | Kind.MESSAGE) or not part.children


@given(MAILS)
def test_any_mail_has_a_structure_and_a_snippet(mail: bytes) -> None:
    root = parse_parts(mail)
    assert structure(mail, decoded=True)
    assert len(snippet(mail, root, length=10, quotes=True).decode()) <= 10
    # Releases that leave quotes out may add a space.
    assert len(snippet(mail, root, length=10, quotes=False).decode()) <= 11


@given(
    st.lists(st.lists(st.sampled_from([b"a", b"-- ", b"-", b"", b"--y"]), max_size=4), max_size=4)
)
def test_parts_are_read_as_they_were_written(texts: list[list[bytes]]) -> None:
    bodies = [b"\r\n".join(lines) for lines in texts]
    parts = b"".join(b"--x\r\nA: b\r\n\r\n%b\r\n" % body for body in bodies)
    mail = b"Content-Type: multipart/mixed; boundary=x\n\n%b--x--\n" % parts
    assert [child.body_of(mail) for child in parse_parts(mail).children] == bodies


@given(MAILS, st.integers(min_value=0, max_value=600))
def test_a_mail_cut_off_anywhere_has_the_parts_that_came_before(mail: bytes, cut: int) -> None:
    whole, part = list(parse_parts(mail).walk()), list(parse_parts(mail[:cut]).walk())
    complete = [one for one in whole if one.end < cut and one.header_ended]
    assert len(part) >= len(complete)


def test_a_boundary_need_only_begin_a_line_and_the_longest_wins() -> None:
    mail = b"Content-Type: multipart/mixed; boundary=x\n\n--xyz\n\nq\n--x\n\nreal\n--x--\n"
    assert [child.body_of(mail) for child in parse_parts(mail).children] == [b"q", b"real"]
    nested = (
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n"
        b"Content-Type: multipart/mixed; boundary=xy\n\n--xy\n\na\n--xy--\n--x\n\nb\n--x--\n"
    )
    first, second = parse_parts(nested).children
    assert [child.body_of(nested) for child in (*first.children, second)] == [b"a", b"b"]


def test_a_header_that_a_boundary_ends_gives_its_line_end_to_it() -> None:
    mail = b"Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b\n--x--\n"
    (child,) = parse_parts(mail).children
    assert (child.header_of(mail), child.body.physical) == (b"A: b", 0)


def test_parts_nest_only_so_deep() -> None:
    begin = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d.\n\n--%d.\n" % (i, i) for i in range(120)
    )
    parts = list(parse_parts(begin).walk())
    assert len(parts) == 100
    assert parts[-1].kind & Kind.OVERFLOW


@pytest.mark.parametrize(
    ("decoded", "name"),
    [(False, b'"name*" "utf-8\'\'%C3%A4"'), (True, '"name" {2}\r\nä'.encode())],
)
def test_bodystructure(decoded: bool, name: bytes) -> None:
    assert structure(ATTACHED, decoded=decoded) == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 44 (NIL "in"'
        b' ((NIL NIL "inner" "example.com")) ((NIL NIL "inner" "example.com"))'
        b' ((NIL NIL "inner" "example.com")) NIL NIL NIL NIL NIL)'
        b' ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0 NIL NIL NIL NIL) 3'
        b' NIL NIL NIL NIL)("application" "pdf" (%b) NIL NIL "base64" 4 NIL'
        b' ("attachment" ("filename" "ab")) NIL NIL) "mixed" ("boundary" "x") NIL NIL NIL' % name
    )


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        (b"TEXT/PLAIN; CHARSET=US-ASCII", b'"text" "plain" ("charset" "us-ascii")'),
        (b"text", b'"text" "" ("charset" "us-ascii")'),
        (b"text/", b'"" "" NIL'),
        (b"multipart", b'"application" "octet-stream" NIL'),
        (b'text/plain; a="b\\"c"; a=d', b'"text" "plain" ("a" "b\\"c" "charset" "us-ascii")'),
        (b"text/plain; n*2=c; n*0=a; n*1=b", b'"text" "plain" ("n" "abc" "charset" "us-ascii")'),
    ],
)
def test_broken_and_plain_content_types(content_type: bytes, shown: bytes) -> None:
    mail = b"Content-Type: %b\n\n" % content_type
    assert structure(mail, decoded=True).startswith(shown + b" NIL NIL")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", b"From: inner@example.com\nSubject: in\n\nbody"),
        ("1.header", b"From: inner@example.com\nSubject: in\n\n"),
        ("1.text", b"body"),
        ("1.1", b"body"),
        ("1.mime", b"Content-Type: message/rfc822\n\n"),
        ("1.header.fields(subject)", b"Subject: in\n\n"),
        ("1.header.fields.not(subject,x)", b"From: inner@example.com\n\n"),
        ("2", b"QUJD"),
        ("01", b"From: inner@example.com\nSubject: in\n\nbody"),
        ("0", b"From: inner@example.com\nSubject: in\n\nbody"),
        ("2.text", None),
        ("3", None),
        ("99999999999", None),
        ("header.fields(x)", b"\n"),
    ],
)
def test_sections(text: str, value: bytes | None) -> None:
    assert section(ATTACHED, text) == value


@pytest.mark.parametrize(
    "text", ["mime", "1.", "1x", ".1", "x", "text.", "header.fields", "header.fields()", "headerx"]
)
def test_no_sections(text: str) -> None:
    assert parse_section(text) is None


def test_binary_says_so_in_the_header() -> None:
    root = parse_parts(ATTACHED)
    decoded = read_binary(ATTACHED, root, header=False)
    assert b"filename*1=b\r\nContent-Transfer-Encoding: binary\r\n\r\nABC\r\n--x--\r\n" in decoded


def test_what_cannot_be_decoded() -> None:
    unknown, bad, short = (
        b"Content-Transfer-Encoding: %b\n\n" % rest
        for rest in (b"x-foo", b"base64\n\n!", b"base64\n\nQUJ")
    )
    with pytest.raises(UnknownEncodingError):
        read_binary(unknown, parse_parts(unknown), header=False)
    with pytest.raises(BadEncodingError, match=r"^$"):
        read_binary(bad, parse_parts(bad), header=False)
    with pytest.raises(BadEncodingError, match="Base64 data ends prematurely"):
        read_binary(short, parse_parts(short), header=False)


@given(st.binary())
def test_encodings_are_undone(data: bytes) -> None:
    assert decode_base64(base64.encodebytes(data)).data == data
    quoted = b"=\n".join(b"=%02X" % byte for byte in data)
    assert decode_quoted_printable(quoted).data == data


@given(st.text("ab =\t\n", max_size=40))
def test_quoted_printable_lines_end_with_crlf_and_without_white_space(text: str) -> None:
    lines = [line.rstrip() for line in text.split("\n")]
    encoded = quopri.encodestring(text.encode() + b"\n")
    decoded = decode_quoted_printable(encoded.replace(b"=20\n", b" \n").replace(b"=09\n", b"\t\n"))
    assert decoded.data == "".join(line + "\r\n" for line in lines).encode()


def test_text_in_utf8_leaves_boundaries_out() -> None:
    text = b"".join(mail_in_utf8(ALTERNATIVE, parse_parts(ALTERNATIVE)))
    assert text.endswith(
        "päivääContent-Type: text/html; charset=utf-8\n\n<p>p&auml;iv&auml;&auml;</p>".encode()
    )
    old = b"".join(mail_in_utf8(ALTERNATIVE, parse_parts(ALTERNATIVE), boundaries=True))
    assert old == ALTERNATIVE


def test_a_header_line_without_a_colon_crashes_text_in_utf8() -> None:
    mail = b"no colon\n\nbody"
    with pytest.raises(NamelessFieldError):
        list(mail_in_utf8(mail, parse_parts(mail)))


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (b"a\n\n b\t\tc\n", b"a b c", b"a b c"),
        (b"> q\nsaid\n> q\n", b"said", b"said"),
        (b"> quoted\n> more\n", b"", b">quoted more"),
        (b"word " * 10, b"word word word word w", b"word word word word"),
        ("\ufeffa\0b".encode(), b"ab", b"ab"),
    ],
)
def test_snippets(body: bytes, old: bytes, new: bytes) -> None:
    mail = b"\n" + body
    root = parse_parts(mail)
    assert snippet(mail, root, length=20, quotes=False) == old[:20]
    assert snippet(mail, root, length=20, quotes=True) == new


def test_snippets_of_html() -> None:
    html = """<html><head><title>T</title><style>p {a:b}</style><script>x<y</script></head><body>\
<h1>Head&amp;er</h1><p>para &lt;1&gt; &eacute; &#233; &#x20ac; &nbsp;x &unknown; &amp</p>\
<blockquote>quoted <b>text</b></blockquote><!-- comment --> after<br>br<p>second</p></body></html>
"""
    mail = b"Content-Type: text/html\n\n" + html.encode()
    text = snippet(mail, parse_parts(mail), length=200, quotes=True).decode()
    assert text == "T Head&er para <1> \xe9 \xe9 \u20ac \xa0x amp after br second"
    alternative = snippet(ALTERNATIVE, parse_parts(ALTERNATIVE), length=200, quotes=True)
    assert alternative == "päivää".encode()
