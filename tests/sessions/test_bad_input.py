"""Input that no client should send: what Dovecot answers, and that memory stays bounded."""

from __future__ import annotations

import pytest

from fakedove.dovecot.releases import ROWS
from fakedove.plan import PLAN_BYTES, Continue, Send
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import ListenerSettings
from tests.sessions.talk import TCP, UNIX, Talk, small_store

MIB = 1024 * 1024


def ready(dovecot: str) -> Talk:
    talk = Talk(dovecot)
    talk.hello(0)
    return talk


def line_of(length: int) -> bytes:
    start = b"\ttss\tmailbox list\t"
    return start + b"A" * (length - len(start) - 1) + b"\n"


def test_a_line_of_1_mib_is_a_line() -> None:
    answer = ready(dovecot="2.4.1").say(line_of(MIB))
    assert answer.startswith(b"AAAA")
    assert answer.endswith(b"A\t\n+\n")


def test_a_line_of_one_byte_more_is_a_reset_without_a_word() -> None:
    talk = ready(dovecot="2.4.1")
    assert talk.say(line_of(MIB + 1)) == b""
    assert talk.reset
    assert talk.log == []


def test_an_endless_line_never_holds_more_than_the_limit() -> None:
    talk = ready(dovecot="2.4.1")
    taken = 0
    while talk.session.room:
        piece = b"A" * min(talk.session.room, 65536)
        taken += len(piece)
        if talk.session.receive(piece):
            break
    assert taken == MIB


def test_an_endless_line_before_the_handshake_is_logged() -> None:
    talk = Talk("2.4.1")
    talk.say(b"V" * (MIB + 1))
    assert talk.reset
    assert talk.log[0].endswith("disconnected before handshake: No buffer space available")


def test_2_1_spins_on_a_long_line_instead() -> None:
    talk = Talk("2.1.16")
    talk.hear()
    talk.hello(0)
    assert talk.say(line_of(1025)) == b""
    assert talk.open
    assert talk.say(b"\ttss\tquota get\n") == b""


def test_starttls_takes_pipelined_plaintext_for_tls() -> None:
    talk = Talk("2.4.1", peer=TCP)
    talk.hello(2)
    assert talk.say(b"STARTTLS\nPLAIN\tAGRvdmVhZG0Ac2VjcmV0\n") == b""
    assert not talk.open
    assert "wrong version number" in talk.log[0]


def test_plaintext_after_starttls_is_not_answered() -> None:
    talk = Talk("2.4.1", peer=TCP)
    talk.hello(2)
    talk.say(b"STARTTLS\n")
    assert talk.say(b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n") == b""
    assert not talk.open


@pytest.mark.parametrize("release", [row.last for row in ROWS])
def test_a_client_that_hangs_up_ends_the_conversation(release: str) -> None:
    for said in (b"", b"VERSION", b"VERSION\tdoveadm-server\t1\t0\n", b"\xff\x00\x16\x03\x01"):
        talk = Talk(release, peer=TCP)
        talk.say(said)
        talk.hang_up()
        assert not talk.open


def test_a_body_without_its_dot_is_a_temporary_failure() -> None:
    talk = ready(dovecot="2.4.1")
    assert talk.say(b"\ttss\tsave\nSubject: x\n\nbody") == b""
    assert talk.hang_up() == b"\n-TEMPFAIL\n"
    assert not talk.open
    assert len(talk.world.store.users["tss"].mailbox("INBOX").messages) == 1


def test_a_mail_over_the_limit_is_refused_without_being_held() -> None:
    talk = ready(dovecot="2.4.1")
    talk.world.mail_limit = 1000
    assert talk.say(b"\ttss\tsave\n" + b"x" * 1500) == b"\n-TEMPFAIL\n"
    assert not talk.open
    assert talk.log[0].endswith("fakedove takes mails of up to 1000 bytes")


def test_pipelined_replies_come_in_plans_of_bounded_size() -> None:
    store = small_store()
    store.users["tss"].mailbox("INBOX").deliver(b"Subject: big\n\n" + b"x" * 200_000)
    talk = Talk("2.4.1", store=store)
    session = DoveadmSession(talk.world, ListenerSettings("test"))
    session.open(UNIX)
    session.receive(b"VERSION\tdoveadm-server\t1\t1\n")
    plan = session.receive(b"\ttss\tfetch\ttext\tall\n" * 3000)
    plans, total = 0, 0
    while plan:
        (sent,) = [step for step in plan if isinstance(step, Send)]
        assert len(sent.data) < PLAN_BYTES + 220_000
        plans, total = plans + 1, total + len(sent.data)
        plan = session.wake(Continue()) if isinstance(plan[-1], Continue) else ()
        if plans > 20:
            break
    assert plans > 20


@pytest.mark.parametrize("release", ["2.2.36", "2.3.16"])
def test_a_log_text_with_an_lf_floods_the_client_for_ever(release: str) -> None:
    # extra.multiline-log@1.1; here plan by plan, as fast as the client reads.
    world = Talk(release).world
    session = DoveadmSession(world, ListenerSettings("test"))
    session.open(UNIX)
    session.receive(b"VERSION\tdoveadm-server\t1\t1\n")
    plan = session.receive(b"\ttss\tmailbox status\tmessages\ta\x01nb\n")
    for _ in range(3):
        sent, again = plan
        assert isinstance(sent, Send)
        assert sent.data.count(b"b: Failed to lookup mailbox status") > 500
        assert b"NOTFOUND" not in sent.data
        assert isinstance(again, Continue)
        plan = session.wake(again)


# Asked of 2.4.1: all arguments from the bad number on are named.
@pytest.mark.parametrize(
    ("rest", "named"), [(b"abc", b"abc"), (b"abc\td\te", b"abc d e"), (b"1.5\t", b"1.5 ")]
)
def test_a_number_that_is_none_is_named_with_what_follows(rest: bytes, named: bytes) -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\t\tdict inc\tf\tshared/k\t" + rest + b"\n") == b"\n-USAGE\n"
    assert talk.log == [f"doveadm: Error: doveadm: Invalid parameter: {named.decode()}"]


# Asked of both: who has looked up all users logs without a process id in 2.4.
@pytest.mark.parametrize(
    ("release", "prefix"), [("2.3.19.1", "doveadm(4242): "), ("2.4.1", "doveadm: ")]
)
def test_the_prefix_after_a_command_for_all_users(release: str, prefix: str) -> None:
    talk = Talk(release)
    talk.hello(0)
    talk.say(b"\ttss\tmailbox list\t-A\n")
    talk.say(b"\t\tuser\t-x\tservice=imap\n")
    assert talk.log[-1].startswith(prefix)


# Asked of 2.4.1: options are acted upon as they are read.
def test_a_bad_number_comes_before_a_later_bad_option() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\ttss\tmailbox cache decision\t-l\tx\t-X\n") == b"\n-USAGE\n"
    assert talk.log == ["doveadm: Error: doveadm: Invalid parameter: Invalid number: x"]


# Asked of both: a server has no standard input.
@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
@pytest.mark.parametrize(
    "line", [b"\ttss\tsave\t-\n", b"\ttss\tsieve put\tx\t-\n", b"\t\tmailbox list\t-F\t-\n"]
)
def test_to_read_the_standard_input_is_the_end(release: str, line: bytes) -> None:
    talk = Talk(release)
    talk.hello(0)
    assert talk.say(line) == b""
    assert "assertion failed: (errno != EBADF)" in talk.log[-1]
