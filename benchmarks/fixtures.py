"""Rows about the pytest plugin: what its fixture takes, and what it takes when nobody asks."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.measuring import Effort, Job, Row, environment, interleaved, most

_TESTS: Final = 50
#: Runs with the unused plugin for each round of others.
UNUSED_RUNS: Final = 3

_TEST_FILE: Final = """
import socket

import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_plain(number):
    pass


@pytest.mark.parametrize("number", range({tests}))
def test_with_a_fake(number, fake_dovecot):
    fake_dovecot.store.add_user("tss")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(fake_dovecot.path())
        client.sendall(b"VERSION\\tdoveadm-server\\t1\\t0\\n\\ttss\\tquota get\\n")
        received = b""
        while not received.endswith(b"\\n+\\n"):
            received += client.recv(4096)
"""

#: Writes how long each test's setup and teardown took, in the order in which they ran.
_CONFTEST: Final = """
import json
import pathlib

durations = {{}}


def pytest_runtest_logreport(report):
    if report.when != "call":
        durations.setdefault(report.nodeid, []).append(report.duration)


def pytest_sessionfinish():
    pathlib.Path("durations.json").write_text(json.dumps(durations))
"""


def rows(effort: Effort) -> Iterator[Row]:
    """Run tests with and without the fixture, and tests without and with the plugin."""
    with tempfile.TemporaryDirectory(prefix="fd") as name:
        directory = Path(name)
        (directory / "conftest.py").write_text(_CONFTEST.format())
        (directory / "test_it.py").write_text(_TEST_FILE.format(tests=_TESTS))
        (directory / "empty_plugin.py").write_text("")
        found = [_fixture(directory) for _ in range(effort.rounds)]
        each = statistics.median(each for each, _ in found)
        end = statistics.median(end for _, end in found)
        yield most("the fixture, per function", each, "ms", 3)
        yield most("the fixture, at the session's end", end, "ms", 10)
        ours, empty = interleaved(
            [_unused(directory, "fakedove.pytest_plugin"), _unused(directory, "empty_plugin")],
            UNUSED_RUNS * effort.rounds,
            min,
        )
    detail = f" (a run with it {ours:.0f} ms of CPU)"
    yield most("the unused plugin, beside an empty one", ours - empty, "ms", 5, detail)


def _fixture(directory: Path) -> tuple[float, float]:
    """Return the milliseconds of one test's fixture, and of the end of the session."""
    _pytest(directory, "fakedove.pytest_plugin")
    durations: dict[str, list[float]] = json.loads((directory / "durations.json").read_text())
    plain = [sum(phases) for test, phases in durations.items() if "test_plain" in test]
    faked = [sum(phases) for test, phases in durations.items() if "test_with_a_fake" in test]
    usual = statistics.median(faked)
    # The last test of all has the end of the session in its teardown.
    return (usual - statistics.median(plain)) * 1e3, (faked[-1] - usual) * 1e3


def _unused(directory: Path, plugin: str) -> Job:
    """Return a job that tells the CPU milliseconds of a run that does nothing."""

    def job() -> float:
        before = _used_by_children()
        _pytest(directory, plugin, "--collect-only", "--ignore=test_it.py")
        return (_used_by_children() - before) * 1e3

    return job


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pytest(directory: Path, plugin: str, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin, *options],
        cwd=directory,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTHONPATH=str(directory)),
        capture_output=True,
        text=True,
        check=False,
    )
    # 5: no tests were there to run.
    if done.returncode not in (0, 5):
        raise RuntimeError(done.stdout + done.stderr)
