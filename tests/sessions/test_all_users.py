"""What `-A` and `-F` leave behind on a connection; measured on the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk


# 2.3.19.1 forgets its process id for -F only, 2.4.1 for -A too.
@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_file_of_users_costs_the_log_its_process_id(release: str) -> None:
    talk = Talk(release)
    talk.hello(0)
    talk.say(b"\ttss\tmailbox list\n")
    talk.say(b"\ttss\tmailbox list\t-F\t/nonexist\n")
    read, failed = talk.log
    assert read.startswith("doveadm(4242): Error: ")
    assert failed.startswith("doveadm: Error: ")
    talk.say(b"\t\tdict get\tfile:/x\tx\n")
    assert talk.log[-1].startswith("doveadm: Error: ")


# `purge` has no columns, but with -A the one of user names counts on this connection.
def test_the_column_of_user_names_counts_where_there_is_no_other() -> None:
    talk = Talk("2.3.19.1")
    talk.hello(0)
    talk.say(b"\ttss\tpurge\t-A\n")
    command = b"\t\tfs get\tposix\tprefix=/nonexist/\tx\n"
    assert talk.say(command) == b"\n-NOTFOUND\n\t"
    assert talk.say(command) == b"\n-NOTFOUND\n\t"


# 2.4.1 alone asks them of several users; `mailbox status` is about all of them.
@pytest.mark.parametrize(
    ("command", "users"),
    [
        (b"mailbox cache purge\t-A\tnosuch", ["ann"]),
        (b"mailbox cache decision\t-A\t-a\tnosuch", ["ann"]),
        (b"mailbox status\t-A\tuidnext\tnosuch", ["ann", "bob"]),
    ],
)
def test_a_failure_ends_what_cache_commands_do_for_all(command: bytes, users: list[str]) -> None:
    store = Store()
    for name in ("ann", "bob"):
        store.add_user(name)
    talk = Talk("2.4.1", store=store)
    talk.hello(0)
    assert talk.say(b"\tann\t" + command + b"\n") == b"\n-NOTFOUND\n"
    assert [line.partition("(")[2].partition(")")[0] for line in talk.log] == users
