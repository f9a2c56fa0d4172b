"""ACL and metadata commands, for what the recordings do not ask; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk

OK = b"\n+\n"
BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])


def ask(release: str, *commands: bytes) -> list[bytes]:
    talk = Talk(release)
    talk.hello(0)
    return [talk.say(b"\ttss\t" + command + b"\n") for command in commands]


@BOTH
def test_rights_that_are_taken_away_stand_last(release: str) -> None:
    *_, listed, rights = ask(
        release,
        b"acl set\t--\tINBOX\towner\tread\tlookup\t-read",
        b"acl get\tINBOX",
        b"acl rights\tINBOX",
    )
    assert listed == b"owner\t\tlookup read -read\t\n+\n"
    assert rights == b"lookup\t\n+\n"


@BOTH
@pytest.mark.parametrize(
    ("line", "last_words"),
    [
        (b"acl set\tINBOX\tbob\tread", "Invalid ID: bob"),
        (b"acl set\tINBOX\tuser=bob\tlr", "Invalid right 'lr'"),
        (b"acl remove\tINBOX\tuser=bob", "Usage: acl set "),
        (b"acl delete\tINBOX", "Usage: acl delete "),
    ],
)
def test_the_process_dies_of_bad_arguments(release: str, line: bytes, last_words: str) -> None:
    talk = Talk(release)
    talk.hello(0)
    assert talk.say(b"\ttss\t" + line + b"\n") == b""
    assert not talk.open
    assert last_words in talk.log[-1]


def test_the_sharing_map_fails_where_an_acl_matters_for_it() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    for line in (b"acl set\tINBOX\tuser=bob\tread", b"acl add\tINBOX\towner\tlookup"):
        talk.say(b"\ttss\t" + line + b"\n")
    assert talk.log == []
    talk.say(b"\ttss\tacl add\tINBOX\tuser=bob\tlookup\n")
    assert talk.log[-1].endswith("file_dotlock_open(/var/run/dict) failed: Permission denied")
    assert talk.say(b"\ttss\tacl recalc\n") == b"\n-TEMPFAIL\n"
    talk.say(b"\ttss\tacl delete\tINBOX\tuser=bob\n")
    assert talk.say(b"\ttss\tacl recalc\n") == OK


@BOTH
def test_a_mailbox_that_must_not_be_seen(release: str) -> None:
    _, _, listed, renamed, path = ask(
        release,
        b"mailbox create\tA",
        b"acl set\tA\towner\tread",
        b"mailbox list\t*",
        b"mailbox rename\tA\tB",
        b"mailbox create\tA/x",
    )
    assert (listed, renamed, path) == (b"INBOX\t\n+\n", b"\n-NOTFOUND\n", b"\n-NOPERM\n")


@BOTH
def test_metadata_that_are_always_there_come_last(release: str) -> None:
    *_, listed, some, value = ask(
        release,
        b"mailbox create\tA",
        b"mailbox metadata set\tA\t/PRIVATE/Comment\tx",
        b"mailbox metadata set\tA\t/private/comment/more\ty",
        b"mailbox metadata list\t-p\tA",
        b"mailbox metadata list\tA\t/private/comm",
        b"mailbox metadata get\tA\t/private/comment",
    )
    assert listed == (
        b"/private/comment/more\t/private/comment\t/private/specialuse\t/shared/comment\t\n+\n"
    )
    assert some == b"ent/more\tent\t\n+\n"
    assert value == b"x\t\n+\n"


@BOTH
def test_the_servers_metadata_are_inboxs(release: str) -> None:
    stored, refused, value, nameless = ask(
        release,
        b"mailbox metadata set\t-s\t\t/shared/foo\tx",
        b"mailbox metadata set\t-s\t\t/shared/admin\tx",
        b"mailbox metadata get\tINBOX\t/shared/vendor/vendor.dovecot/pvt/server/foo",
        b"mailbox metadata get\t\t/shared/foo",
    )
    assert (stored, refused) == (OK, b"\n-DATAERR\n")
    assert (value, nameless) == (b"x\t\n+\n", b"\n-USAGE\n")


def test_metadata_go_with_the_guid() -> None:
    *_, value = ask(
        "2.4.1",
        b"mailbox metadata set\tINBOX\t/private/a\tx",
        b"mailbox update\t-g\t0123456789abcdef0123456789abcdef\tINBOX",
        b"mailbox metadata get\tINBOX\t/private/a",
    )
    assert value == b"\t\n+\n"


@BOTH
def test_a_new_mailbox_gets_the_acl_of_the_nearest_one_above(release: str) -> None:
    *_, deep, counted, below = ask(
        release,
        *(b"acl set\tINBOX\tuser=bob\tlookup", b"acl set\tINBOX\tuser=ann\tpost"),
        *(b"mailbox create\tINBOX/no/deep", b"acl get\tINBOX/no/deep"),
        b"mailbox status\thighestmodseq\tINBOX/no/deep",
        b"mailbox create\tINBOX/no/deep/x",
    )
    assert deep == b"user=ann\t\tpost\tuser=bob\t\tlookup\t\n+\n"
    assert (counted, below) == (b"INBOX/no/deep\t1\t\n+\n", OK)


def test_the_sharing_map_fails_for_each_identifier_that_is_inherited() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    for who in (b"user=bob\tlookup", b"owner\tlookup\tcreate"):
        talk.say(b"\ttss\tacl set\tINBOX\t" + who + b"\n")
    before = len(talk.log)
    talk.say(b"\ttss\tmailbox create\tINBOX/x\n")
    assert len(talk.log) == before + 2


@BOTH
@pytest.mark.parametrize(
    ("rights", "status"),
    [
        (b"read", b"\n-NOTFOUND\n"),
        (b"lookup", b"\n-NOPERM\n"),
        (b"lookup\twrite-deleted", b"\n-NOPERM\n"),
        (b"lookup\tpost", b"\t\n+\n"),
        (b"lookup\twrite-seen", b"\t\n+\n"),
    ],
)
def test_metadata_take_lookup_and_one_right_more(
    release: str, rights: bytes, status: bytes
) -> None:
    answers = ask(
        release,
        *(b"mailbox create\tS", b"acl set\tS\towner\t" + rights),
        *(b"mailbox metadata get\tS\t/private/x", b"mailbox metadata get\tS\t/private/"),
        b"mailbox metadata get\tnope\t/private/specialuse",
    )
    empty_key = b"\t\n+\n" if release == "2.4.1" else status
    assert answers[2:] == [status, empty_key, b"\t\n+\n"]


@BOTH
@pytest.mark.parametrize(
    ("rights", "status"),
    [
        (b"lookup\tread", b"\n-NOPERM\n"),
        (b"admin", b"\n-NOTFOUND\n"),
        (b"lookup\tadmin", b"\n-NOPERM\n"),
        (b"lookup\tadmin\tread", OK),
    ],
)
def test_updating_takes_admin_and_then_what_opening_takes(
    release: str, rights: bytes, status: bytes
) -> None:
    set_, updated = ask(
        release, b"acl set\tINBOX\towner\t" + rights, b"mailbox update\t-N\t9\tINBOX"
    )
    assert (set_, updated) == (OK, status)


@BOTH
def test_an_inbox_that_must_not_be_seen_is_listed_but_not_counted(release: str) -> None:
    *_, listed, counted, renamed = ask(
        release,
        *(b"acl set\tINBOX\towner\tread", b"mailbox list", b"mailbox status\tmessages\t*"),
        b"mailbox rename\tINBOX\tX",
    )
    assert (listed, counted, renamed) == (b"INBOX\t\n+\n", OK, b"\n-NOTFOUND\n")


def test_the_mailbox_is_named_in_each_line() -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    assert talk.say(b"\ttss\tacl get\ta\x01nb\n") == b"\n-NOTFOUND\n"
    first, second = (line.partition("Error: ")[2] for line in talk.log)
    assert first == "Mailbox a?b: Can't open mailbox: Mailbox doesn't exist: a"
    assert second == "Mailbox a?b: b"


@pytest.mark.parametrize(
    ("release", "answer"), [("2.3.19.1", b"\n-NOTFOUND\n"), ("2.4.1", b"\t\n+\n")]
)
def test_an_empty_key_of_no_mailbox_is_read_without_looking_in_2_4(
    release: str, answer: bytes
) -> None:
    assert ask(release, b"mailbox metadata get\tnosuch\t/private/") == [answer]


@BOTH
def test_a_right_behind_a_colon_may_be_any(release: str) -> None:
    added, listed = ask(release, b"acl add\tINBOX\tuser=bob\t:lr\tdelete", b"acl get\tINBOX")
    assert (added, listed) == (b"\n+\n", b"user=bob\t\tdelete lr\t\n+\n")
