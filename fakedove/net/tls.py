"""TLS as a layer between the socket and a session: bytes in, bytes out, no socket in sight.

`TlsLayer` wraps `ssl.SSLObject` over two memory buffers. Whatever OpenSSL wants to say
leaves by `outgoing()`, also the alert of a failed handshake, which a stream that raises
would swallow. A layer on top of a layer is TLS inside TLS, as a second STARTTLS makes it.

Failures carry the words that Dovecot logs, with the numbers of OpenSSL 3.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final

from fakedove.errors import ConfigurationError, FakeDovecotError
from fakedove.net.client_hello import offered_alpn

#: What Dovecot 2.4 answers on its doveadm listeners.
ALPN: Final = "doveadm"

#: Dovecot's words when the client goes away in the handshake (lib-ssl-iostream).
CLOSED: Final = "Connection closed"

#: Plaintext taken from the layer below at a time, in bytes: four TLS records.
_PULL_BYTES: Final = 65536

#: TLS alert "no application protocol" (RFC 7301 section 3.2).
_ALERT_NO_APPLICATION_PROTOCOL: Final = 120

#: Number in OpenSSL 3's library of "SSL routines" (0A) of what a client can provoke. The
#: text is the name in lower case; an alert of the client is 1000 + its number.
_REASON_NUMBERS: Final = {
    "APPLICATION_DATA_AFTER_CLOSE_NOTIFY": 291,
    "BAD_CHANGE_CIPHER_SPEC": 103,
    "BAD_DIGEST_LENGTH": 111,
    "BAD_ECPOINT": 306,
    "BAD_EXTENSION": 110,
    "BAD_KEY_SHARE": 108,
    "BAD_LEGACY_VERSION": 292,
    "BAD_LENGTH": 271,
    "BAD_PACKET": 240,
    "BAD_PROTOCOL_VERSION_NUMBER": 116,
    "BAD_RECORD_TYPE": 443,
    "BAD_SIGNATURE": 123,
    "BLOCK_CIPHER_PAD_IS_WRONG": 129,
    "CCS_RECEIVED_EARLY": 133,
    "CLIENTHELLO_TLSEXT": 226,
    "DATA_LENGTH_TOO_LONG": 146,
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": 281,
    "DIGEST_CHECK_FAILED": 149,
    "EXCESSIVE_MESSAGE_SIZE": 152,
    "HTTPS_PROXY_REQUEST": 155,
    "HTTP_REQUEST": 156,
    "INAPPROPRIATE_FALLBACK": 373,
    "INVALID_COMPRESSION_ALGORITHM": 341,
    "INVALID_SESSION_ID": 999,
    "LENGTH_MISMATCH": 159,
    "LENGTH_TOO_LONG": 404,
    "LENGTH_TOO_SHORT": 160,
    "NO_APPLICATION_PROTOCOL": 235,
    "NO_CIPHERS_SPECIFIED": 183,
    "NO_PROTOCOLS_AVAILABLE": 191,
    "NO_SHARED_CIPHER": 193,
    "NO_SHARED_GROUPS": 410,
    "NO_SHARED_SIGNATURE_ALGORITHMS": 376,
    "NO_SUITABLE_KEY_SHARE": 101,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": 118,
    "PACKET_LENGTH_TOO_LONG": 198,
    "RECORD_LENGTH_MISMATCH": 213,
    "RECORD_TOO_SMALL": 298,
    "RENEGOTIATION_MISMATCH": 337,
    "SSLV3_ALERT_UNEXPECTED_MESSAGE": 1010,
    "SSLV3_ALERT_BAD_RECORD_MAC": 1020,
    "SSLV3_ALERT_DECOMPRESSION_FAILURE": 1030,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": 1040,
    "SSLV3_ALERT_NO_CERTIFICATE": 1041,
    "SSLV3_ALERT_BAD_CERTIFICATE": 1042,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": 1043,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": 1044,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": 1045,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": 1046,
    "SSLV3_ALERT_ILLEGAL_PARAMETER": 1047,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": 1116,
    "TLSV13_ALERT_MISSING_EXTENSION": 1109,
    "TLSV1_ALERT_ACCESS_DENIED": 1049,
    "TLSV1_ALERT_DECODE_ERROR": 1050,
    "TLSV1_ALERT_DECRYPTION_FAILED": 1021,
    "TLSV1_ALERT_DECRYPT_ERROR": 1051,
    "TLSV1_ALERT_EXPORT_RESTRICTION": 1060,
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": 1086,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": 1071,
    "TLSV1_ALERT_INTERNAL_ERROR": 1080,
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": 1120,
    "TLSV1_ALERT_NO_RENEGOTIATION": 1100,
    "TLSV1_ALERT_PROTOCOL_VERSION": 1070,
    "TLSV1_ALERT_RECORD_OVERFLOW": 1022,
    "TLSV1_ALERT_UNKNOWN_CA": 1048,
    "TLSV1_ALERT_USER_CANCELLED": 1090,
    "TLSV1_BAD_CERTIFICATE_HASH_VALUE": 1114,
    "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE": 1113,
    "TLSV1_CERTIFICATE_UNOBTAINABLE": 1111,
    "TLSV1_UNRECOGNIZED_NAME": 1112,
    "TLSV1_UNSUPPORTED_EXTENSION": 1110,
    "UNEXPECTED_MESSAGE": 244,
    "UNEXPECTED_RECORD": 245,
    "UNINITIALIZED": 276,
    "UNKNOWN_ALERT_TYPE": 246,
    "UNKNOWN_PROTOCOL": 252,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": 338,
    "UNSOLICITED_EXTENSION": 217,
    "UNSUPPORTED_COMPRESSION_ALGORITHM": 257,
    "UNSUPPORTED_PROTOCOL": 258,
    "VERSION_TOO_LOW": 396,
    "WRONG_CIPHER_RETURNED": 261,
    "WRONG_VERSION_NUMBER": 267,
}


class TlsError(FakeDovecotError):
    """TLS broke: `reason` is what Dovecot logs of it. The alert is still in `outgoing()`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _AlpnObject(ssl.SSLObject):
    """An `SSLObject` that still knows the client's first bytes when SNI is looked at."""

    hello = b""


