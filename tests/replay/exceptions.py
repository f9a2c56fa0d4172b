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
    #: Only the server log differs.
    log_only: bool = False

    def covers(self, conversation: Conversation, release: str) -> bool:
        """Whether this is about `conversation`, recorded on `release`."""
        names = (conversation.id, f"{release} {conversation.id}")
        return any(fnmatchcase(release, one) for one in self.releases) and any(
            fnmatchcase(name, one) for name in names for one in self.ids
        )


@functools.cache
def excuses() -> tuple[Excuse, ...]:
    """Return what the file says."""
    file = tomllib.loads(_FILE.read_text())
    return tuple(
        Excuse(
            tuple(entry["releases"]), tuple(entry["ids"]), entry["reason"], log_only=kind == "log"
        )
        for kind in ("exception", "log")
        for entry in file[kind]
    )


def excuse(conversation: Conversation, release: str, *, log_only: bool = False) -> Excuse | None:
    """Return why `conversation`, or only its log, need not be equal; None if it must be."""
    return next(
        (
            one
            for one in excuses()
            if one.log_only is log_only and one.covers(conversation, release)
        ),
        None,
    )
