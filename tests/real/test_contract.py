"""The contract suite, run against the real servers: they are right by definition."""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from fakedove.client import TlsMode
from fakedove.contract import run
from tests.real import install
from tests.real.dovecot import RealDovecot

pytestmark = pytest.mark.real

#: By release: why it cannot run here, or status and report by listener.
Results: TypeAlias = Mapping[str, str | dict[str, tuple[int, str]]]

#: Listeners of the recordings, and when TLS begins there.
_LISTENERS: dict[str, TlsMode] = {"unix": "no", "unix-auth": "starttls", "tcp": "no", "ssl": "yes"}


def run_all(release: str) -> str | dict[str, tuple[int, str]]:
    if reason := install.missing(release):
        return reason
    with RealDovecot(release) as real:
        return {name: check(real, name, tls) for name, tls in _LISTENERS.items()}


def check(real: RealDovecot, listener: str, tls: TlsMode) -> tuple[int, str]:
    where = real.addresses[listener]
    address = f"unix:{where}" if isinstance(where, str) else "tcp:{}:{}".format(*where)
    out = io.StringIO()
    status = run(address, password="secret", tls=tls, out=out, patience=20.0)
    return status, out.getvalue()


@pytest.fixture(scope="module")
def results() -> Results:
    """Run both releases at once."""
    with ThreadPoolExecutor(len(install.RELEASES)) as pool:
        return dict(zip(install.RELEASES, pool.map(run_all, install.RELEASES), strict=True))


@pytest.mark.parametrize("listener", _LISTENERS)
@pytest.mark.parametrize("release", install.RELEASES)
def test_real_server_passes(release: str, listener: str, results: Results) -> None:
    found = results[release]
    if isinstance(found, str):
        pytest.skip(found)
    status, report = found[listener]
    assert status == 0, report
    # It found a user by itself, so nothing was skipped for want of one.
    assert "no user is known" not in report
