"""What the tests of the command line share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Served, serving

CONFIG = """
[[listener]]
name = "unix"
path = "doveadm-server"

[[listener]]
name = "tcp"
address = "127.0.0.1:0"

[[listener]]
name = "tls"
address = "127.0.0.1:0"
ssl = "yes"
"""

#: One user for each way in which a command can end.
ENDINGS = {
    "TEMPFAIL": 75,
    "NOPERM": 77,
    "PROTOCOL": 76,
    "USAGE": 64,
    "DATAERR": 65,
    "NOTFOUND": 68,
    "UNKNOWN": 75,
    "CHANGED": 75,
}


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Give a directory for UNIX sockets: pytest's own are too deep for them."""
    with tempfile.TemporaryDirectory(prefix="fd-") as directory:
        yield Path(directory)


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """One fake for all tests that only ask it."""
    stubs = "".join(
        f'\n[[stub]]\ncommand = "quota get"\nuser = "{name.lower()}"\nfail = "{name}"\n'
        for name in ENDINGS
    )
    raw = '\n[[stub]]\ncommand = "who"\nraw = "a\\tb\\u0001tc\\t\\n+\\n"\n'
    with tempfile.TemporaryDirectory(prefix="fd-") as directory:
        config = Path(directory) / "fakedove.toml"
        config.write_text(CONFIG + stubs + raw)
        with serving(config) as served:
            yield served
