"""Play one conversation against a running real server, on a pristine store.

play_once(real, conversation) -> Played       # what was heard, what was logged
"""

from __future__ import annotations

import contextlib
import imaplib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.real.dovecot import RealDovecot
from tests.real.variants import USUAL, variant_of
from tests.replay import sockets
from tests.replay.compare import Heard
from tests.replay.transcripts import Conversation

#: Seconds that log lines may take to come after the conversation.
_LOG_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Played:
    """What a server said, turn by turn, and the lines it logged."""

    heard: list[Heard]
    log: list[str]


def play_once(real: RealDovecot, conversation: Conversation) -> Played:
    """Restore the store, set up what was given, and play."""
    real.restore()
    with given(real, conversation):
        real.log()
        address = real.addresses[conversation.listener]
        heard = sockets.play(conversation, address, real.values)
        log = _log(real, len(conversation.log))
    return Played(heard, log)


def _log(real: RealDovecot, expected: int) -> list[str]:
    """Collect log lines until as many as expected came; they take a while."""
    lines = real.log()
    deadline = time.monotonic() + _LOG_PATIENCE
    while len(lines) < expected and time.monotonic() < deadline:
        time.sleep(0.01)
        lines += real.log()
    return lines


@contextlib.contextmanager
def given(real: RealDovecot, conversation: Conversation) -> Iterator[None]:
    """Set up what a recording says was given first, and clear it away."""
    with contextlib.ExitStack() as stack:
        for one in conversation.given:
            kind, _, value = one.partition(":")
            match kind:
                case "imap":
                    stack.callback(_logout, _login(real, value))
                case "file":
                    name, _, content = value.partition("=")
                    path = real.folder / name
                    path.write_text(content, encoding="utf-8")
                    stack.callback(path.unlink, missing_ok=True)
                case "host-sh":
                    subprocess.run(["sh", "-c", value], cwd=real.folder, check=True)
                case "sleep":
                    # After a reload or a kick the recorder gave the master this long.
                    time.sleep(float(value))
                case _ if variant_of(conversation) is USUAL:
                    raise ValueError(f"{conversation.id}: cannot set up {one!r}")
        yield


def _login(real: RealDovecot, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4(*real.imap, timeout=10)
    client.login(user, "pass")
    client.select("INBOX")
    return client


def _logout(client: imaplib.IMAP4) -> None:
    """Leave, unless the conversation has had the client kicked out."""
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        client.logout()
