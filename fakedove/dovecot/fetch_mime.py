"""What `fetch` streams of a mail's MIME parts: sections, decoded or not, and UTF-8 text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fakedove.dovecot import mdbox
from fakedove.dovecot.fetched import Fetched, PrintError
from fakedove.dovecot.mime.binary import (
    BadEncodingError,
    UnknownEncodingError,
    is_encoded,
    keeps_nuls,
    read_binary,
)
from fakedove.dovecot.mime.bodies import NamelessFieldError, mail_in_utf8
from fakedove.dovecot.mime.sections import (
    Section,
    What,
    find_part,
    read_fields,
    span_of,
    with_crlf,
)
from fakedove.dovecot.reading import with_crlf_in_blocks
from fakedove.dovecot.reply import Fatal, Log, Pieced, Scope, Streamed, Value
from fakedove.dovecot.status import Status


def decoded_text(one: Fetched) -> Value:
    """Return the mail in UTF-8; raise Fatal where the real server crashes."""
    mail = one.message.data
    cuts = tuple(one.reading.cuts(one.message, 0, len(mail)))
    try:
        boundaries = one.release.text_has_boundaries
        return Pieced(tuple(mail_in_utf8(mail, one.root, cuts, boundaries=boundaries)))
    except NamelessFieldError:
        text = b"assertion failed: (block.hdr->name_len > 0)"
        raise Fatal(text, Scope.STORAGE, crash=True) from None


def section_value(one: Fetched, section: Section, name: str) -> Value:
    """Return what IMAP would send for a section."""
    part = find_part(one.root, section)
    if part is None:
        return b""
    if section.what in (What.FIELDS, What.FIELDS_NOT):
        lines = read_fields(one.message.data, part, section)
        pieces = with_crlf_in_blocks([lines])
        return Pieced(tuple(piece.replace(b"\0", b"\x80") for piece in pieces))
    return _converted(one, *span_of(one.message.data, part, section))


def decoded_section(one: Fetched, section: Section, name: str) -> Value:
    """Return a section with its Content-Transfer-Encoding undone; raises PrintError."""
    if section.what not in (What.ALL, What.BODY, What.TEXT):
        return section_value(one, section, name)
    part = find_part(one.root, section)
    if part is None:
        return b""
    whole = section.what is What.ALL
    try:
        data = read_binary(one.message.data, part, header=whole)
    except UnknownEncodingError:
        raise _failure(one, name, one.release.unknown_encoding_text) from None
    except BadEncodingError as error:
        if not error.unfinished:
            raise _failure(one, name, "Invalid data in MIME part") from None
        raise _broken_off(one, name, error.unfinished) from None
    start, end = span_of(one.message.data, part, section)
    # All is read once to decode it, into a file if a body was encoded.
    one.reading.pieces(one.message, start, end - start)
    if is_encoded(one.message.data, part):
        return Streamed(data)
    # Headers that would have changed have changed the length alone, maybe beyond the part's end.
    changed = len(data) != len(with_crlf(one.message.data[start:end]))
    end = len(one.message.data) if changed else end
    kept = keeps_nuls(one.message.data, part)
    return _converted(one, start, end, limit=len(data), keeps_nuls=kept)


def _converted(
    one: Fetched, start: int, end: int, *, limit: int | None = None, keeps_nuls: bool = False
) -> Value:
    """Return a part of the mail with CRLF line ends, in the pieces that come of that.

    There are `limit` bytes at most. NULs become 0x80 unless it `keeps_nuls`.
    """
    data = one.message.data
    ends = [*one.reading.cuts(one.message, start, end - start), end]
    blocks = [data[low:high] for low, high in zip([start, *ends], ends, strict=False)]
    before = data[start - 1 : start] if start else b""
    pieces = list(with_crlf_in_blocks(blocks, before))
    if not keeps_nuls:
        pieces = [piece.replace(b"\0", b"\x80") for piece in pieces]
    return Pieced(tuple(pieces if limit is None else _limited(pieces, limit)))


def _limited(pieces: Sequence[bytes], limit: int) -> Iterator[bytes]:
    for piece in pieces:
        if limit <= 0:
            return
        yield piece[:limit]
        limit -= len(piece)


def _failure(one: Fetched, name: str, why: str) -> PrintError:
    return PrintError(Status.DATAERR, _told(one, name, why))


def _told(one: Fetched, name: str, why: str) -> Log:
    place = f"box={one.box.name} uid={one.message.uid}"
    return Log(f"fetch({name}) failed for {place}: {why}".encode(errors="surrogateescape"))


def _broken_off(one: Fetched, name: str, why: str) -> PrintError:
    """Return what happens where encoded data lack their end, which counts as a read error."""
    box, uid = one.box.name, one.message.uid
    path = mdbox.file_path(one.user, mdbox.places(one.user)[one.message.guid])
    read = f"read(<binary stream of mailbox {box} UID {uid}>) failed: read({path}) failed: {why}"
    told = f"Mailbox {box}: {one.release.uid_text.format(uid)}: {read}"
    log = Log(told.encode(), scope=Scope.STORAGE)
    twice = told if one.release.failed_read_told_twice else read
    return PrintError(Status.TEMPFAIL, log, _told(one, name, twice))
