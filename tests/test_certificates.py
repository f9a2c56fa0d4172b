"""Every certificate is what its name says, by OpenSSL's verdict in a handshake."""

import ssl
import stat
from pathlib import Path

import pytest

from fakedove.certificates import (
    KINDS,
    LOCAL_NAMES,
    Kind,
    make_server_certificate,
    write_certificates,
)
from fakedove.net.tls import TlsError, TlsLayer, server_context
from tests.net.paired import client_layer, shake

COMMITTED = Path(__file__).parents[1] / "certs"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    write_certificates(directory)
    return directory


@pytest.fixture(params=["fresh", "committed"])
def directory(request: pytest.FixtureRequest, fresh: Path) -> Path:
    return fresh if request.param == "fresh" else COMMITTED


def verdict(directory: Path, name: str, host: str = "localhost") -> str:
    """Return what a client that trusts ca.pem says of a server with this certificate."""
    server = server_context(
        str(directory / f"{name}.pem"), str(directory / f"{name}.key"), alpn=False
    )
    client = ssl.create_default_context(cafile=directory / "ca.pem")
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    try:
        shake(client_layer(client, host), TlsLayer(server))
    except TlsError as error:
        cause = error.__cause__
        assert isinstance(cause, ssl.SSLCertVerificationError)
        # A wrong name is worded by Python with the name in it: number 62 is OpenSSL's.
        return "hostname mismatch" if cause.verify_code == 62 else cause.verify_message
    return "ok"


LEAVES = [kind for kind in KINDS if kind.name != "ca"]


@pytest.mark.parametrize("kind", LEAVES, ids=[kind.name for kind in LEAVES])
def test_a_certificate_is_what_its_name_says(directory: Path, kind: Kind) -> None:
    assert verdict(directory, kind.name) == kind.verdict


@pytest.mark.parametrize("host", LOCAL_NAMES)
def test_the_server_certificate_is_for_all_local_names(directory: Path, host: str) -> None:
    assert verdict(directory, "server", host) == "ok"


def test_the_wrong_host_is_right_for_its_own_name(directory: Path) -> None:
    assert verdict(directory, "wrong-host", "wrong-host.example") == "ok"


def test_the_client_certificate_is_one_for_clients(directory: Path) -> None:
    server_tls = server_context(
        str(directory / "server.pem"), str(directory / "server.key"), alpn=False
    )
    server_tls.verify_mode = ssl.CERT_REQUIRED
    server_tls.load_verify_locations(directory / "ca.pem")
    client_tls = ssl.create_default_context(cafile=directory / "ca.pem")
    client_tls.load_cert_chain(directory / "client.pem", directory / "client.key")
    shake(client_layer(client_tls), TlsLayer(server_tls))


def test_the_set_is_complete(directory: Path) -> None:
    names = {f"{kind.name}.{end}" for kind in KINDS for end in ("pem", "key")} | {"README.md"}
    assert {path.name for path in directory.iterdir()} == names
    readme = (directory / "README.md").read_text(encoding="utf-8")
    assert "For tests only. The keys are public" in readme
    assert all(f"| `{kind.name}` |" in readme for kind in KINDS)


def test_what_is_written_is_what_is_returned(tmp_path: Path) -> None:
    assert set(write_certificates(tmp_path / "a" / "b")) == set((tmp_path / "a" / "b").iterdir())


def test_a_server_certificate_of_its_own(tmp_path: Path) -> None:
    made = make_server_certificate(tmp_path / "tls")
    assert {path.name for path in (tmp_path / "tls").iterdir()} == {
        *("ca.pem", "server.pem", "server.key")
    }
    assert made.ca == tmp_path / "tls" / "ca.pem"
    for host in LOCAL_NAMES:
        assert verdict(tmp_path / "tls", "server", host) == "ok"


def test_keys_are_private_files(fresh: Path, tmp_path: Path) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    key = make_server_certificate(tmp_path / "tls").key
    assert {mode(path) for path in [*fresh.glob("*.key"), key]} == {0o600}
    assert mode(key.parent) == 0o700


def test_a_key_written_over_a_readable_file_is_private(tmp_path: Path) -> None:
    loose = tmp_path / "ca.key"
    loose.touch()
    loose.chmod(0o644)
    write_certificates(tmp_path)
    assert stat.S_IMODE(loose.stat().st_mode) == 0o600
