"""Mailbox commands where mailboxes and bare folders meet; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk


def ask(release: str, *commands: bytes) -> list[bytes]:
    talk = Talk(release)
    talk.hello(0)
    return [talk.say(b"\ttss\t" + command + b"\n") for command in commands]


OK = b"\n+\n"
BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])


@BOTH
@pytest.mark.parametrize(
    ("line", "made"),
    [
        *((b"quota get", True), (b"quota recalc", True), (b"mailbox status\tmessages\t*", True)),
        *(
            (b"fetch\tuid\tall", True),
            (b"fetch\tuid\tmailbox\tI*\tall", True),
            (b"index\tI*", True),
        ),
        *((b"mailbox create\tQ", True), (b"save\t-m\tINBOX/a\nx\n.", True), (b"purge", False)),
        *((b"mailbox list", False), (b"mailbox status\tguid\t*", False), (b"index\tS*", False)),
        *((b"mailbox status\tmessages\tS*", False), (b"fetch\tuid\tmailbox\tS*\tall", False)),
    ],
)
def test_an_inbox_with_children_comes_back_by_being_opened(
    release: str, line: bytes, made: bool
) -> None:
    lines = (b"mailbox create\tINBOX/a", b"mailbox delete\tINBOX", line, b"mailbox create\tINBOX")
    assert ask(release, *lines)[-1] == (b"\n-DATAERR\n" if made else OK)


@BOTH
def test_an_inbox_without_children_does_not(release: str) -> None:
    lines = (b"mailbox delete\tINBOX", b"mailbox list", b"quota get", b"mailbox create\tINBOX")
    assert ask(release, *lines)[-1] == OK


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_bare_folder_can_be_deleted(release: str) -> None:
    made, gone, listed = ask(release, b"mailbox create\tF/", b"mailbox delete\tF", b"mailbox list")
    assert (made, gone, listed) == (OK, OK, b"INBOX\t\n+\n")


def test_deleting_recursively_takes_the_folder_that_is_no_mailbox_in_2_3() -> None:
    answers = ask("2.3.19.1", b"mailbox create\tNew/Deep", b"mailbox delete\t-r\tNew")
    assert answers == [OK, OK]


@pytest.mark.parametrize(("release", "status"), [("2.3.19.1", OK), ("2.4.1", b"\n-NOTFOUND\n")])
def test_deleting_recursively_below_a_bare_folder(release: str, status: bytes) -> None:
    answers = ask(release, b"mailbox create\tK/L/M/", b"mailbox delete\t-r\tK/L")
    assert answers == [OK, status]


@pytest.mark.parametrize(
    ("release", "left"), [("2.3.19.1", b"A\tINBOX\t\n+\n"), ("2.4.1", b"INBOX\t\n+\n")]
)
def test_2_4_deletes_a_parent_with_its_last_child(release: str, left: bytes) -> None:
    *_, listed = ask(release, b"mailbox create\tA/B", b"mailbox delete\tA/B", b"mailbox list")
    assert listed == left


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_folder_with_children_stays(release: str) -> None:
    _, refused = ask(release, b"mailbox create\tA/B", b"mailbox delete\tA")
    assert refused == b"\n-DATAERR\n"


@BOTH
def test_renaming_takes_the_children_and_the_empty_parents(release: str) -> None:
    *_, listed = ask(
        release,
        b"mailbox create\tA/B/C\tD",
        b"mailbox rename\tA/B\tX/Y",
        b"mailbox list",
    )
    assert listed == b"X\tX/Y\tX/Y/C\tD\tINBOX\t\n+\n"


@BOTH
@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"nope", b"a//b", b"-USAGE"),
        (b"nope", b"nope", b"-DATAERR"),
        (b"nope", b"inbox", b"-DATAERR"),
        (b"nope", b"x", b"-NOTFOUND"),
        (b"A", b"A/B", b"-TEMPFAIL"),
    ],
)
def test_why_renaming_is_refused(release: str, old: bytes, new: bytes, status: bytes) -> None:
    _, refused = ask(release, b"mailbox create\tA", b"mailbox rename\t%b\t%b" % (old, new))
    assert refused == b"\n%b\n" % status


@BOTH
def test_subscriptions_move_even_if_the_mailbox_does_not(release: str) -> None:
    *_, refused, listed = ask(
        release,
        b"mailbox subscribe\tX/Y\tX\tgone",
        b"mailbox rename\t-s\tgone\tnew",
        b"mailbox list\t-s",
    )
    assert (refused, listed) == (b"\n-NOTFOUND\n", b"X\tX/Y\tnew\t\n+\n")


@BOTH
def test_a_renamed_inbox_comes_back_when_somebody_looks(release: str) -> None:
    _, without, empty, both = ask(
        release,
        b"mailbox rename\tinbox\tOld",
        b"mailbox status\tmessages\t*",
        b"mailbox status\tmessages\tINBOX",
        b"mailbox status\tmessages\t*",
    )
    assert without == b"Old\t1\t\n+\n"
    assert empty == b"INBOX\t0\t\n+\n"
    assert both == b"Old\t1\tINBOX\t0\t\n+\n"


@BOTH
def test_a_deleted_inbox_comes_back_below_a_new_mailbox(release: str) -> None:
    deleted, refused, made = ask(
        release,
        b"mailbox delete\tINBOX",
        b"mailbox create\tinbox/x\tINBOX",
        b"mailbox list",
    )
    assert deleted == b"\n+\n"
    assert refused == b"\n-DATAERR\n"
    assert made.endswith(b"INBOX/x\tINBOX\t\n+\n")


@BOTH
def test_updating_counters(release: str) -> None:
    updated, status = ask(
        release,
        b"mailbox update\t-H\t50\t-N\t20\t-V\t7\t-R\t9\tINBOX",
        b"mailbox status\trecent uidnext uidvalidity highestmodseq\tINBOX",
    )
    assert (updated, status) == (OK, b"INBOX\t0\t20\t7\t50\t\n+\n")


@pytest.mark.parametrize(
    ("release", "value", "answer"),
    [
        ("2.3.19.1", b"-5", b""),
        ("2.3.19.1", b"4294967296", b""),
        ("2.4.1", b"-5", b"\n-USAGE\n"),
        ("2.4.1", b"x", b"\n-USAGE\n"),
        ("2.4.1", b"4294967296", b""),
    ],
)
def test_numbers_that_are_none(release: str, value: bytes, answer: bytes) -> None:
    assert ask(release, b"mailbox update\t-V\t%b\tINBOX" % value) == [answer]


@BOTH
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (b"dir", b"/home/tss/mdbox/mailboxes/T&APY-"),
        (b"alt-mailbox", b"/home/tss/alt/mailboxes/T&APY-/dbox-Mails"),
        (b"index-private", None),
    ],
)
def test_paths(release: str, kind: bytes, path: bytes | None) -> None:
    (answer,) = ask(release, b"mailbox path\t-t\t%b\tT\xc3\xb6" % kind)
    assert answer == (OK if path is None else path + b"\t\n+\n")


@BOTH
def test_cache_decisions_are_kept(release: str) -> None:
    *_, kept = ask(
        release,
        b"mailbox cache decision\t-f\tdate.sent\t-d\tyes\tINBOX",
        b"mailbox cache decision\t-f\tdate.sent\t-l\t1000\tINBOX",
        b"mailbox cache decision\t-f\tDATE.SENT\tINBOX",
    )
    assert kept == b"INBOX\tDATE.SENT\tyes\t1970-01-01 00:16:40 UTC\t\n+\n"


def words(release: str, *commands: bytes) -> tuple[list[bytes], list[str]]:
    """Return the answers, and what the log says after its prefixes."""
    talk = Talk(release)
    talk.hello(0)
    answers = [talk.say(b"\ttss\t" + command + b"\n") for command in commands]
    return answers, [line.partition("Can't ")[2] for line in talk.log]


@BOTH
def test_mailboxes_are_deleted_backwards(release: str) -> None:
    answers, log = words(release, b"mailbox delete\tb\ta\tB\ta/b\t../x")
    assert answers == [b"\n-NOTFOUND\n"]
    assert [line.split(":")[0].split()[-1] for line in log] == ["b", "a/b", "a", "B", "../x"]


@BOTH
def test_deleting_recursively_takes_wildcards_for_what_is_below(release: str) -> None:
    answers = ask(
        release,
        *(b"mailbox create\tA/B\tC", b"mailbox delete\t-r\t*", b"mailbox status\tmessages\tA/B"),
        *(b"mailbox delete\t-r\t", b"mailbox list"),
    )
    assert answers[1:] == [b"\n-NOTFOUND\n", b"\n-NOTFOUND\n", OK, b"INBOX\t\n+\n"]


@BOTH
def test_inbox_is_listed_behind_all_others_and_may_be_written_in_any_case(release: str) -> None:
    *_, listed, status, only = ask(
        release,
        *(b"mailbox create\tinbox/Sub", b"mailbox list", b"mailbox status\tmessages\tiNBOX/Sub"),
        b"mailbox list\tinbox\tinbox/S*",
    )
    assert listed == b"INBOX/Sub\tINBOX\t\n+\n"
    assert status == b"INBOX/Sub\t0\t\n+\n"
    # Without a wildcard one of several masks is a name as it is written.
    assert only == b"INBOX/Sub\t\n+\n"


@BOTH
def test_a_single_name_is_listed_on_trust_even_among_subscriptions(release: str) -> None:
    assert ask(release, b"mailbox list\t-s\tnope") == [b"nope\t\n+\n"]


@BOTH
def test_why_renaming_fails_comes_in_this_order(release: str) -> None:
    _, log = words(
        release,
        *(b"mailbox rename\tnope\tdbox-Mails", b"mailbox rename\tinbox\tINBOX"),
        *(b"mailbox rename\tnope\tINBOX", b"mailbox rename\tinbox/x\ty"),
    )
    assert log == [
        "rename mailbox nope to dbox-Mails: Invalid mailbox name: Contains reserved name",
        "rename mailbox inbox to INBOX: Can't rename mailbox to itself.",
        "rename mailbox nope to INBOX: Target mailbox already exists",
        "rename mailbox inbox/x to y: Mailbox doesn't exist: INBOX/x",
    ]


@BOTH
def test_the_folder_of_a_deleted_inbox_can_be_renamed(release: str) -> None:
    *_, renamed, listed = ask(
        release,
        *(b"mailbox create\tINBOX/a", b"mailbox delete\tINBOX", b"mailbox rename\tINBOX\tZ"),
        b"mailbox list",
    )
    assert (renamed, listed) == (OK, b"Z\tZ/a\tINBOX\t\n+\n")


@pytest.mark.parametrize(
    ("release", "answer"), [("2.3.19.1", b"INBOX\t1\t2\t1\t\n+\n"), ("2.4.1", b"")]
)
def test_a_status_option_is_one_field_since_2_4(release: str, answer: bytes) -> None:
    command = b"mailbox status\t-f\tmessages uidnext\t-f\tunseen\tx\tINBOX"
    assert ask(release, command) == [answer]


def test_an_empty_name_is_one_beside_a_status_option() -> None:
    assert ask("2.3.19.1", b"mailbox status\t-f\tall\t") == [b"\n-USAGE\n"]


# Asked of 2.3.19.1: it goes on without the decision, or dies where it was busy before.
def test_a_decision_that_is_none_in_2_3() -> None:
    talk = Talk("2.3.19.1")
    talk.hello(0)
    line = b"\ttss\tmailbox cache decision\t-f\tflags\t-d\tx\t%b\n"
    assert talk.say(line % b"nosuch") == b"\n-NOTFOUND\n"
    assert talk.log[:2] == [
        "doveadm: Error: Invalid decision 'x': must be one of yes, temp, no",
        "doveadm: Error: Invalid parameter d",
    ]
    assert talk.say(line % b"INBOX") == b""
    assert "assertion failed: (cctx != NULL)" in talk.log[-1]


def test_a_decision_that_is_none_comes_before_the_user() -> None:
    talk = Talk("2.3.19.1")
    talk.hello(0)
    line = b"\tnobody\tmailbox cache decision\t-f\tflags\t-d\tx\tINBOX\n"
    assert talk.say(line) == b"\n-NOUSER\n"
    assert [entry.partition(": ")[2] for entry in talk.log] == [
        "Error: Invalid decision 'x': must be one of yes, temp, no",
        "Error: Invalid parameter d",
        "Error: User doesn't exist",
    ]
    assert talk.say(line) == b""
    assert "assertion failed: (cctx != NULL)" in talk.log[-1]


@pytest.mark.parametrize("before", [b"\t\tuser\ttss\n", b"\tnobody\tmailbox list\n"])
def test_a_decision_that_is_none_kills_who_looked_a_user_up(before: bytes) -> None:
    talk = Talk("2.3.19.1")
    talk.hello(0)
    talk.say(before)
    assert talk.say(b"\ttss\tmailbox cache decision\t-a\t-d\tx\tINBOX\n") == b""
    assert not talk.open


def test_a_decision_that_is_none_comes_before_the_missing_fields() -> None:
    talk = Talk("2.3.19.1")
    talk.hello(0)
    assert talk.say(b"\ttss\tmailbox cache decision\t-d\tx\tINBOX\n") == b""
    assert [line.partition(": ")[2] for line in talk.log] == [
        "Error: Invalid decision 'x': must be one of yes, temp, no",
        "Error: Invalid parameter d",
        "Fatal: Missing fields parameter",
    ]


def test_a_resync_crashes_of_a_name_only_for_users_that_there_are() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\tnobody\tforce-resync\t../x\n") == b"\n-NOUSER\n"
    assert talk.say(b"\ttss\tforce-resync\t../x\n") == b""


LONG = b"x" * 256


@pytest.mark.parametrize(
    ("line", "said", "why"),
    [
        (b"mailbox delete\t" + LONG, "Can't delete mailbox {}", "BUG: Unknown internal error"),
        (b"mailbox rename\t%b\tSent" % LONG, "Can't rename mailbox {} to Sent", "Internal error"),
        (b"mailbox update\t-N\t9\t" + LONG, "Cannot update {}", "Internal error"),
        (b"copy\t%b\tall" % LONG, "Can't open mailbox '{}'", "BUG: Unknown internal error"),
        (
            b"mailbox metadata get\t%b\t/private/x" % LONG,
            "Failed to get attribute",
            "Internal error",
        ),
        (
            b"mailbox metadata unset\t%b\t/private/x" % LONG,
            "Failed to open mailbox",
            "BUG: Unknown internal error",
        ),
    ],
)
@pytest.mark.parametrize(("release", "prefix"), [("2.3.19.1", ""), ("2.4.1", "acl: ")])
def test_a_name_that_the_file_system_does_not_take(
    release: str, prefix: str, line: bytes, said: str, why: str
) -> None:
    talk = Talk(release)
    talk.hello(0)
    talk.world.store.users["tss"].create_mailbox("Sent")
    assert talk.say(b"\ttss\t" + line + b"\n") == b"\n-TEMPFAIL\n"
    opened, failed = (entry.partition("Error: ")[2] for entry in talk.log)
    name = LONG.decode()
    path = f"/home/tss/mdbox/mailboxes/{name}/dbox-Mails/dovecot-acl"
    assert opened == f"{prefix}open({path}) failed: File name too long"
    assert f"{said.format(name)}: {why}" in failed


@BOTH
def test_listing_the_metadata_of_such_a_name_fails_for_each_type(release: str) -> None:
    talk = Talk(release)
    talk.hello(0)
    said = talk.say(b"\ttss\tmailbox metadata list\t%b\n" % LONG)
    assert said == b"comment\tspecialuse\tcomment\t\n-TEMPFAIL\n"
    assert ["too long" in entry for entry in talk.log] == [True, False, True, False]


# The system does not get to the part that is too long.
@BOTH
def test_a_long_name_below_nothing_is_just_not_there(release: str) -> None:
    deleted, below = ask(release, b"mailbox delete\tno/" + LONG, b"mailbox delete\tINBOX/" + LONG)
    assert (deleted, below) == (b"\n-NOTFOUND\n", b"\n-TEMPFAIL\n")


@BOTH
def test_the_cache_of_a_wrong_name_has_no_messages(release: str) -> None:
    talk = Talk(release)
    talk.hello(0)
    query = b"mailbox\tINBOX\tnot\t(\tmailbox\t../x\tseen\t)"
    said = talk.say(b"\ttss\tmailbox cache remove\t%b\n" % query)
    assert said == b"INBOX\t1\tok\t\n-USAGE\n"
    assert talk.log[-1].endswith(
        "Syncing mailbox ../x failed: Invalid mailbox name: Contains '..' part"
    )


@pytest.mark.parametrize(
    ("release", "left"),
    [("2.3.19.1", b"A\tA/B\tA/B/C\tINBOX\t\n+\n"), ("2.4.1", b"A\tINBOX\t\n+\n")],
)
def test_a_rename_of_nothing_leaves_folders_for_the_new_name(release: str, left: bytes) -> None:
    *_, listed = ask(release, b"mailbox rename\tGone\tA/B/C/D", b"mailbox list")
    assert listed == left


@BOTH
def test_a_rename_to_the_top_leaves_nothing(release: str) -> None:
    refused, listed = ask(release, b"mailbox rename\tGone\tA", b"mailbox list")
    assert (refused, listed) == (b"\n-NOTFOUND\n", b"INBOX\t\n+\n")


def test_an_inbox_renamed_away_cannot_be_deleted_where_a_release_keeps_it() -> None:
    talk = Talk("2.1.16")
    talk.hello(0)
    assert talk.say(b"\ttss\tmailbox rename\tINBOX\tOld\n").endswith(b"\n+\n")
    assert talk.say(b"\ttss\tmailbox delete\tINBOX\n").endswith(b"\n-\n")
    assert talk.log[-1].endswith("Can't delete mailbox INBOX: INBOX can't be deleted.")
