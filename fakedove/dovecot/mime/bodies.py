"""Bodies as UTF-8 text, and a whole mail so: `text.utf8`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fakedove.dovecot.mime.binary import encoding_of
from fakedove.dovecot.mime.charsets import Decoder, valid_utf8
from fakedove.dovecot.mime.content_type import ContentType, parse_content_type
from fakedove.dovecot.mime.encoded_words import decode_words
from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.mime.parts import Kind, Part
from fakedove.dovecot.mime.transfer import (
    Encoding,
    decode_base64,
    decode_quoted_printable,
    decoded_size_of_base64,
)

#: Bytes that are read at once.
BLOCK = 8192


class NamelessFieldError(Exception):
    """A header has a line without a colon; Dovecot crashes when it decodes that."""


def mail_in_utf8(
    mail: bytes, root: Part, cuts: Sequence[int] = (), *, boundaries: bool = False
) -> Iterator[bytes]:
    """Yield the decoded mail in the pieces that Dovecot writes.

    `cuts` are the offsets where reading pauses; `boundaries` where the release does not leave
    them out. Raises NamelessFieldError.
    """
    return TextDecoder(mail, cuts).mail(root, boundaries=boundaries)


class TextDecoder:
    """Decode one mail's parts in their order.

    A character that a part's end cuts off goes on in the next part, as Dovecot has it.
    """

    def __init__(self, mail: bytes, cuts: Sequence[int] = ()) -> None:
        self._mail = mail
        self._cuts = cuts
        self._pending = b""

    def mail(self, part: Part, *, boundaries: bool) -> Iterator[bytes]:
        """Yield headers and texts of a part and those in it."""
        for field in header_fields(part.header_of(self._mail)):
            if not field.name:
                raise NamelessFieldError
            yield valid_utf8(field.name) + b": "
            yield decode_words(field.one_line)
            yield b"\n"
        if part.header_ended:
            yield b"\n"
        if not part.children and not part.kind & Kind.MULTIPART:
            yield from self.body(part)
        position = part.body_position
        for child in part.children:
            if boundaries:
                yield valid_utf8(self._mail[position : child.position])
            yield from self.mail(child, boundaries=boundaries)
            position = child.end
        if boundaries and part.kind & Kind.MULTIPART:
            yield valid_utf8(self._mail[position : part.end])

    def body(self, part: Part) -> Iterator[bytes]:
        """Yield a part's body in UTF-8, nothing if its encoding is not known."""
        header = part.header_of(self._mail)
        encoding = encoding_of(header)
        if encoding is Encoding.UNKNOWN:
            return
        body = part.body_of(self._mail)
        if not body:
            return
        ends = tuple(self._ends(part))
        if encoding is Encoding.BASE64:
            ends = tuple(decoded_size_of_base64(body[:end]) for end in ends)
            body = decode_base64(body).data
        elif encoding is Encoding.QUOTED_PRINTABLE:
            ends = tuple(_quoted_ends(body, ends))
            body = decode_quoted_printable(body).data
        decoder = Decoder(_charset(header))
        pending, self._pending = self._pending, b""
        for start, end in zip((0, *ends), (*ends, len(body)), strict=True):
            yield decoder.decode(pending + body[start:end])
            pending = b""
        self._pending = decoder.pending

    def _ends(self, part: Part) -> Iterator[int]:
        """Yield where in a body reading pauses; before a line that might be a boundary."""
        start = part.body_position
        cuts = [cut for cut in self._cuts if start < cut < part.end]
        if part.parent is None:
            yield from (cut - start for cut in cuts)
            return
        position, cut = start, cuts[0] if cuts else part.end
        while cut < part.end:
            line_end = self._mail.rfind(b"\n", position + 1, cut)
            position = cut if line_end < 0 else line_end
            yield position - start
            cut = position + BLOCK


def _quoted_ends(body: bytes, ends: Iterable[int]) -> Iterator[int]:
    """Yield how much is decoded at each end; a line's beginning is a good place to go on."""
    done = size = 0
    for end in ends:
        line = body.rfind(b"\n", done, end) + 1
        if line:
            size += len(decode_quoted_printable(body[done:line]).data)
            done = line
        yield size + len(decode_quoted_printable(body[done:end]).data)


def content_type_of(mail: bytes, part: Part) -> bytes:
    """Return `type/subtype` in lower case, empty if there is none."""
    found = _content_type(part.header_of(mail))
    return b"" if found is None else found.name.lower()


def _charset(header: bytes) -> str | None:
    found = _content_type(header)
    if found is None or not found.complete:
        return None
    charset = found.parameter(b"charset", decoded=True)
    return None if charset is None else charset.decode("latin-1")


def _content_type(header: bytes) -> ContentType | None:
    for field in header_fields(header):
        if field.name.lower() == b"content-type":
            return parse_content_type(field.value)
    return None
