"""Content-Transfer-Encodings: what they are, and the bytes behind them."""

from __future__ import annotations

import binascii
import enum
import re

import msgspec

from fakedove.dovecot.mime.lexical import TOKEN, gap_at, read

_END = re.compile(rb"(?=;)|\Z")


class Encoding(enum.Enum):
    """How a part's body is encoded."""

    UNKNOWN = enum.auto()
    NONE = enum.auto()
    BINARY = enum.auto()
    QUOTED_PRINTABLE = enum.auto()
    BASE64 = enum.auto()


_ENCODINGS = {
    b"7bit": Encoding.NONE,
    b"8bit": Encoding.NONE,
    b"binary": Encoding.BINARY,
    b"base64": Encoding.BASE64,
    b"quoted-printable": Encoding.QUOTED_PRINTABLE,
}


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What was encoded, as far as it could be read."""

    data: bytes
    #: Whether something in it is not in the encoding.
    invalid: bool = False
    #: What is missing at the end.
    unfinished: str = ""


def parse_encoding(value: bytes) -> Encoding:
    """Return the encoding that a Content-Transfer-Encoding header names."""
    pieces = read(value, gap_at(value, 0).end, TOKEN, _END)
    # What stands behind a comment that does not end is not seen.
    seen = pieces.texts[:1] if pieces.complete or pieces.end == len(value) else []
    return _ENCODINGS.get(b"".join(seen).lower(), Encoding.UNKNOWN)


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/ \t\r\n]")
_WHITE = b" \t\r\n"


def decode_base64(text: bytes) -> Decoded:
    """Return what base64 text holds, up to the first character that is none."""
    end = _NOT_BASE64.search(text)
    digits = text[: end.start() if end else len(text)].translate(None, _WHITE)
    extra = len(digits) % 4
    # A digit alone holds no whole byte.
    usable = len(digits) - (extra == 1)
    data = binascii.a2b_base64(digits[:usable] + b"A" * (-usable % 4))[: usable * 3 // 4]
    padding = b"" if end is None else text[end.start() :].translate(None, _WHITE)
    wanted = b"=" * (4 - extra) if extra > 1 else b""
    if padding == wanted and extra != 1:
        return Decoded(data)
    if wanted.startswith(padding):
        return Decoded(data, unfinished="Base64 data ends prematurely")
    return Decoded(data, invalid=True)


def decoded_size_of_base64(text: bytes) -> int:
    """Return how many bytes come out of base64 text."""
    end = _NOT_BASE64.search(text)
    digits = text[: end.start() if end else len(text)].translate(None, _WHITE)
    return len(digits) * 3 // 4


#: Soft line breaks, line ends with the white space before them, and escaped bytes.
_QUOTED = re.compile(
    rb"=([0-9A-Fa-f]{2})|(=[ \t]*\r?\n)|([ \t]*\r?\n)|(=)|([ \t]*\r(?!\n))", re.DOTALL
)


#: What the end cuts off: an escape, or white space that a line end would have made vanish.
_TRAILER = re.compile(rb"(=[0-9A-Fa-f]|=[ \t]*\r?|[ \t]*\r|[ \t]+)\Z")


def decode_quoted_printable(text: bytes) -> Decoded:
    """Return what quoted-printable text holds, with CRLF line ends; broken escapes stay."""
    invalid = False

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal invalid
        if match[1]:
            return bytes([int(match[1], 16)])
        if match[2]:
            return b""
        if match[3]:
            return b"\r\n"
        invalid = True
        return match[0]

    trailer = _TRAILER.search(text)
    body = text if trailer is None else text[: trailer.start()]
    data = _QUOTED.sub(replace, body)
    if trailer is None or not trailer[1].strip(b" \t"):
        return Decoded(data, invalid)
    problem = f"Invalid quoted-printable input trailer: {_trailer_problem(trailer[1])}"
    return Decoded(data, invalid, problem)


def _trailer_problem(trailer: bytes) -> str:
    if trailer.endswith(b"\r"):
        return "CR not followed by LF"
    if trailer == b"=":
        return "'=' not followed by two hex digits"
    if trailer.endswith((b" ", b"\t")):
        return "'=<whitespace>' not followed by newline"
    return "'=<hex>' not followed by a hex digit"
