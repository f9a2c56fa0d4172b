"""The MIME parts of a mail: where each begins, its sizes and what kind of part it is.

A line need only begin with a boundary to be its delimiter (RFC 2046 section 5.1.1 wants more). Of
several that fit the longest wins.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

import msgspec

from fakedove.dovecot.message import virtual_size
from fakedove.dovecot.mime.content_type import ContentType, parse_content_type
from fakedove.dovecot.mime.headers import header_fields

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
    root = Part(0, Size(), Size())
    _Reader(mail).read(root, ())
    return root


#: Where a header may end: at an empty line or at a delimiter.
_HEADER_END = re.compile(rb"^(?:\r?\n|--)", re.MULTILINE)


class _Boundary(msgspec.Struct, frozen=True):
    part: Part
    text: bytes


class _Delimiter(msgspec.Struct, frozen=True):
    """A delimiter line: where it begins, the part whose boundary it is, whether it is the last."""

    start: int
    part: Part
    closes: bool


class _Reader:
    """Read parts in the order of the mail.

    A part knows its own boundary and those of the parts it is in, innermost first. It reads up
    to the first delimiter that is not its own, which it hands to the part around it.
    """

    def __init__(self, mail: bytes) -> None:
        self._mail = mail
        self._position = 0
        self._total = 1
        self._depth = 0

    def read(self, part: Part, outer: tuple[_Boundary, ...]) -> _Delimiter | None:
        """Read header and body of `part`; return the delimiter that ends it."""
        own = self._read_header(part, outer)
        known = outer if own is None else (own, *outer)
        if part.kind & Kind.MESSAGE:
            return self._read_child(part, Kind(0), known)
        delimiter = self._read_text(part, known)
        while delimiter is not None and delimiter.part is part:
            known = outer if delimiter.closes else known
            line_ends = self._take_line(part, delimiter)
            if delimiter.closes or not line_ends:
                delimiter = self._read_text(part, known)
            else:
                delimiter = self._read_child(part, Kind.MIME, known)
        return delimiter

    def _read_child(
        self, parent: Part, kind: Kind, known: tuple[_Boundary, ...]
    ) -> _Delimiter | None:
        # Not where the reader is: a line end given back to the parent may lie between.
        part = Part(parent.end, Size(), Size(), kind, parent)
        parent.children.append(part)
        self._total += 1
        self._depth += 1
        delimiter = self.read(part, known)
        self._depth -= 1
        parent.body.add(part.header)
        parent.body.add(part.body)
        return delimiter

    def _read_header(self, part: Part, outer: tuple[_Boundary, ...]) -> _Boundary | None:
        """Read the header; return the boundary that it declares, None without one."""
        start = self._position
        part.header_ended = self._take_header(part, outer)
        header = self._mail[start : self._position]
        fields = {field.name.lower(): field.value for field in reversed([*header_fields(header)])}
        if b"content-type" in fields or b"mime-version" in fields:
            part.kind |= Kind.MIME
        value = fields.get(b"content-type")
        content_type = None if value is None else parse_content_type(value)
        own = None
        if part.header_ended and content_type is not None:
            own = self._declared(part, content_type)
        known = outer if own is None else (own, *outer)
        delimiter = self._delimiter_at(self._position, part, known)
        if delimiter is not None and delimiter.part is not part:
            _give_line_end_back(part, header)
        part.kind |= _kind(part, content_type)
        self._check_room(part)
        return own

    def _take_header(self, part: Part, outer: tuple[_Boundary, ...]) -> bool:
        """Take the header's lines; return whether an empty line ends them."""
        for end in _HEADER_END.finditer(self._mail, self._position):
            if not end[0].startswith(b"-"):
                self._take(part, part.header, end.end())
                return True
            if self._delimiter_at(end.start(), part, outer) is not None:
                self._take(part, part.header, end.start())
                return False
        self._take(part, part.header, len(self._mail))
        return False

    def _declared(self, part: Part, content_type: ContentType) -> _Boundary | None:
        if not _kind_of(content_type) & Kind.MULTIPART:
            return None
        text = content_type.parameter(b"boundary", decoded=False)
        if text is None:
            return None
        if self._depth + 1 >= _MOST_NESTED:
            part.kind |= Kind.OVERFLOW
            return None
        return _Boundary(part, text[:_LONGEST_BOUNDARY])

    def _check_room(self, part: Part) -> None:
        """Take a message for text where there are too many parts."""
        room = self._depth + 1 < _MOST_NESTED and self._total < _MOST_PARTS
        if part.kind & Kind.MESSAGE and not room:
            part.kind = (part.kind | Kind.OVERFLOW) & ~Kind.MESSAGE

    def _read_text(self, part: Part, known: tuple[_Boundary, ...]) -> _Delimiter | None:
        """Take what belongs to the part itself, up to the next delimiter."""
        delimiter = self._next_delimiter(part, known)
        self._take(part, part.body, len(self._mail) if delimiter is None else delimiter.start)
        return delimiter

    def _take_line(self, part: Part, delimiter: _Delimiter) -> bool:
        """Take a delimiter's line; return whether it has an end."""
        # Behind the line end that may stand before it.
        end = self._mail.find(b"\n", delimiter.start + 2)
        self._take(part, part.body, end + 1 or len(self._mail))
        return end >= 0

    def _next_delimiter(self, part: Part, known: tuple[_Boundary, ...]) -> _Delimiter | None:
        """Return the next delimiter; it begins with the line end before it."""
        if not known:
            return None
        mail, start = self._mail, self._position
        delimiter = self._delimiter_at(start, part, known)
        at = start - 1
        while delimiter is None and (at := mail.find(b"\n--", at + 1)) >= 0:
            line_end = at - 1 if at > start and mail[at - 1 : at] == b"\r" else at
            delimiter = self._delimiter_at(at + 1, part, known, start=line_end)
        return delimiter

    def _delimiter_at(
        self, line: int, part: Part, known: tuple[_Boundary, ...], *, start: int | None = None
    ) -> _Delimiter | None:
        """Return the delimiter on the line that begins here; `start` is where it counts from."""
        mail = self._mail
        if not known or not mail.startswith(b"--", line):
            return None
        if self._total >= _MOST_PARTS:
            part.kind |= Kind.OVERFLOW
            return None
        end = mail.find(b"\n", line)
        text = mail[line + 2 : len(mail) if end < 0 else end].removesuffix(b"\r")
        boundary = _longest(text, known)
        if boundary is None:
            return None
        closes = text.startswith(b"--", len(boundary.text))
        return _Delimiter(line if start is None else start, boundary.part, closes)

    def _take(self, part: Part, size: Size, end: int) -> None:
        data = self._mail[self._position : end]
        self._position = end
        if b"\0" in data:
            part.kind |= Kind.HAS_NULS
        size.add(Size(len(data), virtual_size(data), data.count(b"\n")))


