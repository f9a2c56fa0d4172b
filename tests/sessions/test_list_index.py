"""Which commands bring the index of the list of mailboxes up to date; all of it was measured.

A rename that makes folders leaves the index behind. Who misses a mailbox next, or makes one
that is there, is told of the last of the folders instead, if nobody has refreshed the index.
"""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk, small_store

BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
RENAMED = b"mailbox rename\tTrash\tZed/Trash"


def talk_to(release: str) -> Talk:
    store = small_store()
    tss = store.users["tss"]
    for name in ("Archive", "Archive/2024", "Sent", "Trash"):
        tss.create_mailbox(name)
    tss.mailbox("Archive/2024").deliver(b"Subject: a\r\n\r\nb\r\n")
    for box in tss.mailboxes.values():
        box.synchronize()
    store.add_user("ann")
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


def said(talk: Talk, *lines: bytes) -> str:
    """Give commands, and return why the last has failed."""
    for line in lines:
        talk.world.log.clear()
        talk.say(b"\ttss\t" + line + b"\n")
    return talk.log[-1].rpartition(": Mailbox ")[2] if talk.log else ""


@BOTH
@pytest.mark.parametrize(
    "line",
    [
        *(b"mailbox update\tNope", b"mailbox metadata set\tNope\t/private/x\t1"),
        *(b"mailbox metadata unset\tNope\t/private/x", b"mailbox cache purge\tNope"),
        *(b"acl get\tNope", b"acl rights\tNope", b"acl set\tNope\tuser=x\tread"),
        *(b"copy\tNope\tall", b"move\tNope\tmailbox\tSent\tall", b"mailbox create\tSent"),
        *(b"mailbox create\tINBOX", b"mailbox create\tArchive/2024"),
        b"save\t-m\tNope\nSubject: x\n\n.",
    ],
)
def test_who_opens_what_is_not_there_is_told_of_the_new_folder(release: str, line: bytes) -> None:
    talk = talk_to(release)
    assert said(talk, RENAMED, line) == "doesn't exist: Zed"
    assert talk.world.store.users["tss"].list_index.is_behind is False


@BOTH
@pytest.mark.parametrize(
    "line",
    [
        *(b"mailbox list", b"mailbox list\tNope*", b"mailbox status\tmessages\tSent"),
        *(b"mailbox status\tmessages\t*", b"mailbox status\tmessages\tNope"),
        *(b"mailbox status\tguid\tINBOX", b"fetch\tuid\tall", b"search\tmailbox\tNope\tall"),
        *(b"fetch\tguid\tmailbox\tArchive/2024\tall", b"flags add\tx\tmailbox\tINBOX\tall"),
        *(b"copy\tSent\tmailbox\tINBOX\tall", b"expunge\tmailbox\tINBOX\tall"),
        *(b"quota get", b"quota recalc", b"mailbox create\tOther", b"mailbox delete\tSent"),
        *(b"mailbox delete\tNope", b"mailbox rename\tSent\tSent2", b"mailbox update\tSent"),
        *(b"mailbox rename\tNope\tNix", b"mailbox rename\tSent\tArchive"),
        b"expunge\t-d\tmailbox\tSent\tall",
        *(b"mailbox metadata get\tSent\t/private/x", b"mailbox metadata list\tSent"),
        *(b"mailbox metadata set\tSent\t/private/x\t1", b"acl set\tSent\tuser=x\tread"),
        *(b"acl delete\tSent\tuser=x", b"acl debug\tNope", b"index\tNope", b"force-resync\tSent"),
        *(b"save\nSubject: x\n\n.", b"sieve put\tnew\nkeep;\n."),
    ],
)
def test_what_refreshes_the_index(release: str, line: bytes) -> None:
    assert said(talk_to(release), RENAMED, line, b"mailbox update\tNope") == "doesn't exist: Nope"


