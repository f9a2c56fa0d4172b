"""Which recordings are not expected to be equal, and why (`exceptions.toml`)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.replay.transcripts import Conversation

_FILE = Path(__file__).with_name("exceptions.toml")


@dataclass(frozen=True, slots=True)
class Excuse:
    """Conversations that differ for one reason."""

    releases: tuple[str, ...]
    ids: tuple[str, ...]
    reason: str

    def covers(self, conversation: Conversation, release: str) -> bool:
        """Whether this is about `conversation`, recorded on `release`."""
        return any(fnmatchcase(release, one) for one in self.releases) and any(
            fnmatchcase(conversation.id, one) for one in self.ids
        )


@functools.cache
def excuses() -> tuple[Excuse, ...]:
    """Return what the file says."""
    entries = tomllib.loads(_FILE.read_text())["exception"]
    return tuple(
        Excuse(tuple(entry["releases"]), tuple(entry["ids"]), entry["reason"]) for entry in entries
    )


def excuse(conversation: Conversation, release: str) -> Excuse | None:
    """Return why `conversation` need not be equal, or None if it must be."""
    return next((one for one in excuses() if one.covers(conversation, release)), None)
