"""Parameters of Content-Type and Content-Disposition, continued and encoded ones (RFC 2231)."""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from fakedove.dovecot.mime.charsets import to_utf8
from fakedove.dovecot.mime.scanner import Found, Scanner

#: Names and values in the order in which Dovecot hands them out.
Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]

#: `name*1*`: name, index, mark of an encoded value.
_NAME = re.compile(rb"([^*]*)\*([0-9]*)(\*?)", re.DOTALL)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class _Piece(msgspec.Struct, frozen=True, gc=False):
    name: bytes
    index: int
    encoded: bool
    value: bytes

    def full_name(self, *, marked: bool) -> bytes:
        return b"%b*%d%b" % (self.name, self.index, b"*" if marked and self.encoded else b"")


def parse_parameters(scanner: Scanner, *, decoded: bool) -> Parameters:
    """Return the parameters from here on; `decoded` where the release decodes their values.

    Broken ones are left out.
    """
    collect = _Decoded() if decoded else _Plain()
    pieces: list[_Piece] = []
    scanner.replaces_nul = True
    while not scanner.at_end:
        found, name, value = scanner.read_parameter()
        if found is Found.BROKEN:
            scanner.position += 1
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            collect.add(name, value)
        elif match[2] or not decoded:
            piece = _Piece(match[1], int(match[2] or b"0"), bool(match[3]) or not match[2], value)
            pieces.append(piece)
        else:
            collect.add(match[1], _value(value, None)[0])
    pieces.sort(key=lambda piece: (piece.name, piece.index))
    while pieces:
        lower = pieces[0].name.lower()
        same = [piece for piece in pieces if piece.name.lower() == lower]
        del pieces[: len(same)]
        collect.merge(same)
    return tuple(collect.result)


class _Plain:
    """Releases before 2.4: continued parameters are joined, encoded ones stay encoded."""

    def __init__(self) -> None:
        self.result: list[tuple[bytes, bytes]] = []

    def add(self, name: bytes, value: bytes) -> None:
        self.result.append((name, value))

    def merge(self, pieces: list[_Piece]) -> None:
        if not _complete(pieces):
            for piece in pieces:
                self.add(piece.full_name(marked=True), piece.value)
            return
        encoded = any(piece.encoded for piece in pieces)
        value = b"''" if encoded and not pieces[0].encoded else b""
        for piece in pieces:
            escapes = encoded and not piece.encoded
            value += piece.value.replace(b"%", b"%25") if escapes else piece.value
        self.add(pieces[0].name + (b"*" if encoded else b""), value)


class _Decoded(_Plain):
    """2.4: everything is decoded, and the first of equal names counts."""

    def add(self, name: bytes, value: bytes) -> None:
        if all(known.lower() != name.lower() for known, _ in self.result):
            super().add(name, value)

    def merge(self, pieces: list[_Piece]) -> None:
        if not _complete(pieces):
            for piece in pieces:
                value = _value(piece.value, None)[0] if piece.encoded else piece.value
                self.add(piece.full_name(marked=False), value)
            return
        whole = b""
        charset: bytes | None = None
        for piece in pieces:
            value = piece.value
            if piece.encoded:
                value, charset = _value(value, charset)
            whole += value
        self.add(pieces[0].name, whole)


def _complete(pieces: list[_Piece]) -> bool:
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
