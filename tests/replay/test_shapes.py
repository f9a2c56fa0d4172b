"""The volatile recordings of the two releases that everything is equal to: equal in shape."""

from __future__ import annotations

import msgspec
import pytest

from fakedove.dovecot.services import Service
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import World
from tests.replay.compare import Heard
from tests.replay.fake import VALUES, listener, replay, world_of
from tests.replay.shape import shape_differences
from tests.replay.transcripts import Conversation, Json, conversation, load

RELEASES = ("2.3.19.1", "2.4.1")
#: Processes that earlier conversations had started when a recording lists what runs.
_STARTED = {
    "2.3.19.1": ("old-stats", "ipc", "indexer-worker", "indexer"),
    "2.4.1": ("indexer-worker", "indexer"),
}
_DIRECTOR = "the recorder had a director that came and went; x.director.status@1.0 heard it close"
_DEBUGGING = "the real server was set up to tell of its own files, sockets and plugins"
#: What was said before on other connections, where it is heard again.
_BEFORE = {"x.log.errors.after-test": (b"\t\tlog test\n",) * 2}

#: Which have another shape nevertheless, and why.
_NOT_ALIKE = {
    "2.3.19.1 x.director.status@1.1": _DIRECTOR,
    "2.3.19.1 x.director.ring-status@1.0": _DIRECTOR,
    "2.3.19.1 x.director.dump@1.0": _DIRECTOR,
    "2.3.19.1 x.director.dump@1.1": _DIRECTOR,
    "2.3.19.1 log.debug-enabled.none@1.1": _DEBUGGING,
    "2.3.19.1 log.debug-enabled.none@1.3": _DEBUGGING,
    "2.4.1 log.debug-enabled.none@1.1": _DEBUGGING,
    "2.4.1 log.debug-enabled.none@1.3": _DEBUGGING,
}


def volatile(release: str) -> list[Conversation]:
    return [one for one in load(release) if one.volatile]


def set_up(world: World, recorded: Conversation, release: str) -> None:
    """Bring the world to where the recorder's was."""
    services: dict[str, Service] = {one.name: one for one in world.release.services}
    for name in _STARTED[release] if recorded.id.startswith("x.process.status@") else ():
        started = msgspec.structs.replace(services[name], process_count=1)
        world.store.daemons.services[name] = started
    for line in _BEFORE.get(recorded.id.partition("@")[0], ()):
        where = listener("unix", world.release)
        session = DoveadmSession(world, where.settings)
        session.open(where.peer)
        session.receive(b"VERSION\tdoveadm-server\t1\t0\n" + line)


def differs(recorded: Conversation, release: str) -> list[str]:
    with world_of(recorded) as world:
        set_up(world, recorded, release)
        return shape_differences(recorded, replay(recorded, world), VALUES)


@pytest.mark.parametrize("release", RELEASES)
def test_volatile_conversations_are_equal_in_shape(release: str) -> None:
    unlike = {
        f"{release} {one.id}": found
        for one in volatile(release)
        if (found := differs(one, release))
    }
    told = [line for name, found in unlike.items() if name not in _NOT_ALIKE for line in found]
    assert not told, "\n".join(told)
    assert set(unlike) == {name for name in _NOT_ALIKE if name.startswith(f"{release} ")}


def judged(recorded: bytes, heard: bytes) -> list[str]:
    """Judge an answer to one command."""
    record: dict[str, Json] = {"id": "x", "dovecot": "2.4.1", "listener": "unix", "minor": 0}
    said = recorded.decode("latin-1")
    steps: list[Json] = [{"send": "x\n"}, {"recv": said}, {"close": True}]
    one = conversation({**record, "log": [], "steps": steps})
    return shape_differences(one, [Heard(heard)], VALUES)


@pytest.mark.parametrize(
    ("recorded", "heard"),
    [
        (b"anvil\t2107\t{{unixtime}}\ty\t\n+\n", b"anvil\t1\t1795316249\tn\t\n+\n"),
        (b"a\t1\tb\t2\t\n+\n", b"b\t7\ta\t8\t\n+\n"),
        (b"{{logtime}}.431045\tx\t\n+\n", b"Nov 22 02:57:28.000001\tx\t\n+\n"),
    ],
)
def test_numbers_and_order_may_differ(recorded: bytes, heard: bytes) -> None:
    assert judged(recorded, heard) == []


@pytest.mark.parametrize("heard", [b"a\tx\t\n+\n", b"b\t1\t\n+\n", b"a\t1\ta\t1\t\n+\n", b"a\t1\t"])
def test_words_and_the_number_of_fields_may_not(heard: bytes) -> None:
    assert judged(b"a\t1\t\n+\n", heard)
