"""Certificates for tests: a fresh pair for a server, and the eight ready-made kinds.

`make_server_certificate` is what a fake uses when it is given none. `write_certificates`
writes a set for people who need files: one good chain and every way of being wrong that a
client must notice. `cryptography` is imported when a certificate is made, not before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

#: What a server certificate is good for.
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

_START: Final = 2000
_END: Final = 2100

_README_HEAD: Final = """\
# Test certificates

**For tests only. The keys are public: never trust `ca.pem` anywhere else.**

Each `NAME.pem` is one certificate and `NAME.key` its private key (EC P-256, PEM, no
password). All but the two dated ones are valid from 2000 to 2100, so no test breaks with
time. `fakedove certs DIR` writes such a set with keys of your own.

| name | what it is | what a client that trusts `ca.pem` says |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One certificate of the ready-made set; `verdict` is what OpenSSL says of it."""

    name: str
    description: str
    verdict: str
    names: tuple[str, ...] = LOCAL_NAMES
    issuer: str | None = "ca"
    usage: str = "server"
    years: tuple[int, int] = (_START, _END)


#: The set in the order in which it is made: an issuer comes before what it signs.
KINDS: Final = (
    Kind("ca", "the authority: give it to clients", "ok", (), None, "ca"),
    Kind("server", "for localhost, 127.0.0.1 and ::1", "ok"),
    Kind("client", "for clients that show one", "ok", (), usage="client"),
    Kind(
        "expired",
        "as `server`, but valid until 2001",
        "certificate has expired",
        years=(2000, 2001),
    ),
    Kind(
        "not-yet-valid",
        "as `server`, but valid from 2099",
        "certificate is not yet valid",
        years=(2099, 2100),
    ),
    Kind(
        "wrong-host",
        "for wrong-host.example only",
        "hostname mismatch",
        ("wrong-host.example",),
    ),
    Kind("self-signed", "signed by itself", "self-signed certificate", issuer=None),
    Kind(
        "unknown-ca",
        "signed by an authority that nobody has",
        "unable to get local issuer certificate",
        issuer="lost-ca",
    ),
)

_LOST_CA: Final = Kind("lost-ca", "signs unknown-ca and is never written", "", (), None, "ca")


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Paths of a server's certificate, its key, and the authority that clients trust."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def make_server_certificate(directory: Path) -> ServerCertificate:
    """Make an authority and a server certificate in `directory`, which must not exist yet.

    The directory is 0700 and the key 0600; the authority's own key is written nowhere.
    """
    directory.mkdir(mode=0o700)
    made = ServerCertificate(
        directory / "ca.pem", directory / "server.pem", directory / "server.key"
    )
    authority = _issue(KINDS[0], None)
    server = _issue(KINDS[1], authority)
    made.ca.write_bytes(_certificate_pem(authority))
    made.certificate.write_bytes(_certificate_pem(server))
    _write_key(made.key, server)
    return made


def write_certificates(directory: Path) -> tuple[Path, ...]:
    """Write the eight kinds and a README.md into `directory`; return the paths written."""
    directory.mkdir(parents=True, exist_ok=True)
    issued = {_LOST_CA.name: _issue(_LOST_CA, None)}
    written: list[Path] = []
    for kind in KINDS:
        issuer = issued[kind.issuer] if kind.issuer is not None else None
        pair = issued[kind.name] = _issue(kind, issuer)
        certificate, key = directory / f"{kind.name}.pem", directory / f"{kind.name}.key"
        certificate.write_bytes(_certificate_pem(pair))
        _write_key(key, pair)
        written += (certificate, key)
    readme = directory / "README.md"
    readme.write_text(_README_HEAD + "".join(map(_readme_row, KINDS)), encoding="utf-8")
    return (*written, readme)


def _readme_row(kind: Kind) -> str:
    return f"| `{kind.name}` | {kind.description} | {kind.verdict} |\n"


def _issue(kind: Kind, issuer: _Pair | None) -> _Pair:
    """Make a key and its certificate, signed by `issuer` or by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(kind)
    signing_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(kind.years[0], 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(kind.years[1], 1, 1, tzinfo=UTC))
    )
    for extension, critical in (
        *_role(kind),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    return _Pair(builder.sign(signing_key, SHA256()), key)


def _subject(kind: Kind) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "fakedove test certificates"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"fakedove {kind.name}"),
        ]
    )


def _role(kind: Kind) -> list[tuple[x509.ExtensionType, bool]]:
    """Say what the certificate may be used for, strictly enough for Python 3.13's checks."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    is_ca = kind.usage == "ca"
    role: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_ca, path_length=None), True),
        (_key_usage(is_ca), True),
    ]
    if not is_ca:
        server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
        purpose = client if kind.usage == "client" else server
        role.append((x509.ExtendedKeyUsage([purpose]), False))
    if kind.names:
        role.append((x509.SubjectAlternativeName([_name(name) for name in kind.names]), False))
    return role


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _certificate_pem(pair: _Pair) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return pair.certificate.public_bytes(Encoding.PEM)


def _write_key(path: Path, pair: _Pair) -> None:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # A file that was there keeps its mode unless it is told.
        os.fchmod(descriptor, 0o600)
        file.write(pem)
