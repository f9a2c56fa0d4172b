"""The recordings, replayed against sessions: what the real servers said, byte by byte.

One test for each release and family; it lists every conversation that differs. The server
log is compared too, by the rules of `log_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replay.compare import differences, log_differences
from tests.replay.exceptions import Excuse, excuse, excuses
from tests.replay.fake import VALUES, replay, world_of
from tests.replay.log_rules import told
from tests.replay.transcripts import Conversation, load, releases

FAMILIES = (
    *("hs", "auth", "cmd", "option", "log", "seq", "stream", "user", "x", "z", "extra", "older"),
    "referral",
)


def family(release: str, name: str) -> list[Conversation]:
    return [one for one in load(release) if one.family == name and not one.volatile]


def cases() -> Iterator[tuple[str, str]]:
    for release in releases():
        for name in FAMILIES:
            if family(release, name):
                yield release, name


def differs(conversation: Conversation, release: str) -> tuple[list[str], list[str]]:
    """Return what differs in what was said, and in the log."""
    with world_of(conversation) as world:
        heard = replay(conversation, world)
        logged = [record.line.decode("latin-1") for record in world.log]
    expected = told(conversation.log, release)
    return (
        differences(conversation, heard, VALUES),
        log_differences(conversation, told(logged, release), VALUES, expected=expected),
    )


def unexcused(conversation: Conversation, release: str) -> list[str]:
    """Return what differs and has no excuse."""
    if excuse(conversation, release) is not None:
        return []
    said, logged = differs(conversation, release)
    return said or ([] if excuse(conversation, release, log_only=True) else logged)


@pytest.mark.parametrize(("release", "name"), list(cases()))
def test_every_conversation_is_equal(release: str, name: str) -> None:
    found = [
        "\n".join(lines) for one in family(release, name) if (lines := unexcused(one, release))
    ]
    assert not found, f"{len(found)} conversations differ:\n\n" + "\n\n".join(found[:5])


@pytest.mark.parametrize("entry", excuses(), ids=lambda entry: entry.reason)
def test_every_exception_is_still_needed(entry: Excuse) -> None:
    covered = [
        (one, release)
        for release, name in cases()
        for one in family(release, name)
        if entry.covers(one, release)
    ]
    assert covered, "it covers nothing"
    equal = [
        f"{release} {one.id}"
        for one, release in covered
        if not differs(one, release)[1 if entry.log_only else 0]
    ]
    assert not equal, f"equal by now: {equal}"
