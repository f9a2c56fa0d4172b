"""What both clients know about their connection, and how they word what goes wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fakedove.client.address import Address
from fakedove.client.errors import ClientError, ClientTimeoutError
from fakedove.errors import ProtocolError
from fakedove.wire.handshake import Fault

if TYPE_CHECKING:
    import ssl

#: Gets "C" or "S" and the bytes that this side sent or received, inside TLS.
Trace: TypeAlias = Callable[[str, bytes], None]

#: At most this many bytes are read at once.
READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Link:
    """What both clients know about their connection."""

    address: Address
    ca: str | os.PathLike[str] | None
    timeout: float
    trace: Trace | None

    def tell(self, who: str, data: bytes) -> bytes:
        """Show `data` to whoever traces, and return it."""
        if self.trace is not None and data:
            self.trace(who, data)
        return data

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that trusts `ca`, or what the system trusts."""
        import ssl

        context = ssl.create_default_context(cafile=None if self.ca is None else os.fspath(self.ca))
        context.set_alpn_protocols(["doveadm"])
        return context

    def error(self, text: str) -> ClientError:
        """Return an error that begins with the address."""
        return ClientError(f"{self.address}: {text}")

    def too_slow(self) -> ClientTimeoutError:
        """Return the error of a server that took too long."""
        return ClientTimeoutError(f"{self.address}: no answer within {self.timeout:g} s")

    @contextmanager
    def worded(self) -> Iterator[None]:
        """Turn whatever can go wrong into one line."""
        try:
            yield
        except ClientError:
            raise
        except ProtocolError as error:
            text = error.fault.value if isinstance(error.fault, Fault) else str(error)
            raise self.error(text) from error
        except TimeoutError as error:
            raise self.too_slow() from error
        except OSError as error:
            raise self.error(_words(error)) from error


def _words(error: OSError) -> str:
    """Say what went wrong with a connection or its TLS."""
    if verdict := getattr(error, "verify_message", None):
        return f"the server's certificate is not good: {verdict}"
    if reason := getattr(error, "reason", None):
        return f"TLS failed: {str(reason).lower().replace('_', ' ')}"
    # Trio's own error holds one for each address that it tried, with a text of its own.
    if isinstance(error.__cause__, ExceptionGroup) and isinstance(
        inner := error.__cause__.exceptions[0], OSError
    ):
        return f"cannot connect: {os.strerror(inner.errno or 0)}"
    return f"cannot connect: {error.strerror or error}"
