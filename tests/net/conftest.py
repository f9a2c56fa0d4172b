"""One generated certificate for all tests of the ring, and contexts that go with it."""

import ssl
from pathlib import Path

import pytest

from fakedove.certificates import ServerCertificate, make_server_certificate
from fakedove.net.tls import server_context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return make_server_certificate(tmp_path_factory.mktemp("tls") / "made")


@pytest.fixture(scope="session")
def server_tls(certificate: ServerCertificate) -> ssl.SSLContext:
    return server_context(str(certificate.certificate), str(certificate.key), alpn=False)


@pytest.fixture
def client_tls(certificate: ServerCertificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate.ca)


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "s"
