"""Commands about the other processes of a server: what they change, and who may ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fakedove.dovecot.daemons import Penalty
from fakedove.dovecot.store import LoginSession
from tests.sessions.talk import PLAIN, TCP, Talk, small_store

NEW, OLD = "2.4.1", "2.3.19.1"
CONNECTION_CLOSED = b"read(/var/run/dovecot/stats-reader) failed: Connection closed"


def talk(dovecot: str) -> Talk:
    conversation = Talk(dovecot)
    conversation.hello(0)
    return conversation


def sessions(conversation: Talk, *users: str) -> None:
    for pid, user in enumerate(users, start=10):
        conversation.world.store.sessions.append(LoginSession(user, pid=pid))


def test_a_metric_is_added_dumped_and_removed() -> None:
    one = talk(NEW)
    assert one.say(b"\t\tstats add\t--fields\ta\tm\tevent=x\n") == b"\n+\n"
    dumped = one.say(b"\t\tstats dump\t-f\tcount stddev no\n")
    assert dumped == b"m\tduration\t0\t0.00\t\tm\ta\t0\t0.00\t\t\n+\n"
    assert one.say(b"\t\tstats remove\tm\n") == b"\n+\n"
    assert one.log == []
    assert one.say(b"\t\tstats dump\n") == b"\n+\n"


def test_a_wrong_metric_is_told_by_different_processes() -> None:
    old, new = talk(OLD), talk(NEW)
    for one in (old, new):
        assert one.say(b"\t\tstats add\tm\tevent=\n") == b"\n+\n"
    words = "METRICS-ADD: event filter: syntax error, unexpected"
    assert old.log == [f"doveadm: Error: {words} $end"]
    assert new.log[0].startswith("stats: Error: conn unix:stats-reader (pid=")
    assert new.log[0].endswith(f"{words} end of file")
    assert new.log[1] == f"doveadm: Error: cmd stats add: {CONNECTION_CLOSED.decode()}"


def test_a_service_stops_until_the_next_reload() -> None:
    one = talk(NEW)
    listening = b"dict\t0\t0\t100\t1\t0\t0\t0\t0\tn\ty\tn\t0\t\n+\n"
    assert one.say(b"\t\tservice status\tdict\n") == listening
    assert one.say(b"\t\tservice stop\tdict\tnosuch\n") == b"\n-NOTFOUND\n"
    assert b"\tn\tn\ty\t0\t" in talk_again(one).say(b"\t\tservice status\tdict\n")
    assert one.say(b"\t\treload\n") == b"\n+\n"
    assert talk_again(one).say(b"\t\tservice status\tdict\n") == listening


def talk_again(first: Talk) -> Talk:
    """Return another connection to the same fake."""
    other = Talk(first.world.release.number, store=first.world.store)
    other.hello(0)
    return other


def test_log_errors_has_what_was_logged_as_error() -> None:
    new, old = talk(NEW), talk(OLD)
    for one in (old, new):
        one.world.store.clock.set(datetime(2026, 3, 1, 12, 30, 5, 678, UTC))
        assert one.say(b"\t\tnosuch\n") == b"\n-\n"
    text = b"doveadm: Client sent unknown command: nosuch"
    newer = b"Mar 01 12:30:05.000678\tdoveadm: \tError\tdoveadm: " + text
    assert new.say(b"\t\tlog errors\n") == newer + b"\t\n+\n"
    older = b"Mar 01 12:30:05\tdoveadm\tError\t" + text
    assert old.say(b"\t\tlog errors\n") == older + b"\t\n+\n"
    assert talk_again(new).say(b"\t\tlog errors\t-s\t1900000000\n") == b"\n+\n"
    new.world.store.restore()
    assert talk_again(new).say(b"\t\tlog errors\n") == b"\n+\n"


@pytest.mark.parametrize(
    ("command", "socket"),
    [
        (b"service status", "master"),
        (b"who", "anvil"),
        (b"kick\tx", "anvil"),
        (b"penalty", "anvil"),
        (b"log errors", "log-errors"),
        (b"stats dump", "stats-reader"),
        (b"oldstats reset", "old-stats"),
        (b"director dump", "director-admin"),
    ],
)
def test_a_process_that_opened_mail_reaches_no_socket_any_more(command: bytes, socket: str) -> None:
    one = talk(OLD)
    one.say(b"\ttss\tmailbox list\n")
    assert one.say(b"\t\t%b\n" % command) == b""
    assert not one.open
    path = f"/var/run/dovecot/{socket}"
    assert one.log == [f"doveadm(4242): Fatal: net_connect_unix({path}) failed: Permission denied"]


def test_newer_releases_keep_their_rights_and_so_does_a_failed_lookup() -> None:
    new, old = talk(NEW), talk(OLD)
    new.say(b"\ttss\tmailbox list\n")
    assert new.say(b"\t\twho\n") == b"\n+\n"
    assert old.say(b"\tnosuch\tmailbox list\n") == b"\n-NOUSER\n"
    assert old.say(b"\t\twho\n") == b"\n+\n"


def test_after_an_import_the_process_has_root_s_rights_until_it_is_about_a_user_again() -> None:
    one = talk(OLD)
    one.say(b"\ttss\tmailbox list\n")
    assert one.say(b"\ttss\timport\tmdbox:/nosuch\tx\tall\n") == b"\n+\n"
    assert one.say(b"\t\twho\n") == b"\n+\n"
    one.say(b"\ttss\tmailbox list\n")
    assert one.say(b"\t\twho\n") == b""


def test_looking_up_a_user_marks_the_log_lines_that_follow() -> None:
    one = Talk(NEW, peer=TCP)
    one.hello(0)
    one.say(PLAIN)
    for line in (b"\tnosuch\tmailbox list\n", b"\t\tpenalty\tx\n"):
        one.say(line)
    one.say(b"\ttss\tmailbox list\n")
    one.say(b"\t\tpenalty\tx\n")
    words = "cmd penalty: Invalid netmask 'x' given"
    assert one.log[1:] == [
        f"doveadm(127.0.0.1,nosuch): Error: {words}",
        f"doveadm(4242): Error: {words}",
    ]


def test_a_refused_command_announces_no_columns() -> None:
    one = Talk(NEW)
    one.hello(1)
    one.say(b"\t\twho\ta\tb\n")
    first = one.say(b"\t\tservice status\tdict\timap\n")
    assert first.startswith(b"\0\0\0\0\x1fdict\t")


def test_a_kick_of_nobody_announces_no_column() -> None:
    one = talk(OLD)
    assert one.say(b"\t\tkick\n") == b"\n-USAGE\n"
    assert one.say(b"\t\tproxy kick\tx\n") == b"0\t\n+\n"


def test_kick_counts_or_names() -> None:
    new, old = talk(NEW), talk(OLD)
    for one in (new, old):
        sessions(one, "bob", "alice", "alice")
        one.world.store.sessions.append(LoginSession("carl", pid=11))
    assert new.say(b"\t\tkick\talice\n") == b"2\t\n+\n"
    assert [one.user for one in new.world.store.sessions] == ["bob", "carl"]
    # The process 11 serves carl as well, and is killed.
    assert old.say(b"\t\tkick\tALI*\n") == b"alice\tcarl\t\n+\n"
    assert [one.user for one in old.world.store.sessions] == ["bob"]


def test_two_user_masks_kill_refuse_or_work() -> None:
    killed, refused, works = talk("2.4.1"), talk(OLD), talk("2.4.2")
    for one in (killed, refused, works):
        sessions(one, "bob", "alice")
    assert killed.say(b"\t\tkick\tbob\talice\n") == b""
    assert refused.say(b"\t\tkick\tbob\talice\n") == b"\n-USAGE\n"
    assert works.say(b"\t\tkick\tbob\talice\n") == b"2\t\n+\n"


def test_proxy_list_is_who_since_2_4() -> None:
    new, old = talk(NEW), talk(OLD)
    for one in (new, old):
        sessions(one, "bob")
    assert new.say(b"\t\tproxy list\n") == b"bob\t1\timap\t(10)\t(127.0.0.1)\t\n+\n"
    assert old.say(b"\t\tproxy list\n") == b"\n+\n"


def test_penalties_can_be_set() -> None:
    one = talk(NEW)
    moment = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    one.world.store.daemons.penalties.append(Penalty("10.0.0.7", 2, moment, moment))
    row = b"10.0.0.7\t2\t2026-03-01 12:30:00\t12:30:00\t\n+\n"
    assert one.say(b"\t\tpenalty\t10.0.0.0/8\n") == row
    assert one.say(b"\t\tpenalty\t[::1]\n") == b"\n+\n"


def test_an_instance_can_be_removed_once() -> None:
    one = talk(NEW)
    assert one.say(b"\t\tinstance list\tdovecot\n").startswith(b"/var/run/dovecot\tdovecot\t")
    assert one.say(b"\t\tinstance remove\t/var/run/dovecot\n") == b"\n+\n"
    assert one.say(b"\t\tinstance remove\tdovecot\n") == b"\n-NOTFOUND\n"
    assert small_store().daemons.listed


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        (b"lip=x", "lip: Invalid ip"),
        (b"rport=0", "rport: Invalid port number"),
        (b"foo=bar", "Unknown -x argument: foo=bar"),
    ],
)
def test_user_dies_of_wrong_auth_info(argument: bytes, words: str) -> None:
    one = talk(NEW)
    assert one.say(b"\t\tuser\t-x\t%b\ttss\n" % argument) == b""
    assert one.log == [f"doveadm: Fatal: {words}"]


def test_user_shows_a_limit_of_ones_own() -> None:
    one = talk(NEW)
    one.world.store.add_user("ann", quota="10M")
    answer = one.say(b"\t\tuser\t-f\tquota_storage_size\tann\ttss\n")
    assert answer == b'{"ann":{"quota_storage_size":"10M"},"tss":{}}\n+\n'


def test_fields_left_behind_come_with_the_status_if_nothing_came_before() -> None:
    one = Talk(NEW)
    one.hello(1)
    one.say(b"\ttss\tquota get\n")
    assert one.say(b"\t\tauth cache flush\ttss\n") == b"\0\0\0\0\x05\n+\n0\t"
    older = Talk("2.3.4.1")
    older.hello(1)
    older.say(b"\ttss\tquota get\n")
    answer = older.say(b"\t\tauth cache flush\ttss\n")
    assert answer.endswith(b"\0\0\0\0\x03\n+\n\0\0\0\0\x020\t")


def test_the_status_of_the_auth_cache_is_for_the_program_alone() -> None:
    assert talk("main").say(b"\t\tauth cache status\n") == b"\n-\n"


@pytest.mark.parametrize("users", [b"tss\nnobody\n", b"nobody\n"])
def test_an_old_process_has_the_rights_of_the_last_of_several_users(users: bytes) -> None:
    one = talk("2.3.19.1")
    one.world.store.files["users"] = users
    one.say(b"\ttss\tquota get\t-F\tusers\n")
    assert one.say(b"\t\twho\n") == b"\n+\n"


def test_a_list_of_users_that_cannot_be_read_leaves_an_old_process_its_rights() -> None:
    one = talk("2.3.19.1")
    one.say(b"\ttss\tquota get\t-F\tmissing\n")
    assert one.say(b"\t\twho\n") == b"\n+\n"
    one.say(b"\ttss\tquota get\n")
    one.say(b"\ttss\tquota get\t-F\tmissing\n")
    assert one.say(b"\t\twho\n") == b""


def test_a_user_who_is_not_there_gives_an_old_process_its_rights_back() -> None:
    one = talk(OLD)
    one.say(b"\ttss\tmailbox list\n")
    assert one.say(b"\tnosuch\tmailbox list\n") == b"\n-NOUSER\n"
    assert one.say(b"\t\twho\n") == b"\n+\n"


def test_the_auth_cache_explains_what_was_forbidden_and_nothing_else() -> None:
    one = talk(OLD)
    one.say(b"\ttss\tmailbox list\n")
    one.say(b"\t\tauth cache flush\t-a\tnosuch\tx\n")
    assert one.log[-1].endswith("connect(nosuch) failed: No such file or directory")
    one.say(b"\t\tauth cache flush\tx\n")
    assert one.log[-1].endswith("dir owned by 0:0 mode=0755)")
