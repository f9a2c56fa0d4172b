"""What a mail says: its headers and bodies decoded, to look for texts in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from fakedove.dovecot.header_texts import HeaderTexts
from fakedove.dovecot.mime.addresses import Address, parse_addresses
from fakedove.dovecot.mime.charsets import Decoder
from fakedove.dovecot.mime.content_type import parse_content_type
from fakedove.dovecot.mime.dates import parse_date
from fakedove.dovecot.mime.encoded_words import decode_words
from fakedove.dovecot.mime.headers import Field, header_fields
from fakedove.dovecot.mime.lexical import ATEXT
from fakedove.dovecot.mime.parts import parse_parts
from fakedove.dovecot.mime.transfer import (
    Encoding,
    decode_base64,
    decode_quoted_printable,
    parse_encoding,
)
from fakedove.dovecot.search.normal import normal
from fakedove.dovecot.search.tree import Reading

_LINE_END = "\r\n"
#: Where the texts of two parts meet nothing can be found.
_APART = "\0\0"
_WHITE = re.compile(rb"[ \t]+")
_ATOM, _ATOMS_AND_DOTS = re.compile(rb"[%b]*" % ATEXT), re.compile(rb"[.%b]*" % ATEXT)
_ESCAPED = re.compile(rb"[\"\\']")


class Texts:
    """One mail's texts, each made when it is first asked for."""

    __slots__ = ("_data", "_fields", "_headers", "_lost", "_readings", "_uid", "_whole")

    def __init__(
        self,
        data: bytes,
        headers: HeaderTexts | None = None,
        uid: int = 0,
        lost: frozenset[str] = frozenset(),
    ) -> None:
        """Take the mail as it is stored, and what was read in its mailbox by UID.

        `lost` are the cache's keys of headers that are as if they were not there.
        """
        self._data = data
        self._lost = lost
        self._headers = headers or HeaderTexts()
        self._uid = uid
        self._fields: dict[bytes, list[Field]] = {}
        #: How each field was read first, which is how it is read ever after.
        self._readings: dict[bytes, Reading] = {}
        self._whole: dict[bool, str] = {}

    def fields(self, name: bytes) -> list[Field]:
        """Return the mail's header fields called `name`, which is in lower case."""
        if self._lost and f"hdr.{name.decode(errors='surrogateescape')}" in self._lost:
            return []
        if name not in self._fields:
            # Most of a header is not asked for, so it is not taken apart as a whole.
            end = self._data.find(b"\n\n") + 1 or len(self._data)
            found = _finder(name).finditer(b"\n" + self._data[:end])
            fields = [field for match in found for field in header_fields(match[0][1:])]
            self._fields[name] = [] if self._data.startswith(b"\n") else fields
        return self._fields[name]

    def header(self, name: bytes, reading: Reading) -> str:
        """Return the values of the fields called `name`, a line each.

        Dovecot reads a field once for all keys of a query, as the first of them wants it.
        """
        if self._lost and not self.fields(name):
            return ""
        reading = self._readings.setdefault(name, reading)
        known = self._headers.of(name, reading)
        text = known.get(self._uid)
        if text is None:
            lines = (read_value(field.one_line, reading) for field in self.fields(name))
            text = known[self._uid] = "".join(normal(line) + _LINE_END for line in lines)
        return text

    def sent(self) -> tuple[int, int]:
        """Return seconds since 1970 and minutes east of Greenwich of the Date header, else 0."""
        fields = self.fields(b"date")
        return (parse_date(fields[0].value) if fields else None) or (0, 0)

    def whole(self, *, headers: bool) -> str:
        """Return all bodies that are texts, and all headers if `headers`."""
        if headers not in self._whole:
            texts = (_text(header, body, headers) for header, body in _parts(self._data))
            self._whole[headers] = _APART.join(texts)
        return self._whole[headers]


@lru_cache(maxsize=64)
def _finder(name: bytes) -> re.Pattern[bytes]:
    """Return the expression for header fields called `name`, with the lines that go on."""
    field = rb"\n%b[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*" % re.escape(name)
    return re.compile(field, re.IGNORECASE)


