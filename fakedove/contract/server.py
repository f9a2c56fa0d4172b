"""The server under check: how to reach it, what is known of it, and how to get into it.

    server.exchange(b"...")        all that it answers, to its end
    server.session(minor=1)        a connection that takes commands

`Facts` is what may differ between servers that all keep the protocol; `probe` finds it out.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakedove.client import Address, TlsMode
from fakedove.contract.connection import Connection, Failed, show

if TYPE_CHECKING:
    import ssl

#: A user and a command that no server has.
NOBODY = b"fakedove-contract-nobody"
NO_COMMAND = b"fakedove-contract-no-command"

UNKNOWN_COMMAND = b"\t" + NOBODY + b"\t" + NO_COMMAND + b"\n"


@dataclass(frozen=True, slots=True)
class Facts:
    """What servers of different releases and listeners do differently."""

    #: The server's protocol minor, 0 if it does not tell.
    minor: int
    #: `+` or `-` comes at accept, before the client's VERSION.
    greets_first: bool
    #: The first verdict is `+`.
    preauthenticated: bool
    has_password: bool = False
    #: TLS begins with the first byte.
    tls_first: bool = False
    #: STARTTLS leads to TLS.
    starttls: bool = False
    #: The VERSION line must have a minor and no fifth field.
    strict: bool = True
    #: Authentication is answered with no line.
    silent: bool = False
    #: Commands can be sent: pre-authenticated, or the password is good.
    login: bool = False
    one_command: bool = False
    #: Whose mail a command is about stands in `-u`; the username field is not looked at.
    user_option: bool = False
    #: What comes for an unknown user's command, nothing if the process dies.
    nouser: bytes = b"\n-NOUSER\n"
    #: A user who exists.
    user: bytes | None = None

    @property
    def verdict(self) -> bytes:
        """The line that says whether a password is wanted."""
        return b"+\n" if self.preauthenticated else b"-\n"

    @property
    def greeting(self) -> bytes:
        """What the server says at accept."""
        return self.verdict if self.greets_first else b""

    @property
    def accepted(self) -> bytes:
        """What answers a good password."""
        return b"" if self.silent else b"+\n"

    @property
    def refused(self) -> bytes:
        """What answers a bad one; the server closes then."""
        return b"" if self.silent else b"-\n"

    @property
    def farewell(self) -> bytes:
        """What an EOF is worth right after VERSION: it refuses whoever has to authenticate."""
        return b"" if self.preauthenticated else self.refused

    @property
    def double_status(self) -> bool:
        """A failure has a second status line, as from 2.2.22 to 2.3.16."""
        return self.nouser.endswith(b"\n\n-\n")

    def opening(self, minor: int) -> bytes:
        """Return all that a server says up to and with its answer to a VERSION of `minor`."""
        version = b""
        if minor >= 1 and self.minor >= 1:
            version = b"VERSION\tdoveadm-client\t1\t%d\n" % self.minor
        return self.greeting + version + (b"" if self.greets_first else self.verdict)

    def failure(self, status: bytes) -> list[bytes]:
        """Return the writes that end the reply of a command that failed with `status`."""
        return [b"\n-%b\n" % status, *([b"\n-\n"] if self.double_status else [])]


def version(minor: int) -> bytes:
    """Return a client's first line."""
    return b"VERSION\tdoveadm-server\t1\t%d\n" % minor


def plain(data: bytes) -> bytes:
    """Return an authentication line."""
    return b"PLAIN\t%b\n" % base64.b64encode(data)


@dataclass(frozen=True, slots=True)
class Target:
    """What the caller says of the server."""

    address: Address
    password: bytes | None
    tls: TlsMode
    ca: str | None
    #: Seconds that an answer may take.
    patience: float


class Server:
    """The server under check; it knows the connections that were opened."""

    def __init__(self, target: Target, facts: Facts) -> None:
        self.target = target
        self.facts = facts
        self.connections: list[Connection] = []
        self._tls_contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    @property
    def right_plain(self) -> bytes:
        """The authentication line with the right password."""
        return plain(b"\0doveadm\0" + (self.target.password or b""))

    @property
    def list_mailboxes(self) -> bytes:
        """A command that succeeds with rows."""
        return self.list_of(self.facts.user or b"")

    @property
    def unknown_user(self) -> bytes:
        """A command that fails for want of its user."""
        return self.list_of(NOBODY)

    def list_of(self, user: bytes) -> bytes:
        """Return the command that lists a user's mailboxes."""
        option = b"\t-u\t%b" % user if self.facts.user_option else b""
        return b"\t%b\tmailbox list%b\n" % (user, option)

    def connect_plain(self) -> Connection:
        """Connect, and begin no TLS even if that is what the server expects."""
        connection = Connection(self.target.address, self.target.patience, self.target.password)
        self.connections.append(connection)
        return connection

    def connect(self) -> Connection:
        """Connect, with TLS if that is what the listener begins with."""
        connection = self.connect_plain()
        if self.target.tls == "yes":
            self.start_tls(connection)
        return connection

    def start_tls(self, connection: Connection, *alpn: str) -> str | None:
        """Shake hands for TLS and return the protocol that the server chose (ALPN).

        A certificate is looked at if there is a CA to trust. Raises Failed.
        """
        try:
            return connection.start_tls(self._tls_context(alpn))
        except OSError as error:
            raise Failed(f"no TLS: {error}") from error

    def exchange(self, data: bytes) -> bytes:
        """Send, end the client's half, and return all that the server says."""
        return self.connect().finish(data)

    def hello(self, minor: int = 1) -> Connection:
        """Connect and greet; the answer must be the right one."""
        connection = self.connect()
        connection.send(version(minor))
        connection.expect(self.facts.opening(minor))
        return connection

    def session(self, minor: int = 1) -> Connection:
        """Connect, greet and authenticate."""
        connection = self.hello(minor)
        if not self.facts.preauthenticated:
            if self.target.tls == "starttls":
                connection.send(b"STARTTLS\n")
                self.start_tls(connection)
            connection.send(self.right_plain)
            connection.expect(self.facts.accepted)
        return connection

    def ask(self, commands: bytes, minor: int = 0) -> bytes:
        """Send commands on a new session and return all that it answers to them."""
        return self.session(minor).finish(commands)

    def close(self) -> None:
        """Close and forget the connections."""
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def _tls_context(self, alpn: tuple[str, ...]) -> ssl.SSLContext:
        if alpn not in self._tls_contexts:
            self._tls_contexts[alpn] = _tls_context(self.target.ca, alpn)
        return self._tls_contexts[alpn]


def _tls_context(ca: str | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(ca)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def same(heard: bytes, expected: bytes) -> None:
    """Raise Failed unless just the expected bytes came."""
    if heard != expected:
        raise Failed(f"expected {show(expected) or 'nothing'}, got {show(heard) or 'nothing'}")
