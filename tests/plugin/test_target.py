"""The same tests on a real server: what can run runs, and all else says why not."""

from __future__ import annotations

import pytest

from fakedove import FakeDovecot
from tests.plugin.conftest import Run

TESTS = """
import pytest

def test_address(fake_dovecot):
    assert ask(fake_dovecot).endswith(b"+\\n")
    assert fake_dovecot.password == "known"

def test_tcp(fake_dovecot):
    assert fake_dovecot.address() == (fake_dovecot.host, fake_dovecot.port)

def test_stub(fake_dovecot):
    fake_dovecot.on("quota get").fail("TEMPFAIL")

def test_store(fake_dovecot):
    fake_dovecot.store.add_user("x")

def test_own(make_fake_dovecot):
    make_fake_dovecot()

@pytest.mark.fakedove(doveadm_password="x")
def test_configured(fake_dovecot):
    pass

@pytest.mark.fakedove(dovecot=["2.3.19.1", "2.4.1"])
def test_release(fake_dovecot):
    ask(fake_dovecot)
"""


def test_a_unix_socket(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKEDOVE_PASSWORD", "known")
    with FakeDovecot() as real:
        result = run(TESTS, "-rs", "--fakedove-target", f"unix:{real.path()}")
        assert len(real.journal) == 1
    result.assert_outcomes(passed=1, skipped=7)
    has_not = "which the real server of --fakedove-target has not"
    result.stdout.fnmatch_lines_random(
        [
            f'SKIPPED*: uses listener "tcp", {has_not}',
            f"SKIPPED*: uses fake_dovecot.on, {has_not}",
            f"SKIPPED*: uses fake_dovecot.store, {has_not}",
            "SKIPPED*: needs a server of its own, which --fakedove-target is not",
            "SKIPPED*: needs a configuration of its own (doveadm_password), *",
            "SKIPPED*: needs Dovecot 2.4.1, and the one of --fakedove-target is not named by *",
        ]
    )


def test_both_transports_and_a_named_release(run: Run) -> None:
    with FakeDovecot() as real:
        options = [
            *("--fakedove-target", f"unix:{real.path()}"),
            *("--fakedove-target", f"tcp:{real.host}:{real.port}"),
            *("--fakedove-password", "known", "--fakedove-dovecot", "2.4.1"),
        ]
        run(TESTS, *options).assert_outcomes(passed=3, skipped=5)
        assert len(real.journal) == 2


@pytest.mark.parametrize("address", ["unix:", "tcp:24245", "/run/dovecot/doveadm-server"])
def test_a_wrong_address_is_a_usage_error(run: Run, address: str) -> None:
    result = run(TESTS, "--fakedove-target", address)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--fakedove-target {address}: must be unix:PATH, *"])
