"""Parts with their Content-Transfer-Encoding undone, as IMAP's BINARY has them."""

from __future__ import annotations

from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.mime.parts import Part
from fakedove.dovecot.mime.sections import with_crlf
from fakedove.dovecot.mime.transfer import (
    Decoded,
    Encoding,
    decode_base64,
    decode_quoted_printable,
    parse_encoding,
)

_DECODERS = {
    Encoding.QUOTED_PRINTABLE: decode_quoted_printable,
    Encoding.BASE64: decode_base64,
}
_BINARY = b"Content-Transfer-Encoding: binary\r\n"


class UnknownEncodingError(Exception):
    """A part has an encoding that nobody knows."""


class BadEncodingError(Exception):
    """A part is not in its encoding; `unfinished` says what its end lacks."""

    def __init__(self, unfinished: str) -> None:
        super().__init__(unfinished)
        self.unfinished = unfinished


def read_binary(mail: bytes, part: Part, *, header: bool) -> bytes:
    """Return a part, with its header if so wanted; raises the errors above."""
    for one in part.walk():
        if encoding_of(one.open_header_of(mail)) is Encoding.UNKNOWN:
            raise UnknownEncodingError
    out = bytearray()
    _add(out, mail, part, header)
    return bytes(out)


def _add(out: bytearray, mail: bytes, part: Part, header: bool) -> None:
    seen = part.open_header_of(mail)
    decoder = _DECODERS.get(encoding_of(seen))
    if header:
        out += with_crlf(part.header_of(mail)) if decoder is None else _binary_header(seen)
    if part.children:
        position = part.body_position
        for child in part.children:
            out += with_crlf(mail[position : child.position])
            _add(out, mail, child, header=True)
            position = child.end
        out += with_crlf(mail[position : part.end])
    elif decoder is None:
        out += with_crlf(part.body_of(mail))
    else:
        out += _checked(decoder(part.body_of(mail)))


def is_encoded(mail: bytes, part: Part) -> bool:
    """Whether anything in the part is not as it is stored."""
    return any(
        one.body.physical and encoding_of(one.open_header_of(mail)) in _DECODERS
        for one in part.walk()
        if not one.children
    )


def keeps_nuls(mail: bytes, part: Part) -> bool:
    """Whether the part is told with its NULs: if any is in a header, or in what is no multipart.

    Around the parts of a multipart nobody looks for them (measured on 2.4.1).
    """
    return any(
        b"\0" in one.header_of(mail) or (not one.children and b"\0" in one.body_of(mail))
        for one in part.walk()
    )


def encoding_of(header: bytes) -> Encoding:
    """Return the encoding of the part that has this header."""
    encoding = Encoding.NONE
    for field in header_fields(header):
        if field.name.lower() == b"content-transfer-encoding":
            encoding = parse_encoding(field.value)
    return encoding


def _checked(decoded: Decoded) -> bytes:
    if decoded.invalid or decoded.unfinished:
        raise BadEncodingError("" if decoded.invalid else decoded.unfinished)
    return decoded.data


def _binary_header(header: bytes) -> bytes:
    lines = [
        with_crlf(field.line)
        for field in header_fields(header)
        if field.name.lower() != b"content-transfer-encoding"
    ]
    if header.endswith((b"\n\n", b"\n\r\n")) or header in (b"\n", b"\r\n"):
        lines += (_BINARY, b"\r\n")
    return b"".join(lines)
