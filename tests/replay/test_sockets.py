"""The recordings, replayed to a running fake: listeners, pump and TLS between both ends.

All conversations are replayed without a socket (`test_recordings`). Here it is the longest
one of each family on each listener, and the longest with STARTTLS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from fakedove.sync import FakeDovecot
from tests.replay.compare import differences
from tests.replay.exceptions import excuse
from tests.replay.fake import STORE, listener, release_of
from tests.replay.sockets import Address, play
from tests.replay.test_recordings import FAMILIES
from tests.replay.transcripts import Conversation, StartTls, load

RELEASES = ("2.2.33", "2.3.19.1", "2.4.1", "main")

UNIX = {"unix": "0600", "unix-auth": "0666"}
TCP = ("tcp", "ssl", "tcp-restricted", "tcp-nopassword", "nossl:tcp", "nocert:tcp")


def chosen(release: str) -> list[Conversation]:
    """Return the longest conversation of each family, listener, and use of STARTTLS."""
    found: dict[tuple[str, str, bool], Conversation] = {}
    for one in load(release):
        if not can_be_played(one, release):
            continue
        key = one.family, one.listener, starts_tls(one)
        if key not in found or len(one.turns) > len(found[key].turns):
            found[key] = one
    return list(found.values())


def can_be_played(conversation: Conversation, release: str) -> bool:
    return (
        conversation.family in FAMILIES
        and conversation.family != "z"  # it stops services that stand in no listening server
        and conversation.listener in (*UNIX, *TCP)
        and not conversation.volatile
        and not excuse(conversation, release)
        and all(one.startswith("file:") for one in conversation.given)
    )


def starts_tls(conversation: Conversation) -> bool:
    """Whether the client starts TLS on a connection that did not begin with it."""
    return conversation.listener != "ssl" and any(
        isinstance(action, StartTls) for turn in conversation.turns for action in turn.actions
    )


def settings(name: str, release: str) -> Mapping[str, object]:
    """Return the recorder's listener `name` as a listener of the configuration."""
    of = listener(name, release_of(release)).settings
    return {
        "name": name,
        "address": "127.0.0.1:0",
        "ssl": of.ssl,
        "tls": of.certificate,
        "doveadm_password": of.password.decode(),
        "doveadm_allowed_commands": [one.decode() for one in of.allowed_commands or ()],
    }


@pytest.fixture(scope="module")
def fakes() -> Iterator[Mapping[str, FakeDovecot]]:
    with ExitStack() as stack:
        fakes: dict[str, FakeDovecot] = {}
        for release in RELEASES:
            unix = [{"name": name, "path": name, "mode": mode} for name, mode in UNIX.items()]
            tcp = [settings(name, release) for name in TCP]
            fake = FakeDovecot(dovecot=release, store=STORE, listener=[*unix, *tcp])
            fakes[release] = stack.enter_context(fake)
        yield fakes


@pytest.mark.parametrize(
    ("release", "conversation"),
    [
        pytest.param(release, one, id=f"{release}-{one.listener}-{one.id}")
        for release in RELEASES
        for one in chosen(release)
    ],
)
def test_over_a_socket(
    fakes: Mapping[str, FakeDovecot], release: str, conversation: Conversation
) -> None:
    fake = fakes[release]
    fake.reset()
    for given in conversation.given:
        name, _, content = given.removeprefix("file:").partition("=")
        fake.store.files[name] = content.encode("latin-1")
    values = {"dir": fake.base_dir}
    heard = play(conversation, address(fake, conversation.listener), values)
    found = differences(conversation, heard, values)
    assert not found, "\n".join(found)


def address(fake: FakeDovecot, name: str) -> Address:
    return fake.path(name) if name in UNIX else fake.address(name)


@pytest.mark.parametrize("release", RELEASES)
def test_every_kind_of_listener_is_met(release: str) -> None:
    met = {(one.listener, starts_tls(one)) for one in chosen(release)}
    assert {("unix", False), ("unix-auth", False), ("tcp", False), ("ssl", False)} <= met
    # 2.2.33 has no STARTTLS: who sends it is refused before a handshake.
    assert (("tcp", True) in met) == (release != "2.2.33")
