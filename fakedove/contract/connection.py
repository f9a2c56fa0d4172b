"""One client connection of a check: blocking, on plain sockets, with its conversation kept.

Nothing waits for silence: whoever wants to know that the server says no more ends its own
half of the connection (`finish`), and then reads until the server has ended the other.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fakedove.client import Address

if TYPE_CHECKING:
    import ssl

    from fakedove.contract.secure import TlsSocket

_CHUNK = 262144
#: Bytes of one turn that a printed conversation shows.
_SHOWN = 400
_PLAIN_DATA = re.compile(rb"(?<=PLAIN\t)[^\n]+")


class Failed(Exception):
    """The server did something else than the protocol says."""


class End(enum.Enum):
    """How the server ended the connection."""

    EOF = "(end)"
    RESET = "(reset)"


class Connection:
    """A connection, with everything that was said on it."""

    def __init__(self, address: Address, patience: float, secret: bytes | None) -> None:
        """Connect; `patience` is how many seconds an answer may take. Raises OSError."""
        self.end: End | None = None
        self._patience = patience
        self._secret = secret
        self._turns: list[tuple[str, bytes]] = []
        self._host = address.host if address.path is None else "localhost"
        self._sock: socket.socket | TlsSocket = _connected(address, patience)

    def close(self) -> None:
        """Close at once."""
        self._sock.close()

    # What the client does

    def send(self, data: bytes) -> None:
        """Send bytes in one go; a server that has gone is noticed when reading."""
        self._note("C", data)
        try:
            self._sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.end = End.RESET
        except TimeoutError:
            raise Failed(f"the server has not taken the bytes in {self._patience:g} s") from None
        except OSError as error:
            # TLS words a closed connection in its own way.
            self._note("", f"sending failed: {error}".encode())

    def drip(self, data: bytes) -> None:
        """Send bytes one by one, each in a segment of its own."""
        self._note("C", data)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for position in range(len(data)):
                self._sock.sendall(data[position : position + 1])

    def shut(self) -> None:
        """End the client's half: the server reads EOF and can still write."""
        self._note("C", b"(end)")
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def start_tls(self, context: ssl.SSLContext) -> str | None:
        """Shake hands for TLS and return the protocol that the server chose (ALPN).

        Raises OSError (ssl.SSLError included) if the handshake fails.
        """
        from fakedove.contract.secure import TlsSocket

        assert isinstance(self._sock, socket.socket), "TLS is begun once"
        self._note("", b"TLS handshake")
        self._sock = TlsSocket(self._sock, context, self._host)
        return self._sock.alpn

    # What the server says

    def expect(self, expected: bytes) -> None:
        """Read just as many bytes as expected; raise Failed unless they are these."""
        heard = b""
        while len(heard) < len(expected) and self.end is None:
            heard += self._read(len(expected) - len(heard))
            if not expected.startswith(heard):
                break
        if heard != expected:
            raise Failed(f"expected {show(expected)} and got {show(heard) or 'nothing'}")

    def read_to_end(self) -> bytes:
        """Return all that comes until the server ends the connection; it has to."""
        heard = bytearray()
        while self.end is None:
            heard += self._read(_CHUNK)
        return bytes(heard)

    def finish(self, data: bytes = b"") -> bytes:
        """Send, end the client's half, and return all that the server says to its end."""
        if data:
            self.send(data)
        self.shut()
        return self.read_to_end()

    def _read(self, size: int) -> bytes:
        try:
            data = self._sock.recv(size)
        except TimeoutError:
            text = f"the server neither answered nor closed in {self._patience:g} s"
            raise Failed(text) from None
        except ConnectionResetError:
            self.end = End.RESET
        except OSError as error:
            # An alert of TLS: no byte of the protocol, and the end.
            self._note("", f"TLS failed: {getattr(error, 'reason', error)}".encode())
            self.end = End.RESET
        else:
            if data:
                self._note("S", data)
                return data
            self.end = End.EOF
        self._note("S", self.end.value.encode())
        return b""

    # The conversation

    def lines(self) -> Sequence[str]:
        """Return the conversation as lines `C: ...` and `S: ...`, without the password."""
        return [f"{who + ':' if who else '--'} {show(data)}" for who, data in self._turns]

    def _note(self, who: str, data: bytes) -> None:
        data = _PLAIN_DATA.sub(self._redacted, data)
        if self._turns and self._turns[-1][0] == who == "S" and self.end is None:
            data = self._turns.pop()[1] + data
        self._turns.append((who, data[: _SHOWN + 1]))

    def _redacted(self, match: re.Match[bytes]) -> bytes:
        with contextlib.suppress(ValueError):
            if self._secret and self._secret in base64.b64decode(match[0]):
                return b"(base64 with the password)"
        return match[0]


def show(data: bytes) -> str:
    """Return bytes as printable text, cut if they are many."""
    text = repr(data[:_SHOWN])[2:-1]
    return f"{text}... (and more)" if len(data) > _SHOWN else text


def _connected(address: Address, patience: float) -> socket.socket:
    if address.path is None:
        sock = socket.create_connection((address.host, address.port), patience)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(patience)
        sock.connect(address.path)
    except BaseException:
        sock.close()
        raise
    return sock