@lru_cache(maxsize=1024)
def read_value(value: bytes, reading: Reading) -> str:
    """Return a header's value as text, read for a certain purpose."""
    match reading:
        case Reading.ADDRESSES:
            value = written(parse_addresses(value, fill_missing=True))
        case Reading.PACKED:
            value = _WHITE.sub(b" ", value.lstrip(b" \t"))
    return decode_words(value).decode(errors="replace")


def _parts(data: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield header and body of each part; no body where it is other parts."""
    end = 1 if data.startswith(b"\n") else data.find(b"\n\n") + 2
    if end > 1 and _MIME.search(data, 0, end) is None:
        yield data[:end], data[end:]
        return
    for part in parse_parts(data).walk():
        yield part.header_of(data), None if part.children else part.body_of(data)


#: What a header has where there can be parts.
_MIME = re.compile(rb"content-type|mime-version", re.IGNORECASE)


def _text(header: bytes, body: bytes | None, headers: bool) -> str:
    """Return the text of one part without those in it."""
    types: list[bytes] = []
    encoding = Encoding.NONE
    lines = []
    for field in header_fields(header):
        lower = field.name.lower()
        if lower == b"content-type":
            types.append(field.one_line)
        elif lower == b"content-transfer-encoding":
            encoding = parse_encoding(field.one_line)
        if headers:
            lines.append(_line(field))
    if headers and (header == b"\n" or header.endswith(b"\n\n")):
        lines.append(_LINE_END)
    if body is not None and _is_text(types):
        lines.append(_decoded(body, encoding, types))
    return "".join(lines)


def _line(field: Field) -> str:
    """Return a header line as it is searched: white space around the colon is left as it is."""
    value = decode_words(field.one_line).decode(errors="replace")
    if not field.name:
        return normal(value) + _LINE_END
    middle = ":" + field.raw[:1].decode("latin-1") if field.raw[:1] in (b" ", b"\t") else ":"
    return normal(field.name.decode(errors="replace")) + middle + normal(value) + _LINE_END


def _is_text(types: list[bytes]) -> bool:
    if not types:
        return True
    return parse_content_type(types[-1]).name.lower().startswith((b"text/", b"message/"))


def _decoded(body: bytes, encoding: Encoding, types: list[bytes]) -> str:
    match encoding:
        case Encoding.UNKNOWN:
            return ""
        case Encoding.BASE64:
            body = decode_base64(body).data
        case Encoding.QUOTED_PRINTABLE:
            body = decode_quoted_printable(body).data
    charset = parse_content_type(types[0]).parameter(b"charset", decoded=False) if types else None
    decoder = Decoder(None if charset is None else charset.decode("latin-1"))
    return normal(decoder.decode(body).decode(errors="replace"))


def written(addresses: list[Address]) -> bytes:
    """Return addresses in the one form in which they are searched.

    `Name <route:mailbox@domain>`, separated by commas; a group is `Name: ... ;`.
    """
    return b"".join(_written(addresses)).replace(b": ;", b":;")


def _written(addresses: list[Address]) -> Iterator[bytes]:
    first, in_group = True, False
    for one in addresses:
        if one.domain is None:
            if in_group:
                yield b";"
            else:
                yield (b"" if first else b", ") + (_phrase(one.mailbox or b"") or b'""') + b": "
            first, in_group = not in_group, not in_group
            continue
        yield (b"" if first else b", ") + _address(one)
        first = False


def _address(one: Address) -> bytes:
    name = b"" if one.name is None else _phrase(one.name)
    if not (one.route or one.mailbox or one.domain):
        return name
    route = b"" if one.route is None else one.route + b":"
    mailbox = _quoted(one.mailbox or b"", dots=True) or b'""'
    domain = b"@%b" % one.domain if one.domain else b""
    return b"%b%b<%b%b%b>" % (name, b" " if one.name else b"", route, mailbox, domain)


def _phrase(name: bytes) -> bytes:
    return name if b"=?" in name else _quoted(name, dots=False)


def _quoted(word: bytes, *, dots: bool) -> bytes:
    """Return the word, in quotation marks if it is no atom."""
    if (_ATOMS_AND_DOTS if dots else _ATOM).fullmatch(word):
        return word
    return b'"%b"' % _ESCAPED.sub(rb"\\\g<0>", word)
