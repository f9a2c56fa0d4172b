"""TLS over a blocking socket, whose own half can be ended in order.

An `ssl.SSLSocket` cannot: it says goodbye (close_notify) only together with the peer. Here
TLS works on memory, so the client can say goodbye, and still read what the server answers.
"""

from __future__ import annotations

import contextlib
import socket
import ssl

_CHUNK = 65536


class TlsSocket:
    """The client's side of TLS on a connected socket."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Shake hands. Raises OSError (ssl.SSLError included) if that fails."""
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._read = bytearray()
        self._shake_hands()

    @property
    def alpn(self) -> str | None:
        """The application protocol that the server chose."""
        return self._tls.selected_alpn_protocol()

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        self._tls.write(data)
        self._flush()

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" at the end of the connection or of TLS in it."""
        while not self._read:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                if not self._feed():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""
        data = bytes(self._read[:size])
        del self._read[:size]
        return data

    def shutdown(self, how: int) -> None:
        """Say close_notify, then end the client's half of the connection."""
        with contextlib.suppress(ssl.SSLError):
            while data := self._tls.read(_CHUNK):
                self._read += data
        # It wants the server's close_notify, for which nobody waits.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if not self._feed():
                    raise ConnectionResetError("the connection was closed") from None
            else:
                break
            finally:
                # The alert of a failed handshake too.
                self._flush()

    def _feed(self) -> bool:
        data = self._sock.recv(_CHUNK)
        self._incoming.write(data)
        return data != b""

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._sock.sendall(self._outgoing.read())
