"""The TLS layer, client against server in memory: no sockets."""

import itertools
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.certificates import ServerCertificate
from fakedove.errors import ConfigurationError
from fakedove.net.client_hello import offered_alpn
from fakedove.net.tls import TlsError, TlsLayer, server_context
from tests.net.paired import carry, client_layer, shake

WHOLE = itertools.repeat(1 << 30)


@pytest.fixture
def pair(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> tuple[TlsLayer, TlsLayer]:
    client, server = client_layer(client_tls), TlsLayer(server_tls)
    shake(client, server)
    return client, server


def alpn_context(certificate: ServerCertificate) -> ssl.SSLContext:
    return server_context(str(certificate.certificate), str(certificate.key), alpn=True)


def failure(client: TlsLayer, server: TlsLayer) -> str:
    """Let the client send its hello and return why the server refuses it."""
    client.handshake()
    server.feed(client.outgoing())
    with pytest.raises(TlsError) as refused:
        server.handshake()
    return refused.value.reason


def test_plaintext_comes_through_both_ways(pair: tuple[TlsLayer, TlsLayer]) -> None:
    client, server = pair
    client.write(b"PLAIN\tx\n")
    assert carry(client, server, WHOLE) == b"PLAIN\tx\n"
    server.write(b"+\n" * 50_000)
    assert carry(server, client, WHOLE) == b"+\n" * 50_000


@given(sizes=st.lists(st.integers(1, 700), min_size=1), text=st.binary(max_size=40_000))
def test_cut_anywhere(sizes: list[int], text: bytes, committed_pair: tuple[object, object]) -> None:
    client_tls, server_tls = committed_pair
    assert isinstance(client_tls, ssl.SSLContext)
    assert isinstance(server_tls, ssl.SSLContext)
    client, server, cuts = client_layer(client_tls), TlsLayer(server_tls), itertools.cycle(sizes)
    while not (client.ready and server.ready):
        for side, other in ((client, server), (server, client)):
            if not side.ready:
                side.handshake()
            sent = side.outgoing()
            while sent:
                size = next(cuts)
                other.feed(sent[:size])
                sent = sent[size:]
                if not other.ready:
                    other.handshake()
    client.write(text)
    assert carry(client, server, cuts) == text


@pytest.fixture(scope="session")
def committed_pair(
    certificate: ServerCertificate, server_tls: ssl.SSLContext
) -> tuple[object, object]:
    return ssl.create_default_context(cafile=certificate.ca), server_tls


def test_a_read_takes_no_more_than_asked(pair: tuple[TlsLayer, TlsLayer]) -> None:
    client, server = pair
    client.write(b"abcdef")
    server.feed(client.outgoing())
    assert [server.read(4), server.read(4), server.read(4)] == [b"abcd", b"ef", None]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n", "error:0A00010B:SSL routines::wrong version number"),
        (b"xxxxxxxx\n", "error:0A00010B:SSL routines::wrong version number"),
        (b"GET / HTTP/1.0\r\n\r\n", "error:0A00009C:SSL routines::http request"),
        (b"CONNECT a:1 HTTP/1.0\r\n", "error:0A00009B:SSL routines::https proxy request"),
    ],
)
def test_plaintext_instead_of_a_hello(server_tls: ssl.SSLContext, sent: bytes, reason: str) -> None:
    server = TlsLayer(server_tls)
    server.feed_here(sent)
    with pytest.raises(TlsError) as failed:
        server.handshake()
    assert failed.value.reason == f"SSL_accept() failed: {reason}"
    # Not an alert: to a client that speaks no TLS it would mean nothing.
    assert server.outgoing() == b""


def test_old_protocol(certificate: ServerCertificate, client_tls: ssl.SSLContext) -> None:
    server_tls = server_context(str(certificate.certificate), str(certificate.key), alpn=False)
    server_tls.minimum_version = ssl.TLSVersion.TLSv1_3
    client_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    server = TlsLayer(server_tls)
    assert failure(client_layer(client_tls), server) == (
        "SSL_accept() failed: error:0A000102:SSL routines::unsupported protocol"
    )
    assert server.outgoing().endswith(b"\x02\x46")  # fatal alert 70, protocol version


