"""A mail whose header is read: what is looked up of it in the cache, and what is added there.

Dovecot caches more than what was asked for: whoever parses a header adds all header fields that
are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable

from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.headers import values

#: The headers that an envelope is made of, in the order in which they become known.
ENVELOPE_HEADERS = (
    *("Bcc", "Cc", "Date", "From", "In-Reply-To", "Message-ID", "Reply-To", "Sender", "Subject"),
    "To",
)


class MailHeader:
    """Size, dates, GUID and header fields of one mail, from when it is looked at on.

    Methods are named after what is asked for.
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

    def size_physical(self) -> None:
        """Read the size."""
        self._asked.add("size.physical")
        if not self._known_size():
            self._size = True

    def date_received(self, *, from_cache: bool = False) -> bool:
        """Read when the mail was received; return whether that can be, if only from the cache."""
        self._asked.add("date.received")
        if not self._received:
            self._received = self.cache.lookup("date.received", self.uid) or not from_cache
        return self._received

    def guid(self, *, from_cache: bool = False) -> bool:
        """Read the GUID; return whether that can be, if only from the cache."""
        cached = self.cache.lookup("guid", self.uid)
        if not cached and not from_cache:
            self._add("guid")
        return cached or not from_cache

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

    def expunge(self) -> None:
        """Look up which mail it is that goes; it is not read for that."""
        self.cache.lookup("guid", self.uid)

    def take_over(self) -> None:
        """Read what a copy in another storage is made of; nothing is cached of that."""
        self.stream()
        self.cache.lookup("date.received", self.uid)
        self.cache.lookup("guid", self.uid)

    def measure(self) -> None:
        """Get to know the size, which is not asked for."""
        self._known_size()
        self._size = True

    def close(self) -> None:
        """Cache what has become known on the way."""
        self._cache_size_and_dates()

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

    def _wants(self, key: str) -> bool:
        if key in self._asked:
            return not self._is_cached(key)
        return self.cache.wants(key, self.uid)

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
