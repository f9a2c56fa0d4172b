"""Text of any charset as valid UTF-8, with U+FFFD for what is none.

Dovecot takes US-ASCII for UTF-8, and so does it with charsets that nobody knows. A character
that is cut off at the end vanishes.
"""

from __future__ import annotations

import codecs
import re

from fakedove.dovecot.mime.charset_names import CODECS

REPLACEMENT = "\ufffd".encode()
_UTF8_NAMES = frozenset({"us-ascii", "ascii", "utf-8", "utf8"})
_ERRORS = "fakedove-skip-one-byte"
#: Stands for what is no character until all is decoded; never part of valid text.
_INVALID = "\udcff"
_VALID = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})++"
)
#: Characters by the lengths that their first bytes announce, valid or not.
_ANNOUNCED = re.compile(
    rb"(?:[\x00-\xbf\xfe\xff]|[\xc0-\xdf].|[\xe0-\xef]..|[\xf0-\xf7].{3}"
    rb"|[\xf8-\xfb].{4}|[\xfc\xfd].{5})*+",
    re.DOTALL,
)


def is_utf8(charset: str) -> bool:
    """Whether the charset's text is UTF-8 already."""
    return charset.lower() in _UTF8_NAMES


def find_codec(charset: str) -> str | None:
    """Return the name of Python's codec for `charset`; None for UTF-8 and for unknown ones."""
    if is_utf8(charset):
        return None
    # What follows `//` is how to convert. Without a name it is the charset of the locale, and
    # servers run in C.
    name, _, _ = charset.lower().partition("//")
    return CODECS.get(name) if name else "ascii"


def is_known(charset: str) -> bool:
    """Whether there is such a charset."""
    return is_utf8(charset) or find_codec(charset) is not None


def valid_utf8(data: bytes, before: bytes = b"") -> bytes:
    """Return `data` with U+FFFD for runs of invalid bytes; none follows another.

    `before` is the text in front of it.
    """
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data
    out = bytearray(before[-len(REPLACEMENT) :])
    kept = len(out)
    position = 0
    while position < len(data):
        match = _VALID.match(data, position)
        if match is not None:
            out += match[0]
            position = match.end()
            continue
        if not out.endswith(REPLACEMENT):
            out += REPLACEMENT
        position += 1
    return bytes(out[kept:])


class Decoder:
    """Turn text of one charset into UTF-8, piece by piece."""

    def __init__(self, charset: str | None) -> None:
        self._codec = None if charset is None else find_codec(charset)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._pending = b""
        #: Whether something was no character.
        self.failed = False

    @property
    def pending(self) -> bytes:
        """The beginning of a character that waits for its rest."""
        return self._pending if self._decoder is None else self._decoder.getstate()[0]

    def decode(self, data: bytes) -> bytes:
        """Return the next piece; a character that is not complete waits for the next call."""
        if self._codec is not None:
            if self._decoder is None:
                self._decoder = _incremental(self._codec, data)
            text = self._decoder.decode(data)
            if _INVALID in text:
                self.failed = True
                text = re.sub(_INVALID + "+", "\ufffd", text)
            return text.encode(errors="replace")
        data = self._pending + data
        end = _complete(data)
        data, self._pending = data[:end], data[end:]
        return valid_utf8(data)


def _incremental(codec: str, data: bytes) -> codecs.IncrementalDecoder:
    """Return a decoder; without a byte order mark the order is little-endian."""
    if codec in ("utf-16", "utf-32") and not data.startswith(_BYTE_ORDER_MARKS):
        codec += "-le"
    return codecs.getincrementaldecoder(codec)(_ERRORS)


_BYTE_ORDER_MARKS = (
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
)


def to_utf8(data: bytes, charset: str) -> bytes | None:
    """Return `data` in UTF-8, or None if the charset is not known or something is invalid."""
    if not is_known(charset):
        return None
    decoder = Decoder(charset)
    text = decoder.decode(data)
    valid = not decoder.failed and not decoder.pending
    return text if valid and not (is_utf8(charset) and text != data) else None


def _complete(data: bytes) -> int:
    """Return where a last character begins that is cut off, else the end."""
    if data.isascii():
        return len(data)
    match = _ANNOUNCED.match(data)
    return match.end() if match is not None else 0


def _skip_one_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _INVALID, error.start + 1


codecs.register_error(_ERRORS, _skip_one_byte)
