"""A mail that is read: what is looked up of it in the cache, and what is added there.

Whoever parses a body adds what is known of the parts, and whoever closes a mail what has become
known on the way.
"""

from __future__ import annotations

import re

from fakedove.dovecot.cache.mail_header import MailHeader
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.parts import parse_parts
from fakedove.dovecot.mime.sections import Section, find_part
from fakedove.dovecot.mime.structure import body_structure
from fakedove.dovecot.release import Release

#: Beside `flags`: that a mail is plain text, so that its structure is not cached.
PLAIN = "flags+plain"

_PLAIN = re.compile(
    rb'"text" "plain" \("charset" "us-ascii"\) NIL NIL "7bit" \d+ \d+ NIL NIL NIL NIL'
)
_CONTENT = re.compile(rb"\ncontent-|\A\s*content-", re.IGNORECASE)
_STRUCTURES = frozenset({"imap.body", "imap.bodystructure"})


class OpenedMail(MailHeader):
    """One mail, from when it is looked at until it is closed.

    `wanted` are the fields that it was opened for, `headers` the header fields. Methods are
    named after what is asked for.
    """

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

    def open_ahead(self) -> None:
        """Open the mail itself at once if what is wanted will take that, as no search does."""
        if self._save_sent or self._body_needed:
            self.stream()

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

    def text(self, *, headers: bool) -> None:
        """Search the body, with or without headers."""
        self.stream(header_size=not headers)
        if headers and not self._structure and self._parses_headers():
            self._match_headers([], lost=False)
        self.parts(from_cache=True)

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

    def _parses_headers(self) -> bool:
        return bool(self._headers) or ("date.sent" in self._asked and not self._sent_parsed)

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


def is_plain(message: Message, release: Release) -> bool:
    """Whether the mail is plain text in ASCII, and says nothing else of its content."""
    data = message.data
    end = data.find(b"\n\n") + 1 or len(data)
    if _CONTENT.search(data[:end]) is None:
        return True
    decoded = release.attachment_names_decoded
    structure = body_structure(data, parse_parts(data), extended=True, decoded=decoded)
    return _PLAIN.fullmatch(structure) is not None
