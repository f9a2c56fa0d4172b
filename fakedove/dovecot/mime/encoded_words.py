"""Encoded words in headers (RFC 2047): `=?charset?q?text?=` as UTF-8."""

from __future__ import annotations

import re

from fakedove.dovecot.mime.charsets import Decoder, find_codec, valid_utf8
from fakedove.dovecot.mime.transfer import decode_base64

#: The text may hold anything but a question mark; that is followed by `=` or it is no word.
_WORD = re.compile(rb"([^?]*)\?([^?]*)\?([^?]*)\?=", re.DOTALL)
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_WHITE = b" \t\r\n"


def decode_words(value: bytes) -> bytes:
    """Return a header's value in UTF-8; white space between two encoded words goes away.

    >>> decode_words(b"=?utf-8?q?a?= =?utf-8?q?_b?= c")
    b'a b c'
    """
    if b"=?" not in value and value.isascii():
        return value
    out = bytearray()
    start = position = 0
    while (position := value.find(b"=?", position)) >= 0:
        if value[start:position].strip(_WHITE):
            out += valid_utf8(value[start:position], bytes(out[-3:]))
        word = _WORD.match(value, position + 2)
        if word is None or word[2][:1] not in (b"q", b"Q", b"b", b"B"):
            # Not a word: its beginning is text, even if only white space came before.
            start = position
            position += 2
            continue
        out += _decoded(word, out)
        start = position = word.end()
    out += valid_utf8(value[start:], bytes(out[-3:]))
    return bytes(out)


def _decoded(word: re.Match[bytes], before: bytearray) -> bytes:
    text = word[3]
    if word[2][:1] in b"bB":
        data = decode_base64(text).data
    else:
        data = _HEX.sub(lambda match: bytes([int(match[1], 16)]), text.replace(b"_", b" "))
    charset = word[1].decode("latin-1")
    if find_codec(charset) is None:
        return valid_utf8(data, bytes(before[-3:]))
    return Decoder(charset).decode(data)
