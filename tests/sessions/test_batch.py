"""`batch`, as measured on 2.2.36 and 2.3.19.1."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

OLD, NEW = "2.2.36", "2.3.19.1"


def talk(dovecot: str = NEW) -> Talk:
    store = Store(random=Random(1))
    store.add_user("tss", quota="1M")
    alice = store.add_user("alice").mailbox("INBOX")
    for size in (400, 700):
        alice.deliver(b"\n" + b"x" * size)
    client = Talk(dovecot, store=store)
    client.hello(0)
    return client


def made(client: Talk) -> bool:
    """Whether a batch's first command made the mailbox New."""
    return "New" in client.world.store.users["tss"].mailboxes


def test_the_state_of_the_formatter_spans_a_batch() -> None:
    client = talk()
    answer = client.say(b"\talice\tbatch\t:\tsearch\tuid\t1\t:\tfetch\tuid\tuid\t2\n")
    guid = client.world.store.users["alice"].mailbox("INBOX").guid.encode()
    assert answer == b"%b\t1\t2\t\n+\n" % guid


def test_it_ends_with_the_first_failure() -> None:
    answer = talk().say(b"\talice\tbatch\t:\tcopy\tNope\tall\t:\tsearch\tall\n")
    assert answer == b"\n-NOTFOUND\n"


@pytest.mark.parametrize("line", [b":\tzork", b":\twho", b":\tsave", b":", b"", b":\t:\tpurge"])
def test_it_dies_of_what_it_cannot_run(line: bytes) -> None:
    client = talk()
    assert client.say(b"\talice\tbatch\t%b\n" % line) == b""
    assert not client.open


@pytest.mark.parametrize(
    ("line", "complaint", "usage"),
    [
        (b"mailbox\tstatus\t-f\tuidnext\tINBOX", "status: invalid option -- 'f'", "mailbox status"),
        (b"mailbox list\t--utf8", "mailbox list: invalid option -- '-'", "mailbox list"),
        (b"quota get\t-u\talice", "quota get: invalid option -- 'u'", "quota get"),
        (b"mailbox create\t-g", "mailbox create: option requires an argument", "mailbox create"),
    ],
)
def test_its_lines_have_the_older_options(line: bytes, complaint: str, usage: str) -> None:
    client = talk()
    assert client.say(b"\tnobody\tbatch\t;\tmailbox list\t;\t%b\n" % line) == b""
    first, second = client.log[-2:]
    assert complaint in first
    assert f"doveadm {usage} [-u <user>|-A] [-S <socket_path>]  " in second


def test_letters_that_are_old_enough_are_options() -> None:
    answer = talk().say(b"\talice\tbatch\t;\tmailbox\tstatus\t-t\tmessages\tINBOX\n")
    assert answer == b"2\t\n+\n"


@pytest.mark.parametrize("line", [b"quota get\tx\ty", b"acl recalc\tx", b"force-resync\tINBOX\tx"])
def test_some_commands_do_not_mind_what_is_too_much(line: bytes) -> None:
    assert talk().say(b"\ttss\tbatch\t;\t%b\n" % line).endswith(b"\n+\n")


@pytest.mark.parametrize(
    ("line", "before_others"),
    [
        (b"mailbox rename\ta\tb\tc", True),
        (b"fetch\tuid\tnonsense", True),
        (b"sieve put\tx", True),
        (b"mailbox cache decision\t-f\tflags\tINBOX", True),
        (b"sync\tx", True),
        (b"import\tmdbox:~/x\t\tall", False),
        (b"dsync-server", False),
    ],
)
def test_what_kills_it_does_so_in_time(line: bytes, before_others: bool) -> None:
    client = talk()
    assert client.say(b"\ttss\tbatch\t;\tmailbox create\tNew\t;\t%b\n" % line) == b""
    assert made(client) is not before_others


def test_a_replica_is_looked_for_before_any_command_runs() -> None:
    client = talk()
    answer = client.say(b"\ttss\tbatch\t;\tmailbox create\tNew\t;\tsync\t-d\n")
    assert answer == b"\n-TEMPFAIL\n"
    assert not made(client)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (b"-d\tx", "Invalid decision 'x': must be one of yes, temp, no"),
        (b"-d\tno\t-d\tyes", "Only one decision flag allowed"),
        (b"-l\t1x", "Invalid last-used '1x': not a number"),
        (b"-d\tx\t-q", "Invalid decision 'x': must be one of yes, temp, no"),
    ],
)
def test_cache_decisions_are_judged_while_options_are_read(options: bytes, complaint: str) -> None:
    client = talk()
    line = b"\ttss\tbatch\t;\tmailbox cache decision\t-a\t%b\tINBOX\n" % options
    assert client.say(line) == b""
    assert client.log[-2].endswith(complaint)


def test_an_old_one_takes_options_for_its_own_and_dies_of_those_it_has_not() -> None:
    client = talk(OLD)
    assert client.say(b"\talice\tbatch\t;\tmailbox list\tINBOX\t-u\ttss\n") == b"INBOX\t\n+\n"
    assert client.say(b"\talice\tbatch\t;\tmailbox status\t-t\tmessages\tINBOX\n") == b""
    assert client.log[-2].endswith("doveadm batch: Client sent unknown parameter: ?")


def test_an_old_one_has_one_status_that_is_a_number() -> None:
    client = talk(OLD)
    assert client.say(b"\ttss\tbatch\t;\tmailbox delete\tNope\n") == b"\n-68\n"
    assert client.say(b"\tnobody\tbatch\t;\tpurge\n") == b"\n-NOUSER\n"
    assert not any("User doesn't exist" in line for line in client.log)


def test_an_old_one_runs_what_later_ones_die_of() -> None:
    client = talk(OLD)
    assert client.say(b"\ttss\tbatch\t;\tmailbox create\tNew\t;\tsave\n") == b"\n-75\n"
    assert client.log[-1].endswith("failed: Input stream missing (provide with file parameter)")
    assert client.say(b"\ttss\tbatch\t;\timport\tmdbox:~/x\t\tall\n") == b"\n+\n"
    assert made(client)


def test_an_old_one_dies_where_rights_were_lent_before() -> None:
    client = talk(OLD)
    for _ in range(2):
        assert client.say(b"\ttss\tbatch\t;\tpurge\n") == b"\n+\n"
    assert client.say(b"\ttss\tpurge\n") == b"\n+\n"
    assert client.say(b"\ttss\tbatch\t;\tpurge\n") == b"\n+\n"
    other = talk(OLD)
    other.say(b"\ttss\tpurge\n")
    assert other.say(b"\ttss\tbatch\t;\tpurge\n") == b""
    assert "setuid(5000 from userdb lookup) failed with euid=5000" in other.log[-1]
