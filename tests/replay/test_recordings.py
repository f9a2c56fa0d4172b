"""The recordings, replayed against sessions: what the real servers said, byte by byte.

One test for each release and family; it lists every conversation that differs. The server
log is compared too where it is the fake's to write.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replay.compare import differences, log_differences
from tests.replay.exceptions import Excuse, excuse, excuses
from tests.replay.fake import VALUES, replay, world_of
from tests.replay.transcripts import Conversation, load, releases

FAMILIES = ("hs", "auth", "cmd", "option", "log", "seq", "stream", "user", "x", "z", "extra")
#: Families of which the packets are compared, not the log: crashes are worded there by a master.
_PACKETS_ALONE = ("x", "z", "extra")
#: Lines of the log that are not doveadm-server's own.
_MASTER = "master: service("
#: Where the recorded log is not what the conversation brought forth.
_LOG_NOT_COMPARED = {
    "2.4.1 cmd.invalid-utf8-path@1.0": "the recorder read the log before the line was there",
    "2.3.8 auth.one-char-password.tcp": "the recorder read the log before the line was there",
    "option.option-twice@1.0": "the real server's crash is told by its master",
}
#: Releases whose log texts are ours; older ones word usage errors and debug lines otherwise.
_LOGS_COMPARED = ("2.2.32", "2.2.33", "2.2.36", "2.3.4.1", "2.3.8", "2.3.16", "2.3.19.1", "2.4.1")


def family(release: str, name: str) -> list[Conversation]:
    return [one for one in load(release) if one.family == name and not one.volatile]


def cases() -> Iterator[tuple[str, str]]:
    for release in releases():
        for name in FAMILIES:
            if family(release, name):
                yield release, name


def differs(conversation: Conversation, release: str) -> list[str]:
    with world_of(conversation) as world:
        heard = replay(conversation, world)
        found = differences(conversation, heard, VALUES)
        logged = [record.line.decode("latin-1") for record in world.log]
    if found or release not in _LOGS_COMPARED or _log_is_unknown(conversation, release):
        return found
    expected = [line for line in conversation.log if _MASTER not in line]
    return log_differences(conversation, logged, VALUES, expected=expected)


def _log_is_unknown(conversation: Conversation, release: str) -> bool:
    if conversation.family in _PACKETS_ALONE:
        return True
    names = (conversation.id, f"{release} {conversation.id}")
    return any(name in _LOG_NOT_COMPARED for name in names)


@pytest.mark.parametrize(("release", "name"), list(cases()))
def test_every_conversation_is_equal(release: str, name: str) -> None:
    found = [
        "\n".join(lines)
        for one in family(release, name)
        if excuse(one, release) is None and (lines := differs(one, release))
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
    equal = [f"{release} {one.id}" for one, release in covered if not differs(one, release)]
    assert not equal, f"equal by now: {equal}"