def _longest(line: bytes, known: tuple[_Boundary, ...]) -> _Boundary | None:
    """Return the longest boundary that a line begins with, at most the first that it is."""
    found: _Boundary | None = None
    for boundary in known:
        text = boundary.text
        if line.startswith(text) and (found is None or len(text) > len(found.text)):
            found = boundary
            if line in (text, text + b"--"):
                break
    return found


def _give_line_end_back(part: Part, header: bytes) -> None:
    """Count a header's last line end for the delimiter behind it."""
    size = 2 if header.endswith(b"\r\n") else int(header.endswith(b"\n"))
    if size and part.parent is not None:
        part.header.add(Size(-size, -2, -1))
        part.parent.body.add(Size(size, 2, 1))


def _kind(part: Part, content_type: ContentType | None) -> Kind:
    """Return what kind of part this is."""
    if content_type is not None:
        kind = _kind_of(content_type)
        return kind & ~Kind.MULTIPART if part.kind & Kind.OVERFLOW else kind
    if part.parent is not None and part.parent.kind & Kind.DIGEST:
        return Kind.MESSAGE
    return Kind.TEXT


def _kind_of(content_type: ContentType) -> Kind:
    main, slash, sub = content_type.name.lower().partition(b"/")
    if (main, sub) == (b"message", b"rfc822"):
        return Kind.MESSAGE
    if main == b"text":
        return Kind.TEXT
    if main == b"multipart" and slash:
        return Kind.MULTIPART | Kind.DIGEST if sub == b"digest" else Kind.MULTIPART
    return Kind(0)
