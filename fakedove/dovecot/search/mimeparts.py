"""Looking for a MIME part: what Dovecot knows of each part from IMAP's BODYSTRUCTURE.

So header and body texts cannot be looked for, and only what a message inside the mail consists of
has an envelope. An answer is None where Dovecot cannot decide; then the mail does not match,
negated or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fakedove.dovecot.clock import DAY
from fakedove.dovecot.mime.addresses import parse_addresses
from fakedove.dovecot.mime.dates import parse_date
from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.mime.parts import Kind, Part, Size, parse_parts
from fakedove.dovecot.mime.structure import Described, describe
from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search import mimepart_tree as tree
from fakedove.dovecot.search.mimepart_tree import Kin, MimeGroup, MimeNode, Property
from fakedove.dovecot.search.normal import normal
from fakedove.dovecot.search.texts import written

_DEFAULT_CHARSET = (b"charset", b"us-ascii")
#: Properties that are compared whole and in any case.
_WHOLE = {
    Property.DISPOSITION: "disposition",
    Property.ENCODING: "encoding",
    Property.ID: "id",
    Property.LOCATION: "location",
    Property.TYPE: "type",
    Property.SUBTYPE: "subtype",
}
_ADDRESSES = {
    Property.BCC: b"bcc",
    Property.CC: b"cc",
    Property.FROM: b"from",
    Property.REPLY_TO: b"reply-to",
    Property.SENDER: b"sender",
    Property.TO: b"to",
}
_ENVELOPE_TEXTS = {
    Property.IN_REPLY_TO: b"in-reply-to",
    Property.MESSAGE_ID: b"message-id",
    Property.SUBJECT: b"subject",
}


class MimeParts:
    """The parts of one mail, as the `mimepart` keys of one query look for them.

    Dovecot does not begin anew for each key: where one ended, the depth of the next begins.
    """

    __slots__ = ("_depth", "compared", "data", "decoded")

    def __init__(self, data: bytes, *, decoded: bool) -> None:
        """Take a mail; `decoded` where the release decodes parameters."""
        self.data = data
        self.decoded = decoded
        #: The file names that a part's was compared with.
        self.compared: set[tree.Filename] = set()
        self._depth = 0

    def match(self, query: Sequence[MimeNode]) -> bool | None:
        """Return whether any part matches all of `query`."""
        root = parse_parts(self.data)
        _fill_empty(root)
        for place in _places(self, root, self._depth, 1):
            found = _all(query, place)
            if found is not False:
                self._depth = place.depth + 1
                return found
        self._depth += 1
        return False


def filenames(nodes: Iterable[MimeNode]) -> Iterator[tree.Filename]:
    """Yield the file names that keys ask for, those of parents and children aside."""
    for node in nodes:
        if isinstance(node, tree.Filename):
            yield node
        elif isinstance(node, MimeGroup):
            yield from filenames(node.keys)


def _fill_empty(root: Part) -> None:
    """Give multiparts without parts the empty text that BODYSTRUCTURE shows in them."""
    for part in list(root.walk()):
        if part.kind & Kind.MULTIPART and not part.children:
            part.children.append(Part(part.end, Size(), Size(), parent=part))


class _Place(msgspec.Struct, frozen=True):
    """A part where a query meets it."""

    mail: MimeParts
    part: Part
    depth: int
    index: int

    def described(self) -> Described:
        """Return the part's Content-* values, with those it has by default."""
        found = describe(self.mail.data, self.part, decoded=self.mail.decoded)
        if self.part.kind & Kind.MESSAGE:
            found.type, found.subtype = b"message", b"rfc822"
        elif found.type is None:
            found.type, found.subtype = b"text", b"plain"
        names = [name.lower() for name, _ in found.parameters]
        if found.type.lower() == b"text" and b"charset" not in names:
            found.parameters = (*found.parameters, _DEFAULT_CHARSET)
        if self.part.kind & Kind.MULTIPART:
            # BODYSTRUCTURE has no place for them.
            found.id = found.description = found.encoding = found.md5 = None
        elif found.encoding is None:
            found.encoding = b"7bit"
        return found

    def envelope(self, name: bytes) -> list[bytes] | None:
        """Return the values of a header of the message whose content this is, or None."""
        message = self.part.parent
        if message is None or not message.kind & Kind.MESSAGE:
            return None
        header = self.part.header_of(self.mail.data)
        fields = header_fields(header)
        return [field.one_line.strip() for field in fields if field.name.lower() == name]


def _places(mail: MimeParts, part: Part, depth: int, index: int) -> Iterator[_Place]:
    """Yield the part and all below it."""
    yield _Place(mail, part, depth, index)
    for number, child in enumerate(part.children, 1):
        yield from _places(mail, child, depth + 1, number)


