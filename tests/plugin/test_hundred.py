"""A hundred tests of one session: four processes, random order, and nothing shared."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.plugin.conftest import Run

_TESTS = """
import socket

import pytest

_KEPT = []

@pytest.mark.parametrize("number", range({shared}))
def test_shared(fake_dovecot, number):
    # A client of an earlier test that never hung up, and goes on talking.
    for client in _KEPT:
        try:
            client.sendall(b"\\t\\tkick\\n")
        except OSError:
            pass
    user = f"user{{number}}"
    assert user not in fake_dovecot.store.users
    fake_dovecot.store.add_user(user)
    fake_dovecot.on("quota get", user=user).fail("NOPERM")
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(fake_dovecot.path())
    client.sendall(b"VERSION\\tdoveadm-server\\t1\\t0\\n\\t%b\\tquota get\\n" % user.encode())
    heard = b""
    while not heard.endswith(b"-NOPERM\\n"):
        heard += client.recv(4096)
    _KEPT.append(client)
    asked = [(one.command, one.user) for one in fake_dovecot.journal]
    assert asked == [("quota get", user)]

@pytest.mark.parametrize("number", range({own}))
def test_own(make_fake_dovecot, number):
    fake = make_fake_dovecot()
    assert ask(fake).endswith(b"+\\n")
    assert len(fake.journal) == 1

@pytest.fixture(scope="session", autouse=True)
def clean_end():
    yield
    for client in _KEPT:
        client.close()
"""


def test_a_hundred_tests(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # UNIX sockets want short paths.
    with tempfile.TemporaryDirectory(prefix="fd-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        result = run(_TESTS.format(shared=80, own=20), "-n", "4", "-p", "randomly")
        # Directories and sockets went with their fakes.
        left = [path.name for path in Path(folder).iterdir() if "fakedove" in path.name]
    result.assert_outcomes(passed=100)
    assert not re.search("Warning|Error", result.stdout.str())
    assert left == []
