"""What a process keeps for its next connection (measured on 2.3.19.1 and 2.4.1)."""

from __future__ import annotations

import pytest

from fakedove.plan import Peer
from fakedove.sessions.world import ListenerSettings
from tests.sessions.talk import PLAIN, TCP, UNIX, Talk, small_store

DOVECOTS = pytest.mark.parametrize("dovecot", ["2.3.19.1", "2.4.1"])

LASTING = ListenerSettings("test", b"secret", service_count=0)
LIST, UNKNOWN, RELOAD = b"\ttss\tmailbox list\n", b"\ttss\tnosuch\n", b"\t\treload\n"


def first(dovecot: str, settings: ListenerSettings = LASTING) -> Talk:
    """Talk to a server whose user has two mailboxes."""
    store = small_store()
    store.users["tss"].create_mailbox("Sent")
    talk = Talk(dovecot, store=store, settings=settings)
    talk.hello(1)
    return talk


def another(talk: Talk, peer: Peer = UNIX, settings: ListenerSettings = LASTING) -> Talk:
    """Talk on another connection to the same server."""
    other = Talk(world=talk.world, peer=peer, settings=settings)
    other.hello(1)
    if peer is TCP:
        other.say(PLAIN)
    return other


def hang_up(talk: Talk) -> None:
    """End a connection as the pump does."""
    if talk.open:
        talk.hang_up()
    talk.session.end(0)


def is_new(talk: Talk) -> bool:
    """Whether the process never listed mailboxes before: then each is a packet of its own."""
    heard = talk.say(LIST)
    return heard[5 : 5 + heard[4]].count(b"\t") == 1


@DOVECOTS
def test_a_process_serves_one_connection_unless_told_otherwise(dovecot: str) -> None:
    once = ListenerSettings("test", b"secret")
    talk = first(dovecot, once)
    assert is_new(talk)
    assert not is_new(talk)
    hang_up(talk)
    assert is_new(another(talk, settings=once))


@DOVECOTS
def test_columns_are_counted_on_by_the_next_connection(dovecot: str) -> None:
    talk = first(dovecot)
    assert is_new(talk)
    hang_up(talk)
    assert not is_new(another(talk))


def test_a_process_ends_after_as_many_connections_as_it_serves() -> None:
    twice = ListenerSettings("test", b"secret", service_count=2)
    talk = first("2.4.1", twice)
    found = [is_new(talk)]
    for _ in range(3):
        hang_up(talk)
        talk = another(talk, settings=twice)
        found.append(is_new(talk))
    assert found == [True, False, True, False]


@DOVECOTS
def test_two_connections_at_a_time_have_two_processes(dovecot: str) -> None:
    one = first(dovecot)
    other = another(one)
    assert is_new(one)
    assert is_new(other)
    hang_up(one)
    hang_up(other)
    again, once_more, third = another(one), another(one), another(one)
    assert [is_new(again), is_new(once_more), is_new(third)] == [False, False, True]


def test_each_listener_has_processes_of_its_own() -> None:
    talk = first("2.4.1")
    assert is_new(talk)
    hang_up(talk)
    assert is_new(another(talk, settings=ListenerSettings("other", service_count=0)))


# 2.3 runs a mail command as its user; only root may read where the master is.
@pytest.mark.parametrize(("dovecot", "dies"), [("2.3.19.1", True), ("2.4.1", False)])
def test_rights_that_were_given_up_are_gone_for_the_next_connection(
    dovecot: str, dies: bool
) -> None:
    talk = first(dovecot)
    talk.say(LIST)
    hang_up(talk)
    other = another(talk)
    assert bool(other.say(RELOAD)) is not dies
    assert other.open is not dies


def test_a_dead_process_serves_nobody() -> None:
    talk = first("2.3.19.1")
    talk.say(LIST)
    talk.say(RELOAD)
    assert not talk.open
    hang_up(talk)
    assert is_new(another(talk))


@DOVECOTS
@pytest.mark.parametrize("last", [b"nosuch flags\ttss\tmailbox list\n", b"\ttss\tsave\nhello"])
def test_a_process_outlives_what_ends_the_connection_alone(dovecot: str, last: bytes) -> None:
    talk = first(dovecot)
    talk.say(LIST)
    talk.say(last)
    hang_up(talk)
    assert not is_new(another(talk))


@DOVECOTS
def test_a_process_outlives_a_client_that_speaks_another_protocol(dovecot: str) -> None:
    talk = first(dovecot)
    talk.say(LIST)
    hang_up(talk)
    stranger = Talk(world=talk.world, settings=LASTING)
    stranger.say(b"VERSION\tdoveadm-server\t9\t0\n")
    assert not stranger.open
    hang_up(stranger)
    # It tells of that in its own name.
    assert talk.log[-1].startswith("doveadm(4242): ")
    assert not is_new(another(talk))


@DOVECOTS
def test_processes_are_new_after_a_reload(dovecot: str) -> None:
    idle = first(dovecot)
    idle.say(LIST)
    reloading = another(idle)
    reloading.say(RELOAD)
    hang_up(idle)
    assert reloading.say(LIST)
    hang_up(reloading)
    assert is_new(another(idle))


def test_a_process_whose_answer_nobody_hears_to_its_end_serves_nobody_else() -> None:
    talk = first("2.4.1")
    talk.say(LIST)
    talk.world.stubs.on("who").fail("NOTFOUND", delay=1)
    talk.say(b"\t\twho\n")
    talk.session.end(0)
    assert is_new(another(talk))


@DOVECOTS
def test_the_log_tells_of_whom_the_process_was_last(dovecot: str) -> None:
    talk = first(dovecot)
    talk.say(UNKNOWN)
    hang_up(talk)
    for line, peer, expected in (
        (b"\tnobody\tquota get\n", UNIX, "doveadm: "),
        (LIST, UNIX, "doveadm(nobody): "),
        (UNKNOWN, UNIX, "doveadm(4242): "),
        (UNKNOWN, TCP, "doveadm(127.0.0.1): "),
        (LIST, UNIX, "doveadm(127.0.0.1): "),
        (UNKNOWN, UNIX, "doveadm(4242): "),
    ):
        talk = another(talk, peer)
        talk.say(UNKNOWN)
        assert talk.log[-1].startswith(expected)
        talk.say(line)
        hang_up(talk)


# 2.1 refuses the command after one whose option it refused (recording x.expunge.m).
def test_getopt_remembers_what_an_earlier_connection_said() -> None:
    talk = first("2.1.16")
    assert talk.say(b"\ttss\texpunge\t-m\tall\n") == b"\n-\n"
    hang_up(talk)
    assert another(talk).say(LIST) == b"\n-\n"
