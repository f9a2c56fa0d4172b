"""Address headers: what Dovecot takes for name, route, mailbox and domain of each address.

A group is a start with its name as mailbox, the members, and an end where all is None. What
is missing or broken is filled in with words such as MISSING_DOMAIN for IMAP, or left empty.

The expressions are about the letters of `address_words`. They never fail where a part of an
address is broken: they take what is there and leave the group out that would name it, since
what comes behind a comma is read all the same.
"""

from __future__ import annotations

import re

import msgspec

from fakedove.dovecot.mime.address_words import Words


class Address(msgspec.Struct, frozen=True, gc=False):
    """One address; None is NIL."""

    name: bytes | None = None
    route: bytes | None = None
    mailbox: bytes | None = None
    domain: bytes | None = None


def parse_addresses(value: bytes, *, fill_missing: bool) -> list[Address]:
    """Return the addresses in a header's value; `fill_missing` as IMAP's ENVELOPE has it."""
    return _Reader(Words(value), fill_missing).read()


#: A gap or none; a broken one is the last there is.
_G = "[gG]?+"
_WHOLE = "(?<!G)"
_PHRASE = rf"(?!\.)(?P<phrase>(?:(?:[a.]++|q){_G})*+)"
_LOCAL = rf"""(?P<local>
      q{_G}
    | \.*+ a{_G} (?:\.++a{_G})*+ (?: (?!\.) | \.++(?=[@$]) )
    | \.++(?=[@$])
){_WHOLE}"""
_BROKEN_LOCAL = rf"[qQ]{_G} | \.*+ (?:a{_G}\.++)*+ (?:a{_G})?+"
_DOMAIN = rf"(?: l{_G} | a{_G} (?:\.{_G}a{_G})*+ (?!\.) ){_WHOLE}"
_BROKEN_DOMAIN = rf"(?: l{_G} | (?:a{_G}\.{_G})*+ (?:a{_G})?+ )"
_HOPS = rf"(?:@{_G}{_DOMAIN}(?:,{_G})*+)"


def _over_letters(grammar: str) -> re.Pattern[str]:
    return re.compile(grammar, re.VERBOSE)


_ANY_GAP = _over_letters(_G)
_COMMA = _over_letters(rf",{_G}")
_GROUP = _over_letters(rf"{_PHRASE}:{_G}")
_GROUP_END = _over_letters(rf";{_G}")
_NAMED = _over_letters(rf"{_PHRASE}<{_G}")
_ROUTE = _over_letters(
    rf"(?P<route>{_HOPS}++)(?!@)(?P<colon>:{_G})?+ | {_HOPS}*+ @{_G}{_BROKEN_DOMAIN}"
)
_HOP = _over_letters("@[^@,]*+")
_SPEC_END = _over_letters(rf">{_G}{_WHOLE}")
_LOCAL_PART = _over_letters(rf"{_LOCAL} | {_BROKEN_LOCAL}")
_AT_DOMAIN = _over_letters(rf"@{_G}(?: (?P<domain>{_DOMAIN}) | {_BROKEN_DOMAIN} )")
#: More of a name, behind what looked like a mailbox.
_REST = _over_letters(rf"(?: (?P<gap>g) | (?!\.) )(?P<phrase>(?:(?:[a.]++|q){_G})*+Q?+)")
_PHRASE_WORD = _over_letters("[a.]++|[qQ]")


