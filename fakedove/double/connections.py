"""What there is to know of a client's connection, for whoever reads the journal."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from fakedove.dovecot.clock import moment


class Authentication(enum.StrEnum):
    """How a client came to be trusted, or did not."""

    #: By a UNIX socket of mode 0600.
    PREAUTHENTICATED = "preauthenticated"
    #: By the password.
    PASSWORD = "password"
    #: It sent a password that was refused.
    REFUSED = "refused"


class Connection(msgspec.Struct, frozen=True, gc=False):
    """One connection to a doveadm listener, as far as its handshake has come."""

    #: Counted from 1 since the fake began, connections to script services included.
    number: int
    #: Name of the listener it came in by.
    listener: str
    #: IP address of the client; None on a UNIX socket.
    address: str | None
    #: The release it is answered as: its number, or "main".
    dovecot: str
    #: When it was accepted, in nanoseconds since 1970 by the fake's clock.
    accepted: int
    #: Whether TLS is up.
    tls: bool = False
    #: N of the client's `VERSION TAB doveadm-server TAB 1 TAB N`; None until it has come.
    client_minor: int | None = None
    #: None until that is settled.
    authentication: Authentication | None = None

    @property
    def began(self) -> datetime:
        """When it was accepted, by the fake's clock."""
        return moment(self.accepted)

    @property
    def password_in_clear(self) -> bool:
        """Whether the client sent a password, right or wrong, over TCP without TLS."""
        sent = self.authentication in (Authentication.PASSWORD, Authentication.REFUSED)
        return sent and self.address is not None and not self.tls

    def __str__(self) -> str:
        return str(self.number)

    def describe(self) -> str:
        """Return what it is in one line."""
        told = [f"connection {self.number}: {self.listener}"]
        if self.address is not None:
            told[0] += f" from {self.address}"
        told.append(f"Dovecot {self.dovecot}")
        if self.client_minor is not None:
            told.append(f"protocol 1.{self.client_minor} of the client")
        if self.tls:
            told.append("TLS")
        if self.authentication is not None:
            told.append(f"{self.authentication}{' in clear' if self.password_in_clear else ''}")
        return ", ".join(told)
