"""The MIME parts of a mail: where each begins, its sizes and what kind of part it is.

Boundaries are found as Dovecot finds them: a line need only begin with one, the innermost part's
are tried first, and the longest that fits wins.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

import msgspec

from fakedove.dovecot.message import virtual_size
from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.mime.parameters import parse_parameters
from fakedove.dovecot.mime.scanner import Scanner

#: Boundaries are cut to this many bytes.
_LONGEST_BOUNDARY = 80
#: Parts in each other, and parts altogether; what goes beyond is text.
_MOST_NESTED = 100
_MOST_PARTS = 10000


class Kind(enum.IntFlag):
    """Dovecot's flags of a part, as `mime.parts` shows them."""

    MULTIPART = 0x01
    DIGEST = 0x02
    MESSAGE = 0x04
    TEXT = 0x08
    HAS_NULS = 0x20
    MIME = 0x40
    OVERFLOW = 0x80


class Size(msgspec.Struct, gc=False):
    """Bytes as stored, bytes with CRLF line ends, lines."""

    physical: int = 0
    virtual: int = 0
    lines: int = 0

    def add(self, other: Size) -> None:
        """Add the other's counts."""
        self.physical += other.physical
        self.virtual += other.virtual
        self.lines += other.lines


_END = re.compile(rb"^\r?\n", re.MULTILINE)


class Part(msgspec.Struct, eq=False):
    """One part with the parts in it."""

    position: int
    header: Size
    body: Size
    kind: Kind = Kind(0)
    parent: Part | None = None
    #: Whether an empty line ended the header; its line end may count for the boundary behind it.
    header_ended: bool = False
    children: list[Part] = msgspec.field(default_factory=list)

    @property
    def body_position(self) -> int:
        """Where the body begins."""
        return self.position + self.header.physical

    @property
    def end(self) -> int:
        """Where the body ends."""
        return self.body_position + self.body.physical

    def header_of(self, mail: bytes) -> bytes:
        """Return the part's header, with the empty line if there is one."""
        return mail[self.position : self.body_position]

    def open_header_of(self, mail: bytes) -> bytes:
        """Return the header up to an empty line, even if a boundary ends it before that."""
        end = _END.search(mail, self.position)
        return mail[self.position : len(mail) if end is None else end.end()]

    def body_of(self, mail: bytes) -> bytes:
        """Return the part's body."""
        return mail[self.body_position : self.end]

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it, in the order of the mail."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_parts(mail: bytes) -> Part:
    """Return the root of the mail's parts."""
    return _Parser(mail).parse()


#: A field with the lines that go on with it.
_FIELD = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*+(?:\n|\Z)")
_EMPTY_LINE = re.compile(rb"\r?\n")
_DASHES = re.compile(rb"\r?\n(?=--)")


class _Boundary(msgspec.Struct, frozen=True):
    part: Part
    text: bytes


class _Line(msgspec.Struct, frozen=True):
    """A boundary's line: where it begins, which boundary it is, whether it is the last."""

    start: int
    boundary: _Boundary
    closes: bool