@BOTH
@pytest.mark.parametrize(
    "line",
    [
        *(b"mailbox list\tSent", b"mailbox list\t-s", b"mailbox status\tmessages\tINBOX"),
        *(b"mailbox status\tguid vsize messages\tINBOX", b"fetch\tuid\tmailbox\tINBOX\tall"),
        *(b"expunge\tmailbox\tINBOX\tuid\t9", b"mailbox create\t~x", b"mailbox subscribe\tSent"),
        *(
            b"mailbox path\tSent",
            b"mailbox cache purge\tSent",
            b"acl get\tSent",
            b"acl debug\tSent",
        ),
        *(b"acl recalc", b"purge", b"sieve list", b"sieve delete\tnosuch", b"index\t-q\tSent"),
        *(b"mailbox delete\tArchive", b"mailbox delete\t-e\tArchive/2024"),
        *(b"altmove\tmailbox\tINBOX\tall", b"mailbox metadata get\tSent\t/private/specialuse"),
        *(b"mailbox metadata set\tSent\t/private/specialuse\tx", b"mailbox update\t~x"),
    ],
)
def test_what_does_not(release: str, line: bytes) -> None:
    assert said(talk_to(release), RENAMED, line, b"mailbox update\tNope") == "doesn't exist: Zed"


@pytest.mark.parametrize(("release", "told"), [("2.3.19.1", "Nope"), ("2.4.1", "Zed")])
def test_2_4_lists_directories_for_force_resync(release: str, told: str) -> None:
    lines = (RENAMED, b"force-resync\tNope", b"mailbox update\tNope")
    assert said(talk_to(release), *lines) == f"doesn't exist: {told}"


@BOTH
def test_reading_refreshes_it_only_if_something_is_cached_anew(release: str) -> None:
    fetch = b"fetch\thdr.x-new\tmailbox\tArchive/2024\tall"
    missed = b"mailbox update\tNope"
    assert said(talk_to(release), RENAMED, fetch, missed) == "doesn't exist: Nope"
    assert said(talk_to(release), fetch, RENAMED, fetch, missed) == "doesn't exist: Zed"


@BOTH
def test_the_first_look_into_a_mailbox_refreshes_it(release: str) -> None:
    fetch, missed = b"fetch\tuid\tmailbox\tNew\tall", b"mailbox update\tNope"
    made = b"mailbox create\tNew"
    assert said(talk_to(release), made, RENAMED, fetch, missed) == "doesn't exist: Nope"
    assert said(talk_to(release), made, fetch, RENAMED, fetch, missed) == "doesn't exist: Zed"


@BOTH
@pytest.mark.parametrize("aside", [b"expunge\tmailbox\tNew\tuid\t1", b"mailbox update\tNew"])
def test_so_does_the_first_after_a_change_aside(release: str, aside: bytes) -> None:
    fetch, missed = b"fetch\tuid\tmailbox\tNew\tall", b"mailbox update\tNope"
    made = (b"mailbox create\tNew", b"copy\tNew\tmailbox\tINBOX\tall")
    assert said(talk_to(release), *made, RENAMED, fetch, missed) == "doesn't exist: Zed"
    assert said(talk_to(release), *made, aside, RENAMED, fetch, missed) == "doesn't exist: Nope"


@BOTH
@pytest.mark.parametrize(
    ("rename", "told"),
    [
        (b"Trash\tA/B/C", "A/B"),
        (b"INBOX\tA/B", "A"),
        (b"Archive\tA/Archive", "A"),
        (b"Trash\tSent/Q/Trash", "Sent/Q"),
        (b"Trash\tTrash2", "Nope"),
        (b"Archive\tOther", "Nope"),
    ],
)
def test_which_folder_is_told_of(release: str, rename: bytes, told: str) -> None:
    lines = (b"mailbox rename\t" + rename, b"mailbox update\tNope")
    assert said(talk_to(release), *lines) == f"doesn't exist: {told}"


@BOTH
def test_the_rename_of_a_folder_refreshes_it_again(release: str) -> None:
    lines = (b"mailbox create\tF/x", b"mailbox rename\tF\tA/B", b"mailbox update\tNope")
    assert said(talk_to(release), *lines) == "doesn't exist: Nope"


@BOTH
@pytest.mark.parametrize(
    ("rights", "told"),
    [
        (b"insert", "Mailbox doesn't exist: A/2024"),
        (b"lookup", "Permission denied"),
        (b"read", "Mailbox doesn't exist: Nope"),
    ],
)
def test_a_mailbox_that_cannot_be_opened_under_its_new_name_is_told_of(
    release: str, rights: bytes, told: str
) -> None:
    talk = talk_to(release)
    limited = b"acl set\tArchive/2024\towner\t" + rights
    said(talk, limited, b"mailbox rename\tArchive\tA", b"mailbox update\tNope")
    assert talk.log[-1].endswith(f"Cannot update Nope: {told}")


