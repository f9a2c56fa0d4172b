"""Runs the plugin in a pytest of its own, as users have it, installed or not."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).parents[2]

#: What every test file here begins with.
TALK = """
import socket

def ask(fake, line=b"\\tann\\tquota get"):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(fake.path())
        sock.sendall(b"VERSION\\tdoveadm-server\\t1\\t0\\n" + line + b"\\n")
        data = b""
        while data.count(b"\\n") < 3 and (more := sock.recv(4096)):
            data += more
    return data.partition(b"\\n")[2]
"""


class Run(Protocol):
    """Runs a test file."""

    def __call__(self, tests: str, *options: str) -> pytest.RunResult:
        """Run `tests` in a pytest of its own, with every warning an error."""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that runs a test file, preceded by `TALK`."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path.rstrip(os.pathsep))
    for name in [name for name in os.environ if name.startswith(("FAKEDOVE_", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    for name in ("CI", "BUILD_NUMBER"):  # with one of these pytest prints its summary uncut
        monkeypatch.delenv(name, raising=False)
    installed = entry_points(group="pytest11", name="fakedove")
    plugin = () if installed else ("-p", "fakedove.pytest_plugin")

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(TALK + tests)
        command = (sys.executable, "-W", "error", "-m", "pytest")
        # Without this setting pytest-asyncio warns, and without pytest-asyncio the setting does.
        scope = ("-o", "asyncio_default_fixture_loop_scope=function")
        asyncio = () if "no:asyncio" in options else scope
        order = () if "randomly" in options else ("-p", "no:randomly")
        return pytester.run(
            *command, *plugin, "-W", "error", *asyncio, *order, *options, timeout=60
        )

    return run