class TlsLayer:
    """One TLS connection over memory; `below` is the layer whose plaintext carries it."""

    __slots__ = ("_below", "_eof", "_function", "_incoming", "_object", "_outgoing", "ready")

    def __init__(
        self,
        context: ssl.SSLContext,
        server_side: bool = True,
        *,
        server_hostname: str | None = None,
        below: TlsLayer | None = None,
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side, server_hostname
        )
        self._function = "SSL_accept()" if server_side else "SSL_connect()"
        self._below = below
        self._eof = False
        #: The handshake is done.
        self.ready = False

    @property
    def alpn(self) -> str | None:
        """The application protocol that was agreed on."""
        return self._object.selected_alpn_protocol()

    def feed(self, data: bytes) -> None:
        """Take bytes from the socket, for the lowest layer; b"" is EOF.

        Raises `TlsError` if a layer below breaks.
        """
        if self._below is not None:
            self._below.feed(data)
            self._pull(self._below)
        else:
            self.feed_here(data)

    def feed_here(self, data: bytes) -> None:
        """Take bytes that belong to this layer although they came another way (leftovers)."""
        if not data:
            self._eof = True
            return
        if not self.ready and isinstance(self._object, _AlpnObject):
            self._object.hello += data
        self._incoming.write(data)

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is done. Raises `TlsError` if it fails."""
        if self._below is not None:
            self._pull(self._below)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            if self._eof:
                raise TlsError(CLOSED) from None
            return False
        except ssl.SSLError as error:
            raise TlsError(f"{self._function} failed: {_openssl_text(error)}") from error
        self.ready = True
        return True

    def read(self, limit: int) -> bytes | None:
        """Return up to `limit` bytes of plaintext, b"" at EOF, None if more must be fed.

        EOF is a close_notify or the end of the bytes: Dovecot makes no difference.
        """
        try:
            return self._object.read(limit)
        except ssl.SSLWantReadError:
            return b"" if self._eof else None
        except ssl.SSLError as error:
            raise TlsError(f"SSL_read failed: {_openssl_text(error)}") from error

    def write(self, data: bytes) -> None:
        """Encrypt `data`; it leaves by `outgoing()`."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            raise TlsError(f"SSL_write failed: {_openssl_text(error)}") from error

    def close(self) -> None:
        """Say close_notify, on each layer from the top down."""
        # It fails for want of the peer's close_notify, which nobody waits for.
        with contextlib.suppress(ssl.SSLError):
            self._object.unwrap()
        if self._below is not None:
            self._push(self._below)
            self._below.close()

    def outgoing(self) -> bytes:
        """Return what has to go to the socket now, wrapped by all layers below."""
        if self._below is None:
            return self._outgoing.read() if self._outgoing.pending else b""
        self._push(self._below)
        return self._below.outgoing()

    def _pull(self, below: TlsLayer) -> None:
        while plaintext := below.read(_PULL_BYTES):
            self.feed_here(plaintext)
        if plaintext is not None:
            self.feed_here(b"")

    def _push(self, below: TlsLayer) -> None:
        if self._outgoing.pending:
            # If the layer below is broken, its own `read` is what reports it.
            with contextlib.suppress(TlsError):
                below.write(self._outgoing.read())


def server_context(cert_path: str, key_path: str, alpn: bool) -> ssl.SSLContext:
    """Make the server's context: TLS 1.2 and 1.3, as Dovecot's default `ssl_min_protocol`.

    With `alpn` it answers "doveadm", and refuses a client that offers only other protocols
    with the alert `no application protocol`, as 2.4 does. Raises `ConfigurationError`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_path, key_path)
    except OSError as error:
        raise ConfigurationError(
            f"tls: cannot load certificate {cert_path} with key {key_path}: {error}; "
            "both must be PEM files and belong together"
        ) from error
    if alpn:
        context.set_alpn_protocols([ALPN])
        # OpenSSL's own choice is out of reach, and Python's goes on without a protocol.
        context.sslobject_class = _AlpnObject
        context.sni_callback = _refuse_other_alpn
    return context


def _refuse_other_alpn(
    connection: ssl.SSLObject, _server_name: str, _context: ssl.SSLContext
) -> int | None:
    if not isinstance(connection, _AlpnObject):
        return None
    offered = offered_alpn(connection.hello)
    if offered is None or ALPN.encode() in (protocol.lower() for protocol in offered):
        return None
    return _ALERT_NO_APPLICATION_PROTOCOL


def _openssl_text(error: ssl.SSLError) -> str:
    """Word an error as OpenSSL 3 prints it: `error:0A00010B:SSL routines::...`."""
    reason: str | None = error.reason
    if reason is None:
        return str(error)
    if reason == "CALLBACK_FAILED":
        # The one callback here stands for the choice of the protocol.
        reason = "NO_APPLICATION_PROTOCOL"
    number = _REASON_NUMBERS.get(reason, 0)
    return f"error:0A{number:06X}:SSL routines::{reason.replace('_', ' ').lower()}"
