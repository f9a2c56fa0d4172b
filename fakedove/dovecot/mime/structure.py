"""IMAP's BODY and BODYSTRUCTURE of a mail."""

from __future__ import annotations

import re

import msgspec

from fakedove.dovecot.mime.content_type import parse_content_type
from fakedove.dovecot.mime.envelope import envelope
from fakedove.dovecot.mime.headers import header_fields, without_nul
from fakedove.dovecot.mime.imap_strings import nstring_unfolded, string
from fakedove.dovecot.mime.lexical import ATOM, TOKEN, TOKEN_OR_NOTHING, gap_at, read
from fakedove.dovecot.mime.parameters import Parameters, parse_parameters
from fakedove.dovecot.mime.parts import Kind, Part

_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0%b)'
_NO_EXTENSIONS = b" NIL NIL NIL NIL"
_DEFAULT_CHARSET = b"us-ascii"
_COMMA, _END = re.compile(rb","), re.compile(rb"\Z")


class Described(msgspec.Struct):
    """What a part's Content-* headers say; None is what none of them says."""

    #: Type and subtype, empty if they are broken.
    type: bytes | None = None
    subtype: bytes = b""
    parameters: Parameters = ()
    encoding: bytes | None = None
    id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: bytes | None = None
    disposition_parameters: Parameters = ()
    languages: tuple[bytes, ...] = ()
    location: bytes | None = None

    @property
    def is_plain(self) -> bool:
        """Whether this is what a part is without Content-* headers."""
        charset = [(name.lower(), value.lower()) for name, value in self.parameters]
        others = (self.id, self.description, self.md5, self.disposition, self.location)
        return (
            (self.type is None or self.subtype.lower() == b"plain")
            and charset in ([], [(b"charset", _DEFAULT_CHARSET)])
            and (self.encoding is None or self.encoding.lower() == b"7bit")
            and all(one is None for one in others)
            and not self.languages
        )


def describe(mail: bytes, part: Part, *, decoded: bool) -> Described:
    """Return what the part's header says; `decoded` as `parse_parameters` has it."""
    found = Described()
    if not part.kind & Kind.MIME:
        return found
    for field in header_fields(part.header_of(mail)):
        name = field.name.lower()
        if name in _TEXTS:
            if getattr(found, _TEXTS[name]) is None:
                setattr(found, _TEXTS[name], without_nul(field.value))
        elif name == b"content-type" and found.type is None:
            _read_type(found, field.value, decoded)
        elif name == b"content-transfer-encoding" and found.encoding is None:
            found.encoding = _encoding(field.value)
        elif name == b"content-language" and not found.languages:
            found.languages = _languages(field.value)
        elif name == b"content-disposition" and not found.disposition_parameters:
            _read_disposition(found, field.value, decoded)
    return found


def body_structure(mail: bytes, root: Part, *, extended: bool, decoded: bool) -> bytes:
    """Return BODY, or BODYSTRUCTURE where `extended`, without its parentheses."""
    described = describe(mail, root, decoded=decoded)
    if root.kind & Kind.TEXT and not root.children and described.is_plain:
        described = Described()
    return _Writer(mail, extended, decoded).structure(root, described)


_TEXTS = {
    b"content-id": "id",
    b"content-description": "description",
    b"content-md5": "md5",
    b"content-location": "location",
}


class _Writer(msgspec.Struct, frozen=True):
    mail: bytes
    extended: bool
    decoded: bool

    def structure(self, part: Part, described: Described) -> bytes:
        if part.kind & Kind.MULTIPART:
            words = [self._children(part), string(described.subtype)]
            if self.extended:
                words += [_parameters(described.parameters), *_common(described)]
        else:
            words = self._single(part, described)
            if self.extended:
                words += [nstring_unfolded(described.md5), *_common(described)]
        return b" ".join(words)

    def _children(self, part: Part) -> bytes:
        if not part.children:
            return _EMPTY % (_NO_EXTENSIONS if self.extended else b"")
        return b"".join(
            b"(%b)" % self.structure(child, describe(self.mail, child, decoded=self.decoded))
            for child in part.children
        )

    def _single(self, part: Part, described: Described) -> list[bytes]:
        is_message = bool(part.kind & Kind.MESSAGE)
        is_text = False
        if is_message:
            type_words = [b'"message"', b'"rfc822"']
        elif _is_cut_off(part, described):
            type_words = [b'"application"', b'"octet-stream"']
        elif described.type is None:
            type_words = [b'"text"', b'"plain"']
            is_text = True
        else:
            type_words = [string(described.type), string(described.subtype)]
            is_text = described.type.lower() == b"text"
        words = [
            *type_words,
            _parameters(described.parameters, charset=is_text),
            nstring_unfolded(described.id),
            nstring_unfolded(described.description),
            b'"7bit"' if described.encoding is None else string(described.encoding),
            b"%d" % part.body.virtual,
        ]
        if is_message:
            words += [b"(%b)" % self._envelope(part), self._children(part)]
        if is_message or is_text:
            words.append(b"%d" % part.body.lines)
        return words

    def _envelope(self, part: Part) -> bytes:
        return envelope(part.children[0].header_of(self.mail))


def _is_cut_off(part: Part, described: Described) -> bool:
    """Whether the part would have parts if there were not too many already."""
    if described.type is None:
        return part.parent is not None and bool(part.parent.kind & Kind.DIGEST)
    name = described.type.lower()
    return name == b"multipart" or (name, described.subtype.lower()) == (b"message", b"rfc822")


def _parameters(parameters: Parameters, *, charset: bool = False) -> bytes:
    words = [string(word) for parameter in parameters for word in parameter]
    if charset and all(name.lower() != b"charset" for name, _ in parameters):
        words += [b'"charset"', string(_DEFAULT_CHARSET)]
    return b"(%b)" % b" ".join(words) if words else b"NIL"


def _common(described: Described) -> list[bytes]:
    disposition = languages = b"NIL"
    if described.disposition is not None:
        parameters = _parameters(described.disposition_parameters)
        disposition = b"(%b %b)" % (string(described.disposition), parameters)
    if described.languages:
        languages = b"(%b)" % b" ".join(map(string, described.languages))
    return [disposition, languages, nstring_unfolded(described.location)]


def _read_type(found: Described, value: bytes, decoded: bool) -> None:
    content_type = parse_content_type(value)
    found.type, _, found.subtype = content_type.name.partition(b"/")
    if content_type.complete:
        found.parameters = content_type.parameters(decoded=decoded)


def _encoding(value: bytes) -> bytes | None:
    pieces = read(value, gap_at(value, 0).end, TOKEN, _END)
    return pieces.texts[0] if pieces.complete else None


def _read_disposition(found: Described, value: bytes, decoded: bool) -> None:
    pieces = read(value, gap_at(value, 0).end, TOKEN_OR_NOTHING)
    if pieces.complete:
        found.disposition = pieces.texts[0]
        found.disposition_parameters = parse_parameters(value, pieces.end, decoded=decoded)


def _languages(value: bytes) -> tuple[bytes, ...]:
    languages = []
    pieces = read(value, gap_at(value, 0).end, ATOM)
    while pieces.complete:
        languages.append(pieces.texts[0])
        comma = read(value, pieces.end, _COMMA)
        if not comma.texts:
            break
        pieces = read(value, comma.end, ATOM)
    return tuple(languages)
