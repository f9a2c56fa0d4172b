"""The contract suite passes against every release of fakedove, and fails against broken servers."""

from __future__ import annotations

import io
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakedove.certificates import make_server_certificate
from fakedove.client import TlsMode
from fakedove.contract import run
from fakedove.contract.registry import CHECKS
from fakedove.contract.runner import ContractError
from fakedove.dovecot.releases import ROWS
from fakedove.sync import FakeDovecot
from tests.contract.broken import BROKEN
from tests.contract.tiny import Tiny, TinyTls, serving

_LISTENERS = [
    {"name": "unix", "path": "s", "mode": "0600"},
    {"name": "open", "path": "o", "mode": "0666"},
    {"name": "tcp", "address": "127.0.0.1:0"},
    {"name": "tls", "address": "127.0.0.1:0", "ssl": "yes"},
]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    made = make_server_certificate(tmp_path_factory.mktemp("tls") / "made")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context


def report(address: str, *, only: tuple[str, ...] = (), patience: float = 5.0) -> tuple[int, str]:
    out = io.StringIO()
    status = run(address, password="secret", user="tss", out=out, only=only, patience=patience)
    return status, out.getvalue()


# Every release


@pytest.fixture(scope="module", params=[row.last for row in ROWS])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeDovecot]:
    with FakeDovecot(
        dovecot=request.param, doveadm_password="secret", listener=_LISTENERS
    ) as running:
        yield running


def passes(fake: FakeDovecot, address: str, tls: TlsMode = "no") -> str:
    out = io.StringIO()
    ca = fake.ca_path if tls != "no" else None
    status = run(address, password="secret", tls=tls, ca=ca, user="ann", out=out)
    assert status == 0, out.getvalue()
    return out.getvalue()


def test_unix_preauthenticated(fake: FakeDovecot) -> None:
    assert "pre-authenticated, user ann" in passes(fake, f"unix:{fake.path('unix')}")


def test_tcp(fake: FakeDovecot) -> None:
    assert "with a password" in passes(fake, "tcp:{}:{}".format(*fake.address("tcp")))


def test_tls_from_the_first_byte(fake: FakeDovecot) -> None:
    address = "tcp:{}:{}".format(*fake.address("tls"))
    if fake.release.ssl:
        assert "ok      1.0 tls: plaintext on a TLS listener" in passes(fake, address, "yes")


@pytest.mark.parametrize("protocol", ["1.2", "1.3", "1.4"])
def test_starttls_on_a_unix_socket(protocol: str) -> None:
    with FakeDovecot(protocol=protocol, doveadm_password="secret", listener=_LISTENERS) as fake:
        said = passes(fake, f"unix:{fake.path('open')}", "starttls")
    assert "with a password" in said


# What the suite is worth


@pytest.mark.parametrize("kind", [Tiny, TinyTls])
def test_another_server_passes_too(kind: type[Tiny], tls: ssl.SSLContext) -> None:
    with serving(kind, tls) as address:
        status, said = report(address)
    assert status == 0, said


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_server_fails(kind: type[Tiny], tls: ssl.SSLContext) -> None:
    name: str = kind.__dict__["fails"]
    assert name in {check.name for check in CHECKS} | {"the server speaks the protocol at all"}
    known = name in {check.name for check in CHECKS}
    with serving(kind, tls) as address:
        status, said = report(address, only=(name,) if known else (), patience=1.0)
    assert status == 1
    assert f"FAILED  {name}\n        " in said


def test_checks_have_names_of_their_own() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))


# The report


def test_a_failure_shows_the_conversation_without_the_password(tls: ssl.SSLContext) -> None:
    broken = next(kind for kind in BROKEN if kind.__name__ == "NamesUnknownCommand")
    with serving(broken, tls) as address:
        _, said = report(address, only=("an unknown command is answered",))
    assert said.split("\n", 1)[1] == (
        "FAILED  1.0 reply: an unknown command is answered \\n-\\n\n"
        "        expected \\n-\\n, got \\n-USAGE\\n\n"
        "        C: VERSION\\tdoveadm-server\\t1\\t0\\n\n"
        "        S: -\\n\n"
        "        C: PLAIN\\t(base64 with the password)\\n\n"
        "        S: +\\n\n"
        "        C: \\tfakedove-contract-nobody\\tfakedove-contract-no-command\\n\n"
        "        C: (end)\n"
        "        S: \\n-USAGE\\n\n"
        "        S: (end)\n"
        "0 ok, 1 FAILED, 0 skip\n"
    )


def test_a_skipped_check_says_why(tls: ssl.SSLContext) -> None:
    with serving(Tiny, tls) as address:
        _, said = report(address, only=("1.2 tls: VERSION",))
    assert "skip    1.2 tls: VERSION is not repeated after STARTTLS: the server has minor 1" in said
    assert said.endswith("0 ok, 0 FAILED, 1 skip\n")


def test_without_a_password_what_needs_none_is_checked(tls: ssl.SSLContext) -> None:
    out = io.StringIO()
    with serving(Tiny, tls) as address:
        status = run(address, password=None, out=out)
    assert status == 0, out.getvalue()
    assert "ok      1.0 authentication: a wrong password" in out.getvalue()
    assert "the right password is answered +: no password was given" in out.getvalue()


def test_the_server_is_asked_for_a_user() -> None:
    out = io.StringIO()
    with FakeDovecot() as fake:
        status = run(f"unix:{fake.path()}", password=None, out=out, only=("1.1 framing",))
    assert status == 0, out.getvalue()
    assert "pre-authenticated, user ann\n" in out.getvalue()


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot connect: No such file or directory"):
        report(f"unix:{tmp_path}/none")


def test_no_such_check() -> None:
    with pytest.raises(ContractError, match='no check has "xyz" in its name'):
        report("unix:/nowhere", only=("xyz",))
