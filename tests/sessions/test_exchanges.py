"""What the journal has of answers that do not end well, or not at all."""

from __future__ import annotations

from fakedove.double.exchange import Exchange
from fakedove.dovecot.status import Status
from fakedove.plan import Send
from tests.sessions.talk import TCP, Talk

HELLO = b"VERSION\tdoveadm-server\t1\t0\n"


def only(talk: Talk) -> Exchange:
    (exchange,) = talk.world.journal
    return exchange


def test_a_refused_command_has_its_line_too() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\ttss\tno such\targ\n").endswith(b"-\n")
    one = only(talk)
    assert (one.line, one.command, one.args) == (b"\ttss\tno such\targ", "no such", ("arg",))
    assert one.ended is not None


def test_a_line_ends_at_a_nul_and_before_its_crlf() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    talk.say(b"\t\twho\0ever\n\t\twho\r\n")
    assert [one.line for one in talk.world.journal] == [b"\t\twho", b"\t\twho"]


def test_a_mail_that_is_cut_off_is_kept_as_far_as_it_came() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    talk.say(b"\ttss\tsave\nSubject: hi\n")
    assert not len(talk.world.journal)
    talk.hang_up()
    one = only(talk)
    assert (one.body, one.status) == (b"Subject: hi", Status.TEMPFAIL)
    assert [str(line) for line in one.log] == talk.log
    assert len(one.log) == 2


def test_an_answer_that_nobody_hears_to_its_end() -> None:
    talk = Talk("2.4.1", peer=TCP)
    talk.world.store.users["tss"].mailbox("INBOX").deliver(b"Subject: big\r\n\r\n" + b"x" * 500_000)
    talk.session.open(TCP)
    talk.session.receive(HELLO)
    talk.session.receive(b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n")
    talk.session.receive(b"\ttss\tfetch\ttext\tall\n")
    one = only(talk)
    assert (one.ended, one.seconds, one.cut_short) == (None, None, False)
    assert one.describe().endswith("   (the answer goes on)")
    talk.session.end(1000)
    assert one.cut_short


def test_a_heard_answer_is_not_cut_short() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    talk.say(b"\t\twho\n")
    talk.session.end(0)
    assert not only(talk).cut_short


def test_only_what_has_not_left_is_cut_short() -> None:
    talk = Talk("2.4.1")
    talk.hello(2)
    talk.say(b"\t\tno such\n" * 2)
    (plan,) = talk.session.receive(b"\tnobody\tquota get\n\t\tno such\n\tnobody\tquota get\n")
    assert isinstance(plan, Send)
    third = list(talk.world.journal)[-1]
    # Each write and each log line is a packet with a header of its own.
    channel = third.log[0].channel or b""
    last = sum(len(write) + 5 for write in third.writes) + 5 + len(channel) + 2
    talk.session.end(last + 1)
    assert [one.cut_short for one in talk.world.journal] == [False, False, False, True, True]
    talk.session.end(last)
    assert [one.cut_short for one in talk.world.journal] == [False, False, False, False, True]


def test_a_process_that_dies_ends_its_answer() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\ttss\tacl set\tINBOX\tnobody\tread\n") == b""
    one = only(talk)
    assert (one.status, one.reply, one.seconds is None) == (None, b"", False)
    assert one.describe().split("\n")[1:] == [
        f"   (log: {one.log[0]})",
        "   (no answer)",
    ]
    assert str(one.log[0]).endswith("Fatal: Invalid ID: nobody")


def test_a_line_that_is_none_is_not_about_the_command_before() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    talk.say(b"\tnobody\tquota get\n")
    before = only(talk).ended
    assert talk.say(b"no line\n") == b""
    assert not talk.open
    assert (len(talk.log), len(only(talk).log), only(talk).ended) == (2, 1, before)