def test_no_cipher_in_common(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    client_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    client_tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    server = TlsLayer(server_tls)
    assert failure(client_layer(client_tls), server) == (
        "SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher"
    )
    assert server.outgoing().endswith(b"\x02\x28")  # fatal alert 40, handshake failure


def test_a_client_that_does_not_trust_the_certificate(server_tls: ssl.SSLContext) -> None:
    client, server = client_layer(ssl.create_default_context()), TlsLayer(server_tls)
    with pytest.raises(TlsError, match="certificate verify failed"):
        shake(client, server)
    with pytest.raises(TlsError) as failed:
        server.handshake()
    assert failed.value.reason == (
        "SSL_accept() failed: error:0A000418:SSL routines::tlsv1 alert unknown ca"
    )


def test_eof_in_the_handshake(server_tls: ssl.SSLContext) -> None:
    server = TlsLayer(server_tls)
    server.feed(b"\x16\x03\x01")
    assert not server.handshake()
    server.feed(b"")
    with pytest.raises(TlsError) as failed:
        server.handshake()
    assert failed.value.reason == "Connection closed"


def test_close_notify_is_eof(pair: tuple[TlsLayer, TlsLayer]) -> None:
    client, server = pair
    server.write(b"-\n")
    server.close()
    client.feed(server.outgoing())
    assert [client.read(100), client.read(100)] == [b"-\n", b""]


def test_eof_without_close_notify_is_eof(pair: tuple[TlsLayer, TlsLayer]) -> None:
    client, server = pair
    client.write(b"VERSION")
    server.feed(client.outgoing())
    server.feed(b"")
    assert [server.read(100), server.read(100)] == [b"VERSION", b""]


def test_plaintext_in_a_running_connection_breaks_it_with_an_alert(
    pair: tuple[TlsLayer, TlsLayer],
) -> None:
    client, server = pair
    server.feed(b"\ttss\tmailbox list\n")
    with pytest.raises(TlsError, match="SSL_read failed: error:0A"):
        server.read(100)
    client.feed(server.outgoing())
    with pytest.raises(TlsError, match="alert"):
        client.read(100)


def test_tls_inside_tls(
    pair: tuple[TlsLayer, TlsLayer], server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    client, server = client_layer(client_tls, below=pair[0]), TlsLayer(server_tls, below=pair[1])
    shake(client, server)
    client.write(b"twice")
    assert carry(client, server, itertools.repeat(7)) == b"twice"
    server.close()
    client.feed(server.outgoing())
    assert (client.read(100), pair[0].read(100)) == (b"", b"")


def test_the_alert_of_an_inner_handshake_leaves_through_the_outer(
    pair: tuple[TlsLayer, TlsLayer], server_tls: ssl.SSLContext
) -> None:
    outer_client, outer_server = pair
    inner = TlsLayer(server_tls, below=outer_server)
    # A handshake record of TLS 1.2 that holds a Finished instead of a ClientHello.
    outer_client.write(b"\x16\x03\x03\x00\x04\x14\x00\x00\x00")
    inner.feed(outer_client.outgoing())
    with pytest.raises(TlsError) as failed:
        inner.handshake()
    assert failed.value.reason == (
        "SSL_accept() failed: error:0A0000F4:SSL routines::unexpected message"
    )
    assert carry(inner, outer_client, WHOLE) == b"\x15\x03\x03\x00\x02\x02\x0a"


@pytest.mark.parametrize("offered", [["doveadm"], ["http/1.1", "doveadm"]])
def test_alpn_is_answered(
    certificate: ServerCertificate, client_tls: ssl.SSLContext, offered: list[str]
) -> None:
    client_tls.set_alpn_protocols(offered)
    client, server = client_layer(client_tls), TlsLayer(alpn_context(certificate))
    shake(client, server)
    assert client.alpn == server.alpn == "doveadm"


def test_alpn_in_capitals_is_not_refused(
    certificate: ServerCertificate, client_tls: ssl.SSLContext
) -> None:
    client_tls.set_alpn_protocols(["DOVEADM"])
    client = client_layer(client_tls)
    shake(client, TlsLayer(alpn_context(certificate)))
    assert client.ready


def test_a_client_without_alpn_is_welcome(
    certificate: ServerCertificate, client_tls: ssl.SSLContext
) -> None:
    client, server = client_layer(client_tls), TlsLayer(alpn_context(certificate))
    shake(client, server)
    assert client.alpn is None


def test_another_alpn_is_refused(
    certificate: ServerCertificate, client_tls: ssl.SSLContext
) -> None:
    client_tls.set_alpn_protocols(["http/1.1", "imap"])
    server = TlsLayer(alpn_context(certificate))
    assert failure(client_layer(client_tls), server) == (
        "SSL_accept() failed: error:0A0000EB:SSL routines::no application protocol"
    )
    assert server.outgoing().endswith(b"\x02\x78")  # fatal alert 120


def test_another_alpn_does_not_matter_to_releases_without_it(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    client_tls.set_alpn_protocols(["http/1.1"])
    client = client_layer(client_tls)
    shake(client, TlsLayer(server_tls))
    assert client.alpn is None


def test_alpn_names_are_read_from_the_hello(client_tls: ssl.SSLContext) -> None:
    client_tls.set_alpn_protocols(["doveadm", "http/1.1"])
    client = client_layer(client_tls)
    client.handshake()
    hello = client.outgoing()
    assert offered_alpn(hello) == (b"doveadm", b"http/1.1")
    # The same message in records of 50 bytes.
    body = hello[5:]
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    cut = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)
    assert offered_alpn(cut) == (b"doveadm", b"http/1.1")
    assert offered_alpn(body) is None


@given(st.binary(max_size=300))
def test_garbage_offers_something_or_nothing(data: bytes) -> None:
    offered = offered_alpn(b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03" + data)
    assert offered is None or all(isinstance(name, bytes) for name in offered)


def test_certificate_that_is_none(tmp_path: Path, certificate: ServerCertificate) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    for path in (str(wrong), str(tmp_path / "missing.pem")):
        with pytest.raises(ConfigurationError, match=f"cannot load certificate {path}"):
            server_context(path, str(certificate.key), alpn=False)
