"""Parameters of Content-Type and Content-Disposition, continued and encoded ones (RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

import msgspec

from fakedove.dovecot.mime.charsets import to_utf8
from fakedove.dovecot.mime.lexical import QUOTED, TOKEN_OR_NOTHING, content, read

#: Names and values in the order in which Dovecot hands them out.
Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]

_SEMICOLON, _EQUALS = re.compile(rb";"), re.compile(rb"=")
#: An encoded word where it must not be: `name==?utf-8?b?...?=`.
_ENCODED_WORD = re.compile(rb"=[^; \t\r\n]*+")
#: `name*1*`: name, index, mark of an encoded value.
_NAME = re.compile(rb"([^*]*)\*([0-9]*)(\*?)", re.DOTALL)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """A piece of a value; a whole encoded one is the only piece where it stays encoded."""

    name: bytes
    index: int
    encoded: bool
    value: bytes


def parse_parameters(value: bytes, at: int, *, decoded: bool) -> Parameters:
    """Return the parameters from here on; `decoded` where the release decodes their values.

    Broken ones are left out. Those in pieces come last, by their names.
    """
    whole, pieces = [], []
    for name, text in _written(value, at):
        match = _NAME.fullmatch(name)
        if match is None:
            whole.append((name, text))
        elif match[2] or not decoded:
            encoded = bool(match[3]) or not match[2]
            pieces.append(_Piece(match[1], int(match[2] or b"0"), encoded, text))
        else:
            whole.append((match[1], _value(text, None)[0]))
    pieces.sort(key=lambda piece: (piece.name, piece.index))
    # Names that differ by case are one only where no other name comes between them.
    for _, same in groupby(pieces, key=lambda piece: piece.name.lower()):
        whole += (_decoded if decoded else _encoded)(tuple(same))
    return _firsts(whole) if decoded else tuple(whole)


def _firsts(parameters: list[tuple[bytes, bytes]]) -> Parameters:
    """Return the first of each name."""
    firsts: dict[bytes, tuple[bytes, bytes]] = {}
    for one in parameters:
        firsts.setdefault(one[0].lower(), one)
    return tuple(firsts.values())


def _written(value: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and values; behind a broken parameter the next semicolon is looked for."""
    at = value.find(b";", at)
    while at >= 0:
        head = read(value, at, _SEMICOLON, TOKEN_OR_NOTHING, _EQUALS)
        at = head.end
        if not head.complete:
            # Not the one it may have stopped at.
            at += 1
        elif encoded_word := _ENCODED_WORD.match(value, at):
            yield head.texts[1], encoded_word[0]
            at = encoded_word.end()
        else:
            quoted = value.startswith(b'"', at)
            tail = read(value, at, QUOTED if quoted else TOKEN_OR_NOTHING)
            if not tail.complete:
                # A quoted string or comment does not end.
                return
            text = tail.texts[0]
            yield head.texts[1], content(text[1:-1]) if quoted else text
            at = tail.end
        at = value.find(b";", at)


def _encoded(pieces: Sequence[_Piece]) -> Iterator[tuple[bytes, bytes]]:
    """Join pieces as releases before 2.4 do: encoded ones stay encoded."""
    if not _complete(pieces):
        for piece in pieces:
            mark = b"*" if piece.encoded else b""
            yield b"%b*%d%b" % (piece.name, piece.index, mark), piece.value
    elif any(piece.encoded for piece in pieces):
        charset = b"" if pieces[0].encoded else b"''"
        values = (
            piece.value if piece.encoded else piece.value.replace(b"%", b"%25") for piece in pieces
        )
        yield pieces[0].name + b"*", charset + b"".join(values)
    else:
        yield pieces[0].name, b"".join(piece.value for piece in pieces)


def _decoded(pieces: Sequence[_Piece]) -> Iterator[tuple[bytes, bytes]]:
    """Join and decode pieces as 2.4 does; all are in the charset that the first names."""
    if not _complete(pieces):
        for piece in pieces:
            value = _value(piece.value, None)[0] if piece.encoded else piece.value
            yield b"%b*%d" % (piece.name, piece.index), value
        return
    whole = b""
    charset: bytes | None = None
    for piece in pieces:
        value = piece.value
        if piece.encoded:
            value, charset = _value(value, charset)
        whole += value
    yield pieces[0].name, whole


def _complete(pieces: Sequence[_Piece]) -> bool:
    return [piece.index for piece in pieces] == list(range(len(pieces)))


def _value(value: bytes, charset: bytes | None) -> tuple[bytes, bytes | None]:
    """Return an encoded value in UTF-8, and the charset it names or that came before it."""
    if charset is None:
        parts = value.split(b"'", 2)
        if len(parts) == 3:
            charset, _, value = parts
    if not charset:
        return value, charset
    data = value
    if _BROKEN_ESCAPE.search(value) is None:
        data = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), value)
    text = to_utf8(data, charset.decode("latin-1"))
    return value if text is None else text, charset
