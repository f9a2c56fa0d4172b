"""The fields that `fetch` prints, each a function of one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import msgspec

from fakedove.dovecot.fetch_mime import decoded_section, decoded_text, section_value
from fakedove.dovecot.fetched import Fetched, PrintError
from fakedove.dovecot.mime.addresses import parse_addresses
from fakedove.dovecot.mime.dates import in_32_bits, parse_date
from fakedove.dovecot.mime.encoded_words import decode_words
from fakedove.dovecot.mime.envelope import envelope
from fakedove.dovecot.mime.headers import unfold, values, without_nul
from fakedove.dovecot.mime.parts import Kind, Part, Size
from fakedove.dovecot.mime.sections import parse_section
from fakedove.dovecot.mime.snippet import snippet
from fakedove.dovecot.mime.structure import body_structure
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Scope, Streamed, Value
from fakedove.wire.tabescape import c_string


class Field(msgspec.Struct, frozen=True):
    """A field that was asked for."""

    #: Its key, in lower case.
    name: str
    print: Callable[[Fetched], Value]


def parse_fields(release: Release, words: Sequence[bytes]) -> tuple[Field, ...]:
    """Return the fields that `words` name; raise Fatal as the real process dies of others."""
    return tuple(_field(release, word.decode(errors="surrogateescape").lower()) for word in words)


def row(fields: Sequence[Field], one: Fetched) -> Iterator[tuple[Value, ...] | PrintError]:
    """Yield a message's values: together, unless one of them cannot be printed.

    What cannot be printed leaves no value behind, and the rest moves up. Raises Fatal.
    """
    printed: list[Value] = []
    for field in fields:
        try:
            printed.append(field.print(one))
        except PrintError as error:
            yield tuple(printed)
            printed = []
            yield error
        except Fatal:
            yield tuple(printed)
            raise
    yield tuple(printed)


def _field(release: Release, name: str) -> Field:
    if name in release.fetch_fields:
        return Field(name, _FIELDS[name])
    kind, dot, parameter = name.partition(".")
    if kind == "hdr" and dot:
        return Field(name, lambda one: _header_field(one, parameter))
    if not release.fetch_sections or not dot or kind not in ("body", "binary"):
        _unknown(release, f"Unknown fetch field: {name}")
    section = parse_section(parameter)
    if section is None:
        _unknown(release, f"Unknown fetch section: {parameter}")
    show = decoded_section if kind == "binary" else section_value
    return Field(name, lambda one: show(one, section, name))


def _unknown(release: Release, text: str) -> NoReturn:
    names = release.fetch_fields
    if release.fetch_sections:
        names = ("hdr.<name>", "body.<section>", "binary.<section>", *names)
    known = Log(f"Available fetch fields: {' '.join(names)}".encode(), scope=Scope.STDERR)
    raise Fatal(text.encode(errors="surrogateescape"), log=(known,))


def _flags(one: Fetched) -> bytes:
    recent = ["\\Recent"] if one.box.is_recent(one.message) else []
    words = [*one.message.flags, *recent, *one.message.keywords]
    return " ".join(words).encode()


def _header(one: Fetched) -> Value:
    if not one.message.data and one.release.empty_header_crashes:
        text = b"assertion failed: (!i_stream_is_buffer_invalid(_stream))"
        raise Fatal(text, Scope.STORAGE, crash=True)
    return one.streamed(0, one.header_size)


def _body(one: Fetched) -> Value:
    return one.streamed(one.header_size, len(one.message.data))


def _text(one: Fetched) -> Value:
    data = one.message.data
    return Streamed(data, one.reading.pieces(one.message, 0, len(data))[0])


def _header_field(one: Fetched, parameter: str) -> bytes:
    name, dot, form = parameter.partition(".")
    found = [without_nul(value) for value in _header_values(one, name)]
    if form == "utf8" and dot:
        found = [decode_words(unfold(value)).replace(b"\0", b" ") for value in found]
    elif dot:
        if form not in _ADDRESS_FORMS:
            text = f"Unknown header filter: {form}".encode(errors="surrogateescape")
            raise Fatal(text, Scope.STORAGE)
        return _addresses(b"\n".join(found), form)
    return b"\n".join(found)


def _header_values(one: Fetched, name: str) -> list[bytes]:
    if f"hdr.{name}" in one.box.cache.lost(one.message.uid):
        return []
    return values(one.header, name.encode(errors="surrogateescape"))


_ADDRESS_FORMS = ("address", "address_name", "address_name.utf8")


def _addresses(value: bytes, form: str) -> bytes:
    lines = []
    for address in parse_addresses(value, fill_missing=False):
        if form == "address":
            domain = b"" if address.domain is None else b"@" + address.domain
            lines.append((address.mailbox or b"") + domain)
        elif form == "address_name":
            lines.append(address.name or b"")
        else:
            lines.append(decode_words(address.name or b""))
    return c_string(b"\n".join(lines))


def _moment(moment: datetime) -> bytes:
    return f"{moment:%Y-%m-%d %H:%M:%S}".encode()


def _unixtime(moment: datetime) -> bytes:
    return b"%d" % int(moment.timestamp())


def _sent(one: Fetched) -> tuple[int, int]:
    """Return when the mail was sent, in seconds since 1970, and the zone in minutes."""
    dates = [] if one.message.uid in one.box.cache.lost_dates else values(one.header, b"date")
    seconds, zone = (parse_date(dates[0]) if dates else None) or (0, 0)
    return in_32_bits(seconds, clamped=one.release.sent_date_clamped), zone


def _date_sent(one: Fetched) -> bytes:
    seconds, zone = _sent(one)
    shown = seconds + zone * 60 if one.release.sent_date_local else seconds
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=shown)
    hours, minutes = divmod(abs(zone), 60)
    sign = b"-" if zone < 0 else b"+"
    return b"%b (%b%02d%02d)" % (_moment(moment), sign, hours, minutes)


def _snippet(one: Fetched) -> bytes:
    release = one.release
    length, quotes = release.snippet_length, release.snippet_quotes
    return snippet(one.message.data, one.root, length=length, quotes=quotes)


def _structure(one: Fetched, *, extended: bool) -> bytes:
    decoded = one.release.attachment_names_decoded
    return body_structure(one.message.data, one.root, extended=extended, decoded=decoded)


def _mime_parts(one: Fetched) -> bytes:
    cached = one.message.uid in one.shared.parts_cached
    return b"".join(_part_lines(one.root, b"\n", cached=cached))


def _part_lines(part: Part, indent: bytes, *, cached: bool) -> Iterator[bytes]:
    # What comes from the cache has no lines but of texts and messages.
    has_lines = not cached or part.kind & (Kind.TEXT | Kind.MESSAGE)
    header = _size(part.header, 0 if cached else part.header.lines)
    body = _size(part.body, part.body.lines if has_lines else 0)
    yield b"%b- pos=%d hdr_size=%b body_size=%b" % (indent, part.position, header, body)
    yield b" flags=0x%x" % part.kind
    for child in part.children:
        yield from _part_lines(child, indent + b"  ", cached=cached)


def _size(size: Size, lines: int) -> bytes:
    return b"(virtual=%d,physical=%d,lines=%d)" % (size.virtual, size.physical, lines)


def _refcount(one: Fetched) -> bytes:
    if one.shared.references is None:
        guids = (mail.guid for box in one.user.mailboxes.values() for mail in box.messages)
        one.shared.references = Counter(guids)
    return b"%d" % one.shared.references[one.message.guid]


_FIELDS: Mapping[str, Callable[[Fetched], Value]] = {
    "user": lambda one: one.user.name.encode(),
    "mailbox": lambda one: one.box.name.encode(),
    "mailbox-guid": lambda one: one.box.guid.encode(),
    "seq": lambda one: b"%d" % one.seq,
    "uid": lambda one: b"%d" % one.message.uid,
    "guid": lambda one: one.message.guid.encode(),
    "flags": _flags,
    "modseq": lambda one: b"%d" % one.box.modseq(one.message.uid),
    "hdr": _header,
    "body": _body,
    "body.preview": _snippet,
    "body.snippet": _snippet,
    "text": _text,
    "text.utf8": decoded_text,
    "size.physical": lambda one: b"%d" % one.message.physical_size,
    "size.virtual": lambda one: b"%d" % one.message.virtual_size,
    "date.received": lambda one: _moment(one.message.received),
    "date.sent": _date_sent,
    "date.saved": lambda one: _moment(one.message.saved),
    "date.received.unixtime": lambda one: _unixtime(one.message.received),
    "date.sent.unixtime": lambda one: b"%d" % _sent(one)[0],
    "date.saved.unixtime": lambda one: _unixtime(one.message.saved),
    "imap.envelope": lambda one: envelope(one.header),
    "imap.body": lambda one: _structure(one, extended=False),
    "imap.bodystructure": lambda one: _structure(one, extended=True),
    "mime.parts": _mime_parts,
    "pop3.uidl": lambda one: b"",
    "pop3.order": lambda one: b"",
    "refcount": _refcount,
    "storageid": lambda one: b"",
}
