"""Certificates for tests: a fresh pair for a server, and the eight ready-made kinds.

`make_server_certificate` is what a fake uses when it is given none. `write_certificates`
writes a set for people who need files: one good chain and every way of being wrong that a
client must notice. They are trustme's, which is imported when one is made, not before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import trustme

#: What a server certificate is good for.
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

_ORGANIZATION: Final = "fakedove test certificates"

#: Valid from and until the first day of these years, as all that trustme makes.
_YEARS: Final = (2000, 3000)

_README_HEAD: Final = """\
# Test certificates

**For tests only. The keys are public: never trust `ca.pem` anywhere else.**

Each `NAME.pem` is one certificate and `NAME.key` its private key (EC P-256, PEM, no
password). All but the two dated ones are valid from 2000 to 3000, so no test breaks with
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
    #: Who signs it; None: it signs itself.
    issuer: str | None = "ca"
    years: tuple[int, int] = _YEARS


#: The set, in the order of its README; what signs itself and is for no host is an authority.
KINDS: Final = (
    Kind("ca", "the authority: give it to clients", "ok", (), None),
    Kind("server", "for localhost, 127.0.0.1 and ::1", "ok"),
    Kind(
        "client",
        "for clients that show one; for no host",
        "hostname mismatch",
        ("client@fakedove.example",),
    ),
    Kind(
        "expired",
        "as `server`, but valid until 2001",
        "certificate has expired",
        years=(2000, 2001),
    ),
    Kind(
        "not-yet-valid",
        "as `server`, but valid from 2999",
        "certificate is not yet valid",
        years=(2999, 3000),
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


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Paths of a server's certificate, its key, and the authority that clients trust."""

    ca: Path
    certificate: Path
    key: Path


def make_server_certificate(directory: Path) -> ServerCertificate:
    """Make an authority and a server certificate in `directory`, which must not exist yet.

    The directory is 0700 and the key 0600; the authority's own key is written nowhere.
    """
    directory.mkdir(mode=0o700)
    made = ServerCertificate(
        directory / "ca.pem", directory / "server.pem", directory / "server.key"
    )
    authority = _authority("ca")
    server = _issue(KINDS[1], authority)
    made.ca.write_bytes(authority.cert_pem.bytes())
    made.certificate.write_bytes(server.cert_chain_pems[0].bytes())
    _write_key(made.key, server.private_key_pem.bytes())
    return made


def write_certificates(directory: Path) -> tuple[Path, ...]:
    """Write the eight kinds and a README.md into `directory`; return the paths written."""
    directory.mkdir(parents=True, exist_ok=True)
    authorities = {name: _authority(name) for name in ("ca", "lost-ca")}
    written: list[Path] = []
    for kind in KINDS:
        certificate, key = directory / f"{kind.name}.pem", directory / f"{kind.name}.key"
        certificate_pem, key_pem = _make(kind, authorities)
        certificate.write_bytes(certificate_pem)
        _write_key(key, key_pem)
        written += (certificate, key)
    readme = directory / "README.md"
    readme.write_text(_README_HEAD + "".join(map(_readme_row, KINDS)), encoding="utf-8")
    return (*written, readme)


def _readme_row(kind: Kind) -> str:
    return f"| `{kind.name}` | {kind.description} | {kind.verdict} |\n"


def _make(kind: Kind, authorities: dict[str, trustme.CA]) -> tuple[bytes, bytes]:
    """Return certificate and key of `kind`, as PEM."""
    if authority := authorities.get(kind.name):
        return authority.cert_pem.bytes(), authority.private_key_pem.bytes()
    leaf = _issue(kind, authorities[kind.issuer or "ca"])
    key = leaf.private_key_pem.bytes()
    certificate = leaf.cert_chain_pems[0].bytes()
    return (certificate if kind.issuer else _sign_itself(certificate, key)), key


def _authority(name: str) -> trustme.CA:
    import trustme

    return trustme.CA(organization_name=_ORGANIZATION, organization_unit_name=f"fakedove {name}")


def _issue(kind: Kind, authority: trustme.CA) -> trustme.LeafCert:
    start, end = (datetime(year, 1, 1, tzinfo=UTC) for year in kind.years)
    return authority.issue_cert(
        *kind.names,
        organization_name=_ORGANIZATION,
        organization_unit_name=f"fakedove {kind.name}",
        not_before=start,
        not_after=end,
    )


def _sign_itself(certificate_pem: bytes, key_pem: bytes) -> bytes:
    """Sign a certificate anew with its own key: trustme's leaves all have an authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    issued = x509.load_pem_x509_certificate(certificate_pem)
    key = load_pem_private_key(key_pem, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        subject_name=issued.subject,
        issuer_name=issued.subject,
        public_key=key.public_key(),
        serial_number=issued.serial_number,
        not_valid_before=issued.not_valid_before_utc,
        not_valid_after=issued.not_valid_after_utc,
    )
    for extension in issued.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def _write_key(path: Path, pem: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # A file that was there keeps its mode unless it is told.
        os.fchmod(descriptor, 0o600)
        file.write(pem)