@BOTH
@pytest.mark.parametrize("line", [b"mailbox create\tZed/Trash", b"mailbox create\tF/x"])
def test_the_acl_of_a_folder_above_is_sought_first(release: str, line: bytes) -> None:
    assert said(talk_to(release), b"mailbox create\tF/x", RENAMED, line) == "already exists"


@pytest.mark.parametrize(("release", "told"), [("2.3.19.1", "No/a"), ("2.4.1", "No")])
def test_a_rename_of_nothing_below_itself_leaves_folders(release: str, told: str) -> None:
    lines = (b"mailbox rename\tNo/a\tNo/a/b", b"mailbox update\tNope")
    assert said(talk_to(release), *lines) == f"doesn't exist: {told}"


@BOTH
def test_only_the_first_is_told_of_it(release: str) -> None:
    talk = talk_to(release)
    said(talk, RENAMED, b"mailbox create\tSent\tArchive")
    assert [line.rpartition(": ")[2] for line in talk.log] == ["Zed", "Mailbox already exists"]


DELETED = b"mailbox delete\tArchive"


def guid_of(talk: Talk, *lines: bytes) -> bytes:
    """Give commands, and return the GUID that the list has of Archive, "" for none."""
    for line in lines:
        talk.say(b"\ttss\t" + line + b"\n")
    row, _, status = talk.say(b"\ttss\tmailbox status\tguid\tArchive\n").partition(b"\n")
    assert status in (b"+\n", b"-NOTFOUND\n")
    return row.removeprefix(b"Archive\t").removesuffix(b"\t")


@BOTH
def test_the_list_has_the_guid_of_a_deleted_mailbox_with_children(release: str) -> None:
    talk = talk_to(release)
    guid = talk.world.store.users["tss"].mailbox("Archive").guid.encode()
    assert guid_of(talk, DELETED, b"mailbox list", b"quota get") == guid
    assert talk.say(b"\ttss\tmailbox metadata get\tArchive\t/private/x\n") == b"\t\n+\n"
    keys = talk.say(b"\ttss\tmailbox metadata list\tArchive\n")
    assert keys == b"comment\tspecialuse\tcomment\t\n+\n"
    assert talk.say(b"\ttss\tsearch\tmailbox\tArchive\tall\n") == b"\n+\n"
    for fields in (b"guid messages", b"vsize"):
        line = b"\ttss\tmailbox status\t%b\tArchive\n" % fields
        assert talk.say(line) == b"\n-NOTFOUND\n"


@BOTH
@pytest.mark.parametrize("line", [b"mailbox rename\tArchive\tOther", b"mailbox list"])
def test_it_goes_with_the_name(release: str, line: bytes) -> None:
    renamed = (b"mailbox rename\tArchive\tOther", b"mailbox rename\tOther\tArchive")
    assert guid_of(talk_to(release), DELETED, *renamed, line) == b""


@BOTH
@pytest.mark.parametrize("again", [b"mailbox create\tOld/x", b"mailbox rename\tTrash\tOld/x"])
def test_nor_does_a_directory_of_its_name_bring_it_back(release: str, again: bytes) -> None:
    talk = talk_to(release)
    made = (b"mailbox create\tOld", b"mailbox delete\tOld")
    told = said(talk, *made, again, b"mailbox status\tguid\tOld")
    assert told == "doesn't exist: Old"


@pytest.mark.parametrize(("release", "kept"), [("2.3.19.1", True), ("2.4.1", False)])
def test_2_4_removes_empty_directories_above_a_mailbox_and_their_guids(
    release: str, kept: bool
) -> None:
    talk = talk_to(release)
    guid = talk.world.store.users["tss"].mailbox("Archive").guid.encode()
    again = (b"mailbox delete\tArchive/2024", b"mailbox create\tArchive/2024")
    assert guid_of(talk, DELETED, *again) == (guid if kept else b"")


