"""A mail that is read: what is looked up of it in the cache, and what is added there.

Dovecot caches more than what was asked for: whoever parses a header adds all header fields that
are wanted, and whoever parses a body what is known of the parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.headers import values
from fakedove.dovecot.mime.parts import parse_parts
from fakedove.dovecot.mime.sections import Section, find_part
from fakedove.dovecot.mime.structure import body_structure
from fakedove.dovecot.release import Release

#: The headers that an envelope is made of, in the order in which they become known.
ENVELOPE_HEADERS = (
    *("Bcc", "Cc", "Date", "From", "In-Reply-To", "Message-ID", "Reply-To", "Sender", "Subject"),
    "To",
)
#: Beside `flags`: that a mail is plain text, so that its structure is not cached.
PLAIN = "flags+plain"

_PLAIN = re.compile(
    rb'"text" "plain" \("charset" "us-ascii"\) NIL NIL "7bit" \d+ \d+ NIL NIL NIL NIL'
)
_CONTENT = re.compile(rb"\ncontent-|\A\s*content-", re.IGNORECASE)
_STRUCTURES = frozenset({"imap.body", "imap.bodystructure"})
_WITH_BODY = _STRUCTURES | {"mime.parts", "body.snippet"}


class OpenedMail:
    """One mail, from when it is looked at until it is closed.

    `wanted` are the fields that it was opened for, `headers` the header fields. Methods are
    named after what is asked for.
    """

    def __init__(
        self,
        cache: OpenedCache,
        message: Message,
        wanted: frozenset[str] = frozenset(),
        headers: tuple[str, ...] = (),
    ) -> None:
        """Open it; nothing is looked up before `begin`."""
        self.cache = cache
        self.uid = message.uid
        self._message = message
        self._caching = cache.release.caching
        self.wanted = wanted
        self._headers = headers
        #: What was asked for by name, which is cached then if it can be.
        self._asked: set[str] = set()
        self._plain_flag = False
        self._parts = self._parts_saved = self._save_parts = False
        self._size = self._received = self._sent = False
        self._save_sent = self._sent_parsed = False
        self._structure = self._structure_parsed = False
        self._body_needed = False
        self._texts: set[str] = set()
        self._stream = self._header_read = self._header_size = False
        self._matched: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Look what the wanted fields will need."""
        # Where the parts are known the flags are not asked for, which tell that it is plain.
        if self.wanted & _STRUCTURES and not self._parts and self.cache.lookup("flags", self.uid):
            self._plain_flag = self.cache.exists(PLAIN, self.uid)
        if "mime.parts" in self.wanted and not self._is_cached("mime.parts"):
            self._body_needed = self._save_parts = True
        plain = self._plain_flag
        if "imap.body" in self.wanted and not plain and not self._are_cached(_STRUCTURES):
            self._body_needed = self._structure = True
        if "imap.bodystructure" in self.wanted and not plain:
            self._structure |= not self._is_cached("imap.bodystructure")
            self._body_needed |= self._structure
        if "date.sent" in self.wanted and not self._is_cached("date.sent"):
            self._save_sent = True
        if "body.snippet" in self.wanted and not self._is_cached("body.snippet"):
            self._body_needed = True

    def size_physical(self) -> None:
        """Read the size."""
        self._asked.add("size.physical")
        if not self._known_size():
            self._size = True

    def date_received(self) -> None:
        """Read when the mail was received."""
        self._asked.add("date.received")
        if not self._received:
            self.cache.lookup("date.received", self.uid)
            self._received = True

    def guid(self) -> None:
        """Read the GUID."""
        if not self.cache.lookup("guid", self.uid):
            self._add("guid")

    def date_sent(self, *, from_cache: bool = False) -> bool:
        """Read the Date header as a time; return whether that can be, if only from the cache."""
        self._asked.add("date.sent")
        if self._sent:
            return True
        if not self.cache.lookup("date.sent", self.uid):
            if not self.header("Date", from_cache=from_cache):
                return False
            self._add_sent()
        self._sent = True
        return True

    def header(self, name: str, *, from_cache: bool = False) -> bool:
        """Read a header field; return whether that can be, if only from the cache."""
        key = self.cache.register(name)
        if self.cache.lookup_headers([key], self.uid) or key in self._matched:
            return True
        if from_cache:
            return False
        self._parse_header([key])
        return True

    def header_stream(self, names: Iterable[str], *, from_cache: bool = False) -> bool:
        """Read some header fields at once; return whether that can be, as `header`."""
        keys = [self.cache.register(name) for name in names]
        if self._structure:
            if from_cache:
                return False
            self._parse_header(keys)
        if self.cache.lookup_headers(keys, self.uid):
            return True
        if from_cache:
            return False
        self.stream()
        self._match_headers(keys, lost=False)
        self._header_read = True
        return True

    def envelope(self) -> None:
        """Read the envelope."""
        if "imap.envelope" not in self._texts:
            self.header_stream(ENVELOPE_HEADERS)
            self._texts.add("imap.envelope")

    def body_or_structure(self, field: str) -> None:
        """Read imap.body or imap.bodystructure."""
        if field in self._texts:
            return
        if self._plain_flag and self._cached_parts():
            self._texts.add(field)
            return
        if self.cache.lookup(field, self.uid):
            self._texts.add(field)
        elif field == "imap.body" and self.cache.lookup("imap.bodystructure", self.uid):
            self._texts |= _STRUCTURES
        else:
            self._parse_structure(field)

    def snippet(self) -> None:
        """Read the beginning of the text."""
        self._asked.add("body.snippet")
        if "body.snippet" not in self._texts:
            if not self.cache.lookup("body.snippet", self.uid):
                self._parse_structure("body.snippet")
            self._texts.add("body.snippet")

    def parts(self, *, from_cache: bool = False) -> None:
        """Read what parts the mail has."""
        self._asked.add("mime.parts")
        if self._parts or self._cached_parts() or from_cache:
            return
        self._parse_header([])
        if not self._parts:
            self._save_parts = True
            self._parse_body("")

    def stream(self, *, header_size: bool = False) -> None:
        """Open the mail itself; with the size of the header, cached parts will do for that."""
        if not self._stream:
            self._stream = True
            if self._caching.size_of_opened:
                self._asked.add("size.physical")
            self._known_size()
        if header_size:
            self._cached_sizes()
            if not (self._parts or self._header_size):
                self._header_size = True
                if self._body_needed or self._save_sent:
                    self._match_headers([], lost=False)

    def text(self, *, headers: bool) -> None:
        """Search the body, with or without headers."""
        self.stream(header_size=not headers)
        if headers and not self._structure and self._parses_headers():
            self._match_headers([], lost=False)
        self.parts(from_cache=True)

    def expunge(self) -> None:
        """Look up which mail it is that goes; it is not read for that."""
        self.cache.lookup("guid", self.uid)

    def take_over(self) -> None:
        """Read what a copy in another storage is made of; nothing is cached of that."""
        self.stream()
        self.cache.lookup("date.received", self.uid)
        self.cache.lookup("guid", self.uid)

    def has_part(self, section: Section) -> bool:
        """Look for a part of the mail, and return whether there is one."""
        self.parts()
        return find_part(parse_parts(self._message.data), section) is not None

    def binary(self, *, whole: bool) -> None:
        """Decode a part of the mail, or the whole."""
        self.parts()
        self.stream()
        if whole:
            self._add("binary.parts")

    def measure(self) -> None:
        """Get to know the size, which is not asked for."""
        self._known_size()
        self._size = True

    def close(self) -> None:
        """Cache what has become known on the way."""
        self._cache_size_and_dates()

    def cache_ahead(self) -> None:
        """Read all that may be wanted later, as `index` does."""
        self._body_needed = True
        self._parse_header([])
        self._parse_body("")
        self.date_received()
        self.size_physical()
        self.guid()

    def save(self) -> None:
        """Cache what is found in a mail that is saved now."""
        self._save_sent = self._structure = self._received = True
        self._match_headers([], lost=False)
        self._finish_body("", saving=True)

    def _known_size(self) -> bool:
        """Whether the size can be told without the mail itself."""
        if not self._size:
            self._size = self.cache.lookup("size.physical", self.uid) or self._cached_sizes()
        return self._size

    def _cached_sizes(self) -> bool:
        self._size |= self._cached_parts()
        return self._parts

    def _cached_parts(self) -> bool:
        self._parts = self._parts or self.cache.lookup("mime.parts", self.uid)
        return self._parts

    def _is_cached(self, key: str) -> bool:
        return self.cache.exists(key, self.uid)

    def _are_cached(self, keys: Iterable[str]) -> bool:
        """Whether any of them is."""
        return any(self._is_cached(key) for key in keys)

    def _add(self, key: str) -> None:
        if not self._is_cached(key):
            self.cache.add(key, self.uid)

    def _add_if_wanted(self, key: str) -> None:
        if key in self._asked:
            self._add(key)
        elif self.cache.wants(key, self.uid):
            self.cache.add(key, self.uid)

    def _add_sent(self) -> None:
        self._add("date.sent")
        self._sent = True

    def _parses_headers(self) -> bool:
        return bool(self._headers) or ("date.sent" in self._asked and not self._sent_parsed)

    def _parse_header(self, keys: list[str]) -> None:
        """Parse the header, for fields that are not cached."""
        self.stream()
        # Where the parts are known the header is read from where the last reader left.
        lost = self._header_read and self._parts and not (self._structure or self._body_needed)
        self._match_headers(keys, lost=lost and self._caching.loses_headers)

    def _match_headers(self, keys: list[str], *, lost: bool) -> None:
        cache = self.cache
        matched = {*keys, *(cache.register(name) for name in self._headers)}
        cache.open()
        known = [key for key in cache.fields if key.startswith("hdr.")]
        matched |= {key for key in known if cache.wants(key, self.uid)}
        cache.register("Date")
        new = [key for key in cache.fields if key in matched and not self._is_cached(key)]
        for key in new:
            cache.add(key, self.uid)
        if lost:
            self._lose(new)
        self._matched = frozenset(matched)
        if self._save_sent or "date.sent" in self._asked:
            self._matched |= {"hdr.date"}
        self._sent_parsed |= self._save_sent

    def _lose(self, keys: list[str]) -> None:
        there = [key for key in keys if values(self._message.data, key[4:].encode())]
        if there:
            self.cache.file.lose(self.uid, frozenset(there))

    def _parse_structure(self, field: str) -> None:
        if self._structure_parsed and field != "body.snippet":
            self._cache_structure(field)
        else:
            self._structure = True
            self._cached_parts()
            self._parse_header([])
            self._parse_body(field)
        if not self._caching.headers:
            self._texts.add(field)
            if field == "body.snippet":
                self._add_if_wanted(field)
            return
        for key in ("body.snippet", "imap.body", "imap.bodystructure"):
            if key not in self._texts and (field == key or self._wants(key)):
                self._texts.add(key)
                self._add_if_wanted(key)
        self._cache_parts()

    def _wants(self, key: str) -> bool:
        if key in self._asked:
            return not self._is_cached(key)
        return self.cache.wants(key, self.uid)

    def _parse_body(self, field: str) -> None:
        self._finish_body(field, saving=False)

    def _finish_body(self, field: str, *, saving: bool) -> None:
        if self._structure:
            self._structure_parsed = True
            self._structure = False
        self._parts = self._size = True
        self._cache_flags()
        self._cache_parts()
        self._cache_structure(field)
        self._cache_size_and_dates(saving=saving)

    def _cache_flags(self) -> None:
        cache, uid = self.cache, self.uid
        wanted = cache.wants("flags", uid)
        if self._structure_parsed and is_plain(self._message, self.cache.release):
            structures = bool(self.wanted & _STRUCTURES) or any(
                cache.wants(key, uid) for key in sorted(_STRUCTURES)
            )
            if wanted or structures:
                self._save_parts = wanted = True
                if not self._plain_flag:
                    cache.add("flags", uid)
                    cache.add_silently(PLAIN, uid)
                self._plain_flag = True
                return
        if wanted:
            cache.add("flags", uid)

    def _cache_parts(self) -> None:
        if self._parts_saved or self._is_cached("mime.parts"):
            return
        if (
            self._save_parts
            or "mime.parts" in self.wanted
            or self.cache.is_cached_somehow("mime.parts")
        ):
            self.cache.add("mime.parts", self.uid)
            self._parts_saved = True

    def _cache_structure(self, field: str) -> None:
        if not self._structure_parsed:
            return
        plain = self._plain_flag and (self._parts_saved or self._is_cached("mime.parts"))
        if plain:
            return
        body, structure = "imap.body", "imap.bodystructure"
        asked = structure in (field, *self.wanted) and not self._is_cached(structure)
        if asked or self.cache.wants(structure, self.uid):
            self.cache.add(structure, self.uid)
            self._texts.add(structure)
        if self._are_cached(_STRUCTURES):
            return
        if field == body or self.cache.wants(body, self.uid):
            self.cache.add(body, self.uid)
            self._texts.add(body)

    def _cache_size_and_dates(self, *, saving: bool = False) -> None:
        if self._size:
            self._add_if_wanted("size.physical")
        if self._received:
            self._add_if_wanted("date.received")
        if saving:
            self._add_if_wanted("date.save")
        if self._sent_parsed and self._wants("date.sent") and not self._sent:
            self.header("Date")
            self._add_sent()


def is_plain(message: Message, release: Release) -> bool:
    """Whether the mail is plain text in ASCII, and says nothing else of its content."""
    data = message.data
    end = data.find(b"\n\n") + 1 or len(data)
    if _CONTENT.search(data[:end]) is None:
        return True
    decoded = release.attachment_names_decoded
    structure = body_structure(data, parse_parts(data), extended=True, decoded=decoded)
    return _PLAIN.fullmatch(structure) is not None