class _Reader:
    def __init__(self, words: Words, fill_missing: bool) -> None:
        self._words = words
        self._at = 0
        self._fill_missing = fill_missing
        self._addresses: list[Address] = []

    def read(self) -> list[Address]:
        """Read the whole list, up to what has no place in it."""
        self._take(_ANY_GAP)
        while self._next != "$":
            if not self._read_group():
                self._read_mailbox()
            comma = self._take(_COMMA)
            if comma is None:
                break
            if comma[0].endswith("G"):
                self._add()
        return self._addresses

    @property
    def _next(self) -> str:
        return self._words.letters[self._at]

    def _take(self, expected: re.Pattern[str]) -> re.Match[str] | None:
        match = expected.match(self._words.letters, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _said(self, match: re.Match[str], group: str | int = 0) -> bytes | None:
        """Return what the words of a group say, None where the group is not there."""
        return None if match[group] is None else self._words.said(*match.span(group))

    def _phrase(self, match: re.Match[str]) -> bytes:
        """Return the words of a phrase with one space between them."""
        words = _PHRASE_WORD.finditer(self._words.letters, *match.span("phrase"))
        return b" ".join(self._words.said(*word.span()) for word in words)

    def _read_group(self) -> bool:
        start = self._take(_GROUP)
        if start is None:
            return False
        self._addresses.append(Address(mailbox=self._phrase(start)))
        if self._next != ";":
            while self._next != "$":
                self._read_mailbox()
                if self._take(_COMMA) is None:
                    break
        self._take(_GROUP_END)
        self._addresses.append(Address())
        return True

    def _read_mailbox(self) -> None:
        named = self._take(_NAMED)
        if named is None:
            self._read_bare()
        else:
            self._read_spec(self._phrase(named) or None)

    def _read_spec(self, name: bytes | None) -> None:
        """Read `route:mailbox@domain>`, behind the `<`."""
        route = self._read_route() if self._next == "@" else None
        mailbox = domain = None
        broken = False
        if self._next != ">":
            mailbox = self._read_local_part()
            broken = mailbox is None
            if not broken and self._next == "@":
                domain = self._read_domain()
                broken = domain is None
        broken = broken or self._take(_SPEC_END) is None
        if broken and self._fill_missing:
            domain = b"SYNTAX_ERROR"
        self._add(name, route, mailbox, domain)

    def _read_route(self) -> bytes | None:
        match = self._take(_ROUTE)
        assert match is not None, "an @ begins it"
        if match["colon"] is None:
            return b"INVALID_ROUTE" if self._fill_missing else None
        hops = _HOP.finditer(self._words.letters, *match.span("route"))
        return b",".join(self._words.said(*hop.span()) for hop in hops)

    def _read_bare(self) -> None:
        """Read `local@domain (name)`; anything else is taken for a name."""
        start, quoted = self._at, self._next in "qQ"
        mailbox = self._read_local_part()
        end, has_domain = self._at, self._next == "@"
        domain = self._read_domain() if has_domain else None
        comment = self._words.last_comment(start, self._at) or None
        if comment or has_domain:
            self._add(comment, None, mailbox, domain)
        elif rest := self._read_rest():
            self._add(self._words.said(start, end) + b" " + rest)
        elif quoted and mailbox:
            self._add(mailbox)
        else:
            self._add(mailbox=mailbox)

    def _read_local_part(self) -> bytes | None:
        match = self._take(_LOCAL_PART)
        assert match is not None, "it may be empty"
        return self._said(match, "local")

    def _read_domain(self) -> bytes | None:
        match = self._take(_AT_DOMAIN)
        assert match is not None, "an @ begins it"
        return self._said(match, "domain")

    def _read_rest(self) -> bytes:
        match = self._take(_REST)
        if match is None:
            return b""
        phrase = self._phrase(match)
        return b" " + phrase if match["gap"] and match["phrase"] else phrase

    def _add(
        self,
        name: bytes | None = None,
        route: bytes | None = None,
        mailbox: bytes | None = None,
        domain: bytes | None = None,
    ) -> None:
        """Add an address, with what is missing filled in."""
        if mailbox is None:
            mailbox = b"MISSING_MAILBOX" if self._fill_missing else b""
        if not domain:
            domain = b"MISSING_DOMAIN" if self._fill_missing else b""
        self._addresses.append(Address(name, route, mailbox, domain))