class _Parser:
    def __init__(self, mail: bytes) -> None:
        self._mail = mail
        self._position = 0
        self._part = Part(0, Size(), Size())
        #: Of the parts that are open, outermost first.
        self._boundaries: list[_Boundary] = []
        self._total = 1
        self._nested = 0

    def parse(self) -> Part:
        root = self._part
        self._parse_headers()
        while self._position < len(self._mail):
            self._parse_body()
        while self._part.parent is not None:
            self._finish()
        return root

    def _parse_headers(self) -> None:
        """Parse the part's header, and where it is a message that one's header too."""
        while True:
            part = self._part
            start = self._position
            self._parse_header(part)
            if b"\0" in self._mail[start : self._position]:
                part.kind |= Kind.HAS_NULS
            if not part.kind & Kind.MESSAGE:
                return
            if not self._has_room:
                part.kind = (part.kind | Kind.OVERFLOW) & ~Kind.MESSAGE
                return
            self._begin()

    def _parse_header(self, part: Part) -> None:
        mail = self._mail
        content_type: bytes | None = None
        newline = 0
        ended = False
        while self._position < len(mail):
            start = self._position
            empty = None if ended else _EMPTY_LINE.match(mail, start)
            if empty is not None and part.kind & Kind.MIME:
                self._open_boundary(part, content_type)
            line = self._boundary_at(start)
            if line is not None and line.boundary.part is not part:
                self._give_back(part, newline)
                break
            if ended:
                break
            match = empty or _FIELD.match(mail, start)
            assert match is not None, "the expression matches anything"
            ended = empty is not None
            for field in header_fields(match[0]):
                lower = field.name.lower()
                if lower == b"content-type" and content_type is None:
                    content_type = field.value
                if lower in (b"content-type", b"mime-version"):
                    part.kind |= Kind.MIME
            newline = 2 if match[0].endswith(b"\r\n") else int(match[0].endswith(b"\n"))
            self._take(part.header, match.end())
        part.header_ended = ended
        self._settle_kind(part, content_type)

    def _settle_kind(self, part: Part, content_type: bytes | None) -> None:
        if content_type is not None and part.kind & Kind.MIME:
            kind = _kind_of(content_type)
            if part.kind & Kind.OVERFLOW:
                kind &= ~Kind.MULTIPART
            part.kind |= kind
        elif part.parent is not None and part.parent.kind & Kind.DIGEST:
            part.kind |= Kind.MESSAGE
        else:
            part.kind |= Kind.TEXT

    def _open_boundary(self, part: Part, content_type: bytes | None) -> None:
        """Know the part's own boundary before its body begins."""
        text = None if content_type is None else _boundary_of(content_type)
        if text is None:
            return
        if self._nested + 1 >= _MOST_NESTED:
            part.kind |= Kind.OVERFLOW
        else:
            self._boundaries.append(_Boundary(part, text))

    def _give_back(self, part: Part, newline: int) -> None:
        """Count a line end for the boundary behind it rather than for the header."""
        if newline and part.parent is not None:
            part.header.add(Size(-newline, -2, -1))
            part.parent.body.add(Size(newline, 2, 1))

    def _parse_body(self) -> None:
        line = self._next_boundary()
        if line is None:
            self._take_body(len(self._mail))
            return
        self._take_body(line.start)
        while self._part is not line.boundary.part:
            self._finish()
        while self._boundaries[-1] is not line.boundary:
            self._boundaries.pop()
        if line.closes:
            self._boundaries.pop()
        # Behind the line end that may stand before the boundary.
        end = self._mail.find(b"\n", line.start + 2)
        self._take_body(end + 1 or len(self._mail))
        if end >= 0 and not line.closes:
            self._begin()
            self._part.kind |= Kind.MIME
            self._parse_headers()

    def _next_boundary(self) -> _Line | None:
        if not self._boundaries:
            return None
        line = self._boundary_at(self._position)
        if line is not None:
            return line
        for match in _DASHES.finditer(self._mail, self._position):
            line = self._boundary_at(match.end())
            if line is not None:
                return _Line(match.start(), line.boundary, line.closes)
        return None

    def _boundary_at(self, position: int) -> _Line | None:
        """Return the boundary whose line begins here, or None."""
        mail = self._mail
        if not self._boundaries or not mail.startswith(b"--", position):
            return None
        if self._total >= _MOST_PARTS:
            self._part.kind |= Kind.OVERFLOW
            return None
        end = mail.find(b"\n", position)
        text = mail[position + 2 : len(mail) if end < 0 else end].removesuffix(b"\r")
        best: _Boundary | None = None
        for boundary in reversed(self._boundaries):
            longer = best is None or len(best.text) < len(boundary.text)
            if longer and text.startswith(boundary.text):
                best = boundary
                if text in (boundary.text, boundary.text + b"--"):
                    break
        if best is None:
            return None
        return _Line(position, best, mail.startswith(b"--", position + 2 + len(best.text)))

    @property
    def _has_room(self) -> bool:
        return self._nested + 1 < _MOST_NESTED and self._total < _MOST_PARTS

    def _begin(self) -> None:
        parent = self._part
        # Not where the parser is: a line end given back to the parent may lie between.
        part = Part(parent.end, Size(), Size(), parent=parent)
        parent.children.append(part)
        self._part = part
        self._nested += 1
        self._total += 1

    def _finish(self) -> None:
        part, parent = self._part, self._part.parent
        assert parent is not None, "the root is never finished"
        parent.body.add(part.body)
        parent.body.add(part.header)
        self._nested -= 1
        self._part = parent

    def _take_body(self, end: int) -> None:
        if b"\0" in self._mail[self._position : end]:
            self._part.kind |= Kind.HAS_NULS
        self._take(self._part.body, end)

    def _take(self, size: Size, end: int) -> None:
        data = self._mail[self._position : end]
        self._position = end
        size.add(Size(len(data), virtual_size(data), data.count(b"\n")))


def _kind_of(content_type: bytes) -> Kind:
    name = bytearray()
    _scanner(content_type).read_content_type(name)
    main, slash, sub = bytes(name).lower().partition(b"/")
    if (main, sub) == (b"message", b"rfc822"):
        return Kind.MESSAGE
    if main == b"text":
        return Kind.TEXT
    if main == b"multipart" and slash:
        return Kind.MULTIPART | Kind.DIGEST if sub == b"digest" else Kind.MULTIPART
    return Kind(0)


def _boundary_of(content_type: bytes) -> bytes | None:
    if not _kind_of(content_type) & Kind.MULTIPART:
        return None
    scanner = _scanner(content_type)
    scanner.read_content_type(bytearray())
    for name, value in parse_parameters(scanner, decoded=False):
        if name.lower() == b"boundary":
            return value[:_LONGEST_BOUNDARY]
    return None


def _scanner(value: bytes) -> Scanner:
    scanner = Scanner(value)
    scanner.skip_white()
    return scanner