@BOTH
def test_a_deleted_folder_takes_the_guid_of_its_mailbox_along(release: str) -> None:
    lines = (b"mailbox delete\t-r\tArchive", b"mailbox create\tArchive/x")
    assert guid_of(talk_to(release), DELETED, *lines) == b""


@BOTH
@pytest.mark.parametrize(
    ("line", "learnt"),
    [
        *((b"mailbox list", False), (b"mailbox update\tArchive", False)),
        *((b"acl get\tArchive", False), (b"mailbox status\tguid\t*", False)),
        *((b"mailbox status\tmessages\tArchive", True), (b"quota get", True)),
        *((b"fetch\tuid\tmailbox\tArchive\tall", True), (b"index\tArchive", True)),
        *((b"quota recalc", True), (b"acl set\tArchive\tuser=x\tread", True)),
        *((b"mailbox update\t-g\t%b\tArchive" % (b"7" * 32), True), (b"force-resync\tSent", True)),
    ],
)
def test_another_mailbox_has_the_guid_of_the_first_until_it_is_counted(
    release: str, line: bytes, learnt: bool
) -> None:
    talk = talk_to(release)
    first = talk.world.store.users["tss"].mailbox("Archive").guid
    told = guid_of(talk, DELETED, b"mailbox create\tArchive", line).decode()
    assert told == (talk.world.store.users["tss"].mailbox("Archive").guid if learnt else first)


@BOTH
@pytest.mark.parametrize("attribute", ["usage", "quota_used", "message_count"])
def test_reading_the_usage_in_python_changes_nothing(release: str, attribute: str) -> None:
    talk = talk_to(release)
    first = talk.world.store.users["tss"].mailbox("Archive").guid.encode()
    said(talk, DELETED, b"mailbox create\tArchive", RENAMED)
    assert getattr(talk.world.store.users["tss"], attribute)
    assert talk.world.store.users["tss"].list_index.is_behind
    assert guid_of(talk) == first


@BOTH
def test_the_guids_that_are_left_are_kept_in_snapshots(release: str) -> None:
    talk = talk_to(release)
    guid = guid_of(talk, DELETED)
    frozen = talk.world.store.snapshot()
    assert guid_of(talk, b"mailbox rename\tArchive\tOther") == b""
    talk.world.store.restore(frozen)
    assert guid_of(talk) == guid


@BOTH
def test_it_is_the_user_s_own_matter(release: str) -> None:
    talk = talk_to(release)
    said(talk, RENAMED)
    talk.say(b"\tann\tmailbox update\tNope\n")
    assert talk.log[-1].endswith("doesn't exist: Nope")


@BOTH
def test_it_is_kept_in_snapshots(release: str) -> None:
    talk = talk_to(release)
    said(talk, RENAMED)
    frozen = talk.world.store.snapshot()
    assert said(talk, b"mailbox update\tNope") == "doesn't exist: Zed"
    talk.world.store.restore(frozen)
    assert said(talk, b"mailbox update\tNope") == "doesn't exist: Zed"


@pytest.mark.parametrize(
    ("release", "told", "listed"),
    [("2.3.19.1", "A/B/C", b"A\tA/B\tA/B/C\t"), ("2.4.1", "A/B", b"")],
)
def test_folders_left_by_a_rename_of_nothing(release: str, told: str, listed: bytes) -> None:
    talk = talk_to(release)
    lines = (b"mailbox rename\tGone\tA/B/C/D", b"mailbox update\tNope")
    assert said(talk, *lines) == f"doesn't exist: {told}"
    assert talk.say(b"\ttss\tmailbox list\tA\tA/*\n") == listed + b"\n+\n"


def test_2_4_lists_such_folders_once() -> None:
    talk = talk_to("2.4.1")
    said(talk, b"mailbox rename\tGone\tA/B/C/D")
    answers = [talk.say(b"\ttss\tmailbox list\tA\tA/*\n") for _ in range(2)]
    assert answers == [b"A\t\n+\n", b"\n+\n"]


@pytest.mark.parametrize("line", [b"mailbox delete\tA/B", b"mailbox rename\tA\tQ"])
def test_2_4_does_not_have_them_any_more_when_they_are_named(line: bytes) -> None:
    text = said(talk_to("2.4.1"), b"mailbox rename\tGone\tA/B/C/D", line)
    assert text.startswith("doesn't exist: A")
