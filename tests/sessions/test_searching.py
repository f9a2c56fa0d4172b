"""`search` and `expunge` on mailboxes that are there or not; answers of the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n%b--b--\n"
OK, NOTFOUND, USAGE = b"\n+\n", b"\n-NOTFOUND\n", b"\n-USAGE\n"


def talk_to(release: str) -> Talk:
    store = Store()
    user = store.add_user("tss")
    for name in ("INBOX", "Sent", "Trash"):
        box = user.mailbox(name, create=True)
        if name != "Trash":
            box.deliver(b"Subject: x\n\ny\n")
            box.deliver(b"Subject: x\n\ny\n")
        box.subscribed = True
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


def counts(talk: Talk) -> dict[str, int]:
    boxes = talk.world.store.users["tss"].mailboxes
    return {name: box.message_count for name, box in boxes.items()}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (b"search\tmailbox\tnope", "Couldn't get mailbox 'nope' GUID"),
        (b"expunge\tmailbox\tnope\tall", "Syncing mailbox 'nope' failed"),
    ],
)
def test_a_missing_mailbox(command: bytes, text: str) -> None:
    old, new = talk_to("2.3.19.1"), talk_to("2.4.1")
    assert old.say(b"\ttss\t%b\n" % command) == NOTFOUND
    assert old.log[-1].endswith(f"Error: {text}: Mailbox doesn't exist: nope")
    assert new.say(b"\ttss\t%b\n" % command) == OK
    assert new.log == []


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_name_that_no_mailbox_can_have(release: str) -> None:
    talk = talk_to(release)
    assert talk.say(b"\ttss\tsearch\tmailbox\t../x\n") == USAGE
    text = "Syncing mailbox ../x failed: Invalid mailbox name: Contains '..' part"
    assert talk.log[-1].endswith(text)


def test_each_missing_mailbox_is_told_and_the_others_are_searched() -> None:
    talk = talk_to("2.3.19.1")
    assert talk.say(b"\ttss\tsearch\tmailbox\tnope\tmailbox\tgone\n") == NOTFOUND
    assert [line.rpartition(" ")[2] for line in talk.log] == ["nope", "gone"]


def test_2_3_crashes_where_threads_are_sought_in_a_missing_mailbox() -> None:
    command = b"\ttss\tsearch\tmailbox\tnope\tinthread\trefs\tall\n"
    old, new = talk_to("2.3.19.1"), talk_to("2.4.1")
    old.say(command)
    assert not old.open
    assert new.say(command) == OK


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (b"mailbox\tINBOX\tall", {"INBOX": 0, "Sent": 2, "Trash": 0}),
        (b"mailbox\tINBOX\t1\tmailbox\tINBOX", {"INBOX": 0, "Sent": 2, "Trash": 0}),
        (b"mailbox\t*\t*", {"INBOX": 1, "Sent": 1, "Trash": 0}),
        (b"mailbox\tINBOX\tnot\tall", {"INBOX": 2, "Sent": 2, "Trash": 0}),
    ],
)
def test_expunge(query: bytes, left: dict[str, int]) -> None:
    talk = talk_to("2.4.1")
    assert talk.say(b"\ttss\texpunge\t%b\n" % query) == OK
    assert counts(talk) == left


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (b"mailbox\tSent\tall", ["INBOX", "Trash"]),
        (b"mailbox\tSent\tuid\t1", ["INBOX", "Sent", "Trash"]),
        (b"mailbox\tTrash\tuid\t9", ["INBOX", "Sent"]),
        # Nothing is left of a query that contradicts itself, not even its mailbox.
        (b"mailbox\tSent\tseen\tunseen", ["INBOX", "Sent"]),
    ],
)
def test_expunge_deletes_mailboxes_that_are_empty_then(query: bytes, left: list[str]) -> None:
    talk = talk_to("2.4.1")
    assert talk.say(b"\ttss\texpunge\t-d\t%b\n" % query) == OK
    user = talk.world.store.users["tss"]
    assert sorted(user.mailboxes) == left
    assert [name for name in user.subscriptions if name != "INBOX"] == left[1:]


def test_a_mailbox_deleted_on_the_way_is_missing_the_second_time() -> None:
    command = b"\ttss\texpunge\t-d\tmailbox\tSent\tmailbox\tSent\tall\n"
    assert talk_to("2.3.19.1").say(command) == NOTFOUND
    assert talk_to("2.4.1").say(command) == OK


def test_numbers_stay_fitted_from_user_to_user() -> None:
    store = Store()
    for name, count in (("a", 1), ("b", 3)):
        for _ in range(count):
            store.add_user(name) if name not in store.users else None
            store.users[name].mailbox("INBOX").deliver(b"x\n")
    talk = Talk("2.4.1", store=store)
    talk.hello(0)
    fields = talk.say(b"\t\tsearch\t-A\t2:*\n").split(b"\t")
    assert fields[0::3][:2] == [b"a", b"b"]
    assert fields[2::3] == [b"1", b"1"]


@pytest.mark.parametrize("query", [b"mailbox\tInbox", b"all", b"mailbox\tSent\tmailbox\tIN*"])
def test_a_negated_inthread_kills_where_a_mailbox_is_searched(query: bytes) -> None:
    client = Talk("2.4.1")
    client.hello(0)
    assert client.say(b"\ttss\tsearch\t%b\tnot\tinthread\trefs\tall\n" % query) == b""
    assert not client.open


@pytest.mark.parametrize("query", [b"mailbox\tMissing", b"mailbox\tM*"])
def test_a_negated_inthread_harms_no_one_where_nothing_is_searched(query: bytes) -> None:
    client = Talk("2.4.1")
    client.hello(0)
    assert client.say(b"\ttss\tsearch\t%b\tnot\tinthread\trefs\tall\n" % query) == b"\n+\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (b"search", "Couldn't get mailbox 'Missing' GUID: Mailbox doesn't exist: Missing"),
        (b"fetch\tuid", None),
        (b"flags add\t\\Seen", None),
        (b"rebuild attachments", None),
    ],
)
@pytest.mark.parametrize("negated", [b"", b"not\t"])
def test_threads_of_a_missing_mailbox_kill(
    command: bytes, told: str | None, negated: bytes
) -> None:
    client = Talk("2.3.19.1")
    client.hello(0)
    line = b"\ttss\t%b\tmailbox\tMissing\t%binthread\trefs\tall\n" % (command, negated)
    assert client.say(line) == b""
    assert not client.open
    assert any(line.endswith("Missing") for line in client.log) is (told is not None)
    assert told is None or client.log[0].endswith(told)


# Such a key is not looked at: there is nothing from there on.
@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"not\tmodseq\t100", 0),
        (b"not\tmodseq\t100\tuid\t1", 0),
        (b"not\t(\tmodseq\t100\tor\tuid\t1\t)", 0),
        (b"not\t(\tmodseq\t100\tuid\t1\t)", 2),
    ],
)
def test_not_a_modseq_that_was_not_reached_finds_nothing(
    release: str, query: bytes, found: int
) -> None:
    answer = talk_to(release).say(b"\ttss\tfetch\tuid\tmailbox\tINBOX\t%b\n" % query)
    assert answer.count(b"\t") == found


# Asked of both: what comes before is answered. What is asked of children does no harm.
@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
@pytest.mark.parametrize(
    ("key", "end"),
    [(b"filename\tis\ta.txt", b""), (b"child\t(\tfilename\tis\ta.txt\t)", OK)],
)
def test_a_compared_file_name_kills_behind_the_next_mailbox(
    release: str, key: bytes, end: bytes
) -> None:
    talk = talk_to(release)
    mail = b"Content-Disposition: attachment; filename=a.txt\n\nx\n"
    talk.world.store.users["tss"].mailbox("INBOX").deliver(MIXED % mail)
    query = b"\tmimepart\t(\t%b\t)\n" % key
    once = b"\ttss\tfetch\tuid\tmailbox\tINBOX"
    assert talk.say(once + query) == b"3\t" + OK
    assert talk.say(once + b"\tmailbox\tINBOX" + query) == b"3\t3\t" + end


@pytest.mark.parametrize(
    ("query", "modseqs"),
    [(b"MODSEQ\t9", b"1\t2\t2\t3\t"), (b"SEEN", b"1\t3\t2\t3\t")],
)
def test_a_search_by_modseq_has_even_an_empty_mailbox_keep_them(
    query: bytes, modseqs: bytes
) -> None:
    talk = Talk("2.4.1")
    talk.hello(0)
    box = talk.world.store.users["tss"].mailbox("Empty", create=True)
    assert talk.say(b"\ttss\tsearch\tMAILBOX\tEmpty\t" + query + b"\n") == b"\n+\n"
    box.append([box.draft(b""), box.draft(b"", ["Work"])])
    assert talk.say(b"\ttss\tfetch\tuid modseq\tMAILBOX\tEmpty\n") == modseqs + b"\n+\n"
