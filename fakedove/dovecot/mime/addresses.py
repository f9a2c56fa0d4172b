"""Address headers: what Dovecot takes for name, route, mailbox and domain of each address.

A group is a start with its name as mailbox, the members, and an end where all is None. What
is missing or broken is filled in with words such as MISSING_DOMAIN for IMAP, or left empty.
"""

from __future__ import annotations

import msgspec

from fakedove.dovecot.mime.scanner import Found, Scanner


class Address(msgspec.Struct, gc=False):
    """One address; None is NIL."""

    name: bytes | None = None
    route: bytes | None = None
    mailbox: bytes | None = None
    domain: bytes | None = None


def parse_addresses(value: bytes, *, fill_missing: bool) -> list[Address]:
    """Return the addresses in a header's value; `fill_missing` as IMAP's ENVELOPE has it."""
    parser = _Parser(value, fill_missing)
    if parser.scanner.skip_white() is Found.MORE:
        parser.read_list()
    return parser.addresses


class _Parser:
    def __init__(self, value: bytes, fill_missing: bool) -> None:
        self.scanner = Scanner(value, replaces_nul=True)
        self.addresses: list[Address] = []
        self._fill_missing = fill_missing
        self._address = Address()
        #: Whether the address under work has a fault that its fields do not show.
        self._broken = False
        self._text = bytearray()

    def read_list(self) -> None:
        while self._read_address() is not Found.END and self.scanner.take(b","):
            found = self.scanner.skip_white()
            if found is Found.BROKEN:
                self._add_filled()
            if found is not Found.MORE:
                return

    def _read_address(self) -> Found:
        start = self.scanner.position
        found = self._read_group()
        if found is Found.BROKEN:
            self.scanner.position = start
            found = self._read_mailbox()
        return found

    def _read_group(self) -> Found:
        self._text.clear()
        if self.scanner.read_phrase(self._text) is not Found.MORE or not self.scanner.take(b":"):
            return Found.BROKEN
        found = self.scanner.skip_white()
        self._address.mailbox = bytes(self._text)
        self._add()
        if found is Found.MORE and not self.scanner.at(b";"):
            found = self._read_members()
        if found is not Found.BROKEN:
            found = self.scanner.skip_white() if self.scanner.take(b";") else Found.BROKEN
        self._add()
        return Found.END if found is Found.END else Found.MORE

    def _read_members(self) -> Found:
        while True:
            self._read_mailbox()
            if not self.scanner.take(b","):
                return Found.MORE
            if self.scanner.skip_white() is not Found.MORE:
                return Found.BROKEN

    def _read_mailbox(self) -> Found:
        start = self.scanner.position
        found = self._read_named()
        if found is Found.BROKEN:
            self.scanner.position = start
            found = self._read_bare()
            one = self._address
            if self._broken and one.name is None and one.mailbox and one.domain is None:
                one.name, one.mailbox = one.mailbox, None
        self._add_filled()
        return found

    def _read_named(self) -> Found:
        """Read `name <address>`."""
        self._text.clear()
        if self.scanner.read_phrase(self._text) is not Found.MORE or not self.scanner.at(b"<"):
            return Found.BROKEN
        self._address.name = bytes(self._text) or None
        if self._read_angle() is Found.BROKEN and self._fill_missing:
            self._address.domain = b"SYNTAX_ERROR"
        return Found.END if self.scanner.at_end else Found.MORE

    def _read_angle(self) -> Found:
        scanner = self.scanner
        scanner.position += 1
        if scanner.skip_white() is not Found.MORE:
            return Found.BROKEN
        if scanner.at(b"@"):
            if self._read_route() is not Found.MORE or not scanner.take(b":"):
                if self._fill_missing:
                    self._address.route = b"INVALID_ROUTE"
                if scanner.at_end:
                    return Found.BROKEN
            if scanner.skip_white() is not Found.MORE:
                return Found.BROKEN
        if not scanner.at(b">"):
            if self._read_local_part() is not Found.MORE:
                return Found.BROKEN
            if scanner.at(b"@") and self._read_domain() is not Found.MORE:
                return Found.BROKEN
        return scanner.skip_white() if scanner.take(b">") else Found.BROKEN

    def _read_route(self) -> Found:
        scanner = self.scanner
        self._text.clear()
        while not scanner.at_end:
            if not scanner.at(b"@"):
                self._address.route = bytes(self._text)
                return Found.MORE
            self._text += b",@" if self._text else b"@"
            found = scanner.read_domain(self._text)
            if found is not Found.MORE:
                return found
            while scanner.skip_white() is Found.MORE and scanner.take(b","):
                pass
        return Found.END

    def _read_bare(self) -> Found:
        """Read `local@domain (name)`; anything else is taken for a name."""
        scanner = self.scanner
        scanner.comment = b""
        quoted = scanner.at(b'"')
        found = self._read_local_part()
        if found is not Found.MORE:
            self._broken = True
        has_domain = found is not Found.END and scanner.at(b"@")
        if has_domain:
            domain = self._read_domain()
            if domain is not Found.MORE:
                found = domain
        if scanner.comment:
            self._address.name = scanner.comment
        elif not has_domain:
            found = Found.BROKEN
            self._broken = True
            self._text += b" "
            before = len(self._text)
            scanner.read_phrase(self._text)
            if len(self._text) != before:
                self._address.mailbox = None
                self._address.name = bytes(self._text)
            elif not quoted:
                self._address.domain = b""
        return found

    def _read_local_part(self) -> Found:
        self._text.clear()
        if self.scanner.at(b'"'):
            found = self.scanner.read_quoted(self._text)
        else:
            found = self.scanner.read_loose_dot_atom(self._text)
        if found is not Found.BROKEN:
            self._address.mailbox = bytes(self._text)
        return found

    def _read_domain(self) -> Found:
        self._text.clear()
        found = self.scanner.read_domain(self._text)
        if found is not Found.BROKEN:
            self._address.domain = bytes(self._text)
        return found

    def _add_filled(self) -> None:
        if self._address.mailbox is None:
            self._address.mailbox = b"MISSING_MAILBOX" if self._fill_missing else b""
        if not self._address.domain:
            self._address.domain = b"MISSING_DOMAIN" if self._fill_missing else b""
        self._add()

    def _add(self) -> None:
        self.addresses.append(self._address)
        self._address = Address()
        self._broken = False
