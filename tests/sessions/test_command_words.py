"""The words of command lines that few clients send: odd names, options and extra fields."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk

V23, V24 = "2.3.19.1", "2.4.1"


def ready(dovecot: str) -> Talk:
    talk = Talk(dovecot)
    talk.world.store.add_user("joe").create_mailbox("Junk")
    talk.hello(0)
    return talk


# Measured: the auth service takes escapes out of a name once more.
@pytest.mark.parametrize("dovecot", [V23, V24])
@pytest.mark.parametrize("name", [b"tss\x011", b"t\x011ss", b"tss\x0110x", b"tss\x01\x01"])
def test_a_name_with_an_escape_left_in_it(dovecot: str, name: bytes) -> None:
    talk = ready(dovecot)
    assert talk.say(b"\t%b\tmailbox status\tmessages\tINBOX\n" % name) == b"INBOX\t1\t\n+\n"
    assert talk.say(b"\t%b\tquota get\n" % name.replace(b"tss", b"abc")).endswith(b"\n")


def test_an_lf_in_a_name_is_a_space_in_the_prefix_of_a_log_line() -> None:
    talk = ready(V24)
    talk.say(b"\ta\x01nb\tquota get\n")
    assert talk.log == ["doveadm(a b): Error: cmd quota get: User doesn't exist"]


# Measured: positional arguments have long names; what they do not get is filled up.
@pytest.mark.parametrize("dovecot", [V23, V24])
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"mailbox status\t--fieldstr=messages\tINBOX", b"INBOX\t1\t\n+\n"),
        (b"mailbox status\t--mailbox-mask=INBOX\tmessages", b"INBOX\t1\t\n+\n"),
        (b"fetch\t--query\tall\tuid", b"1\t\n+\n"),
        (b"mailbox create\tA\t--mailbox=B\tC", b"\n+\n"),
    ],
)
def test_positional_arguments_by_name(dovecot: str, line: bytes, answer: bytes) -> None:
    assert ready(dovecot).say(b"\ttss\t%b\n" % line) == answer


def test_values_given_by_name_come_before_the_others() -> None:
    talk = ready(V24)
    said = talk.say(b"\t\tuser\ttss\t--user-mask=joe\t-f\tuid\n")
    assert said == b'{"joe":{"uid":"5000"},"tss":{"uid":"5000"}}\n+\n'


# Measured: without `-f` the first argument names the fields; in 2.3 it is a mailbox with it.
def test_status_fields_by_option() -> None:
    assert ready(V23).say(b"\ttss\tmailbox status\t-f\tmessages\tINBOX\n") == b"INBOX\t1\t\n+\n"
    by_name = b"\ttss\tmailbox status\t-f\tmessages\t--mailbox-mask=INBOX\n"
    assert ready(V24).say(by_name) == b"INBOX\t1\t\n+\n"
    talk = ready(V24)
    assert talk.say(b"\ttss\tmailbox status\t-f\tmessages\tINBOX\n") == b""
    assert not talk.open


def test_all_users_count_more_than_one_or_a_file_since_2_4() -> None:
    for word in (b"-u\tj*", b"-F\t/missing"):
        said = ready(V24).say(b"\t\tmailbox status\t-A\t%b\tmessages\tINBOX\n" % word)
        assert said == b"tss\tINBOX\t1\tjoe\tINBOX\t0\t\n+\n"


def test_a_file_of_users_without_a_name() -> None:
    talk = ready(V23)
    assert talk.say(b"\t\tmailbox list\t-F\t\n") == b"\n-TEMPFAIL\n"
    assert talk.log[0].endswith("read() failed: open() failed: No such file or directory")


@pytest.mark.parametrize("flags", [b"-1", b"4294967296"])
def test_trans_flags_that_32_bits_do_not_hold_kill_the_process(flags: bytes) -> None:
    line = b"\ttss\tmailbox list\t--trans-flags\t%b\n" % flags
    talk = ready(V24)
    assert talk.say(line) == b""
    assert not talk.open
    assert ready(V23).say(line) == b"INBOX\t\n+\n"


# Measured: it is told for each user that is looked up, and nowhere else.
def test_a_bad_ttl_is_told_for_each_user() -> None:
    talk = ready(V24)
    for line in (b"\twho", b"tss\tnosuch", b"tss\tmailbox list\t-X", b"\tuser\ttss"):
        talk.say(b"x\tproxy-ttl=0\t%b\n" % line)
    assert not any("proxy-ttl" in line for line in talk.log)
    talk.say(b"x\tproxy-ttl=0\t\tmailbox list\t-A\n")
    text = "): Error: cmd mailbox list: Invalid proxy-ttl value: 0"
    assert talk.log[-2:] == ["doveadm(tss" + text, "doveadm(joe" + text]


def test_of_several_extra_fields_the_last_one_counts() -> None:
    talk = ready(V24)
    talk.say(b"xx\tproxy-ttl=x\tproxy-ttl=2147483648\ttss\tmailbox list\n")
    talk.say(b"xx\tproxy-ttl=x\tproxy-ttl=2147483647\ttss\tmailbox list\n")
    assert [line.rpartition(" ")[2] for line in talk.log] == ["2147483648"]
