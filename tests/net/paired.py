"""Two TLS layers in memory, client and server, and the bytes carried between them."""

import ssl
from collections.abc import Iterator

from fakedove.net.tls import TlsLayer


def client_layer(
    context: ssl.SSLContext, host: str = "localhost", below: TlsLayer | None = None
) -> TlsLayer:
    return TlsLayer(context, server_side=False, server_hostname=host, below=below)


def shake(client: TlsLayer, server: TlsLayer) -> None:
    """Carry bytes to and fro until both are ready; raises what either side raises.

    A side that fails has its alert delivered first, as the pump does it.
    """
    while not (client.ready and server.ready):
        for side, other in ((client, server), (server, client)):
            try:
                if not side.ready:
                    side.handshake()
            finally:
                if sent := side.outgoing():
                    other.feed(sent)


def carry(source: TlsLayer, target: TlsLayer, cuts: Iterator[int]) -> bytes:
    """Deliver what `source` has to say in pieces of these sizes; return the plaintext."""
    sent, plaintext = source.outgoing(), b""
    while sent:
        size = next(cuts)
        target.feed(sent[:size])
        sent = sent[size:]
        while data := target.read(65536):
            plaintext += data
    return plaintext
