"""The same fixtures in tests of every event loop."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Run

BODY = """
async def test_async(fake_dovecot, make_fake_dovecot):
    fake_dovecot.on("quota get").reply(
        [{"root": "", "type": "STORAGE", "value": 1, "limit": None, "percent": 0}]
    )
    fake_dovecot.store.users["ann"].mailbox("INBOX").deliver(b"Subject: x\\r\\n\\r\\n")
    assert (await THREAD(ask, fake_dovecot)).endswith(b"+\\n")
    fake_dovecot.assert_called("quota get", user="ann", times=1)
    own = await THREAD(make_fake_dovecot)
    assert (await THREAD(ask, own)).endswith(b"+\\n")

def test_plain(fake_dovecot):
    fake_dovecot.reset()
    assert ask(fake_dovecot).endswith(b"+\\n")

async def test_stub(fake_dovecot):
    fake_dovecot.on("quota get")

async def test_crash(fake_dovecot):
    fake_dovecot.store.sessions.append(object())
    await THREAD(ask, fake_dovecot, b"\\t\\twho")
"""

ASYNCIO = "import asyncio\nTHREAD = asyncio.to_thread\n"
TRIO = "import trio\nTHREAD = trio.to_thread.run_sync\n"
ANYIO = """
import anyio, pytest
THREAD = anyio.to_thread.run_sync
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "{}"
"""


@pytest.mark.parametrize(
    ("head", "options"),
    [
        (ASYNCIO, ["-o", "asyncio_mode=auto", "-p", "no:anyio"]),
        (TRIO, ["-o", "trio_mode=true"]),
        (ANYIO.format("asyncio"), ["-p", "no:asyncio"]),
        (ANYIO.format("trio"), ["-p", "no:asyncio"]),
    ],
    ids=["pytest-asyncio", "pytest-trio", "anyio-asyncio", "anyio-trio"],
)
def test_in_an_event_loop(run: Run, head: str, options: list[str]) -> None:
    result = run(head + BODY, *options)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines_random(["*on(*was never told*", "*AttributeError*"])