def _below(place: _Place) -> Iterator[_Place]:
    """Yield all parts below; their depth counts from the part itself."""
    for number, child in enumerate(place.part.children, 1):
        yield from _places(place.mail, child, 1, number)


def _all(nodes: Iterable[MimeNode], place: _Place) -> bool | None:
    """Return whether all of `nodes` match; the first that does not ends it."""
    found: bool | None = True
    for node in nodes:
        one = _matches(node, place)
        if one is False:
            return False
        if one is None:
            found = None
    return found


def _any(nodes: Iterable[MimeNode], place: _Place) -> bool | None:
    found: bool | None = False
    for node in nodes:
        one = _matches(node, place)
        if one:
            return True
        if one is None:
            found = None
    return found


def _matches(node: MimeNode, place: _Place) -> bool | None:
    found = _decide(node, place)
    return found if found is None else found is not node.negated


def _decide(node: MimeNode, place: _Place) -> bool | None:
    match node:
        case MimeGroup(keys, any_of):
            return _any(keys, place) if any_of else _all(keys, place)
        case Kin(is_parent, keys):
            return _parent(keys, place) if is_parent else _child(keys, place)
        case tree.Is(which, text):
            return _is(which, text.encode(errors="surrogateescape"), place)
        case tree.Parameter(name, text, of_disposition):
            return _parameter(name.encode(), text.encode(), of_disposition, place)
        case tree.Bytes(least, most):
            size = 0 if place.part.kind & Kind.MULTIPART else place.part.body.virtual
            return least <= size <= most
        case tree.Place(is_depth, least, most):
            return least <= (place.depth if is_depth else place.index) <= most
        case tree.Sent(relation, seconds):
            return _sent(relation, seconds, place)
        case tree.Filename():
            return _filename(node, place)
    return None


def _parent(keys: Sequence[MimeNode], place: _Place) -> bool | None:
    parent = place.part.parent
    if not keys:
        return parent is not None
    if not place.depth or parent is None:
        text = b"assertion failed: (idx < array->buffer->used / array->element_size)"
        raise Fatal(text, Scope.MAIL, crash=True)
    above = parent.parent
    index = 1 if above is None else above.children.index(parent) + 1
    return _all(keys, _Place(place.mail, parent, place.depth - 1, index))


def _child(keys: Sequence[MimeNode], place: _Place) -> bool | None:
    if not keys:
        return bool(place.part.children)
    for one in _below(place):
        found = _all(keys, one)
        if found is not False:
            return found
    return False


def _is(which: Property, text: bytes, place: _Place) -> bool:
    if which in _WHOLE:
        value = getattr(place.described(), _WHOLE[which])
        return value is not None and value.lower() == text.lower()
    if which in _ADDRESSES:
        return _address(_ADDRESSES[which], text, place)
    if which in _ENVELOPE_TEXTS:
        values = place.envelope(_ENVELOPE_TEXTS[which])
        return bool(values) and text in (values or [b""])[-1]
    described = place.described()
    match which:
        case Property.LANGUAGE:
            return text.lower() in [one.lower() for one in described.languages]
        case Property.MD5:
            return described.md5 == text
    return described.description is not None and text in described.description


def _address(name: bytes, text: bytes, place: _Place) -> bool:
    values = place.envelope(name)
    if values is None:
        return False
    if not values and name in (b"sender", b"reply-to"):
        values = place.envelope(b"from") or []
    addresses = [one for value in values for one in parse_addresses(value, fill_missing=True)]
    return text in written(addresses)


def _parameter(name: bytes, text: bytes, of_disposition: bool, place: _Place) -> bool:
    described = place.described()
    given = described.disposition_parameters if of_disposition else described.parameters
    values = [value for known, value in given if known.lower() == name.lower()]
    return bool(values) and text in values[0]


def _sent(relation: str, seconds: int, place: _Place) -> bool:
    values = place.envelope(b"date")
    date = parse_date(values[-1]) if values else None
    if date is None:
        return False
    local = date[0] + date[1] * 60
    match relation:
        case "BEFORE":
            return local < seconds
        case "ON":
            return seconds <= local < seconds + DAY
    return local >= seconds


def _filename(node: tree.Filename, place: _Place) -> bool:
    described = place.described()
    if described.disposition is not None and described.disposition.lower() != b"attachment":
        return False
    given = described.disposition_parameters
    names = [value for known, value in given if known.lower() == b"filename"]
    if not names:
        return False
    place.mail.compared.add(node)
    name, text = normal(names[0].decode(errors="replace")), normal(node.text)
    match node.how:
        case "IS":
            return name == text
        case "CONTAINS":
            return text in name
        case "BEGINS":
            return name.startswith(text)
    return name.endswith(text)
