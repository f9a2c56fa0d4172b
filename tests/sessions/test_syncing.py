"""`sync` and `backup`: what becomes of the mail at both places."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User
from tests.sessions.talk import Talk, small_store

OK, CHANGED, TEMPFAIL = b"\n+\n", b"-CHANGED\n", b"-TEMPFAIL\n"
ANN = b"mdbox:/home/ann/mdbox"


def two_users() -> Store:
    """Return a store of tss, who has one mail, and ann, who has an INBOX of her own."""
    store = small_store()
    store.add_user("ann")
    return store


def talking(store: Store, release: str = "2.4.1") -> Talk:
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


def line(command: str, *arguments: str, user: str = "tss") -> bytes:
    return "\t".join(("", user, command, *arguments)).encode() + b"\n"


def mails(user: User, mailbox: str = "INBOX") -> list[tuple[int, str, tuple[str, ...]]]:
    """Return UID, GUID, and flags of all mails of a mailbox."""
    return [
        (one.uid, one.guid, (*one.flags, *sorted(one.keywords)))
        for one in user.mailbox(mailbox).messages
    ]


def names(user: User) -> dict[str, str]:
    return {name: box.guid for name, box in user.mailboxes.items()}


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_a_backup_keeps_the_mail_and_gives_it_back(release: str) -> None:
    store = two_users()
    talk = talking(store, release)
    tss = store.users["tss"]
    tss.mailbox("Work/2024", create=True).deliver(b"Subject: plan\n\nx\n", ["\\Flagged"])
    tss.subscribe("Work/2024")
    before = mails(tss), mails(tss, "Work/2024")
    assert talk.say(line("backup", "mdbox:~/saved")) == OK
    tss.delete_mailbox("Work/2024")
    tss.subscribe("Work/2024", subscribed=False)
    tss.mailbox("INBOX").expunge([1])
    # The mail that is missing cannot come back under its UID, so first the mailbox goes.
    assert talk.say(line("backup", "-R", "mdbox:~/saved")).endswith(TEMPFAIL)
    assert talk.say(line("backup", "-R", "mdbox:~/saved")) == OK
    assert (mails(tss), mails(tss, "Work/2024")) == before
    assert "Work/2024" in tss.subscriptions


def test_the_store_forgets_a_backup_when_it_is_restored() -> None:
    store = two_users()
    talk = talking(store)
    empty = store.snapshot()
    talk.say(line("backup", "mdbox:~/saved"))
    full = store.snapshot()
    assert len(mails(store.places["/home/tss/saved"])) == 1
    store.restore(empty)
    assert not store.places
    store.restore(full)
    assert len(mails(store.places["/home/tss/saved"])) == 1


def test_mail_can_be_imported_from_a_backup() -> None:
    store = two_users()
    talk = talking(store)
    talk.say(line("backup", "mdbox:~/saved"))
    assert talk.say(line("import", "mdbox:/home/tss/saved", "Old", "ALL", user="ann")) == OK
    assert [guid for _, guid, _ in mails(store.users["ann"], "Old/INBOX")] == [
        guid for _, guid, _ in mails(store.users["tss"])
    ]


def test_a_backup_makes_the_other_place_the_same() -> None:
    store = two_users()
    talk = talking(store)
    tss, ann = store.users["tss"], store.users["ann"]
    ann.mailbox("Extra", create=True)
    ann.mailbox("INBOX").deliver(b"Subject: hers\n\n")
    assert talk.say(line("backup", ANN.decode())) == OK
    assert mails(ann) == mails(tss)
    assert names(ann) == names(tss)
    tss.mailbox("INBOX").deliver(b"Subject: more\n\n", ["\\Seen", "Work"])
    tss.mailbox("INBOX").expunge([1])
    tss.mailbox("Done", create=True)
    tss.rename_mailbox("Done", "Later")
    assert talk.say(line("backup", ANN.decode())) == OK
    assert mails(ann) == mails(tss)
    assert names(ann) == names(tss)


def test_a_backup_over_missing_mail_fails_once_as_the_real_one_does() -> None:
    store = two_users()
    talk = talking(store, "2.3.19.1")
    tss, ann = store.users["tss"], store.users["ann"]
    talk.say(line("backup", ANN.decode()))
    guid = tss.mailbox("INBOX").messages[0].guid
    ann.mailbox("INBOX").expunge([1])
    talk.world.log.clear()
    assert talk.say(line("backup", ANN.decode())).endswith(TEMPFAIL)
    said = f"Deleting mailbox 'INBOX': UID=1 GUID={guid} is missing locally"
    assert any(said in entry for entry in talk.log)
    assert talk.say(line("backup", ANN.decode())) == OK
    assert mails(ann) == mails(tss)


def test_a_sync_takes_changes_of_both_sides() -> None:
    store = two_users()
    talk = talking(store)
    tss, ann = store.users["tss"], store.users["ann"]
    talk.say(line("sync", ANN.decode()))
    talk.say(line("flags add", "\\Seen", "ALL"))
    talk.say(line("flags add", "\\Flagged", "ALL", user="ann"))
    tss.mailbox("Mine", create=True)
    ann.mailbox("INBOX").deliver(b"Subject: hers\n\n")
    assert talk.say(line("sync", ANN.decode())) == OK
    assert mails(tss) == mails(ann)
    assert [flags for _, _, flags in mails(tss)] == [("\\Flagged", "\\Seen"), ()]
    assert names(tss) == names(ann)


def test_what_one_side_expunged_or_deleted_is_gone_on_both() -> None:
    store = two_users()
    talk = talking(store)
    tss, ann = store.users["tss"], store.users["ann"]
    tss.mailbox("Old", create=True)
    talk.say(line("sync", ANN.decode()))
    talk.say(line("expunge", "MAILBOX", "INBOX", "ALL"))
    talk.say(line("mailbox delete", "Old", user="ann"))
    assert talk.say(line("sync", ANN.decode())) == OK
    assert mails(tss) == mails(ann) == []
    assert "Old" not in names(tss)


def test_mails_with_the_same_uid_both_stay_under_new_ones() -> None:
    store = two_users()
    talk = talking(store)
    tss, ann = store.users["tss"], store.users["ann"]
    ann.mailbox("INBOX").deliver(b"Subject: hers\n\n")
    # As many mails, as high a modseq: only a full sync looks at what seems to be the same.
    assert talk.say(line("sync", ANN.decode())) == OK
    assert mails(tss) != mails(ann)
    assert talk.say(line("sync", "-f", ANN.decode())) == OK
    assert mails(tss) == mails(ann)
    assert [uid for uid, _, _ in mails(tss)] == [2, 3]


@pytest.mark.parametrize(
    ("options", "copied"),
    [
        (("-m", "Wor*"), {"Work"}),
        (("-x", "Work"), {"INBOX"}),
        (("-g", "00112233445566778899aabbccddeeff"), {"Work"}),
        (("-O", "\\Flagged"), {"Work"}),
        (("-O", "-\\Flagged"), {"INBOX"}),
        (("-I", "10"), set()),
        (("-t", "2030-01-01"), set()),
        (("-m", ""), set()),
    ],
)
def test_options_say_what_is_copied(options: Sequence[str], copied: set[str]) -> None:
    store = two_users()
    talk = talking(store)
    work = store.users["tss"].create_mailbox("Work", "00112233445566778899aabbccddeeff")
    work.deliver(b"Subject: plan\n\nx\n", ["\\Flagged"])
    assert talk.say(line("backup", *options, "mdbox:~/saved")) == OK
    saved = store.places["/home/tss/saved"].mailboxes
    assert {name for name, box in saved.items() if box.messages} == copied


def test_one_way_takes_nothing_back_and_loses_nothing() -> None:
    store = two_users()
    talk = talking(store)
    tss, ann = store.users["tss"], store.users["ann"]
    talk.say(line("sync", ANN.decode()))
    ann.mailbox("INBOX").deliver(b"Subject: hers\n\n")
    ann.mailbox("Extra", create=True)
    before = mails(tss), names(tss)
    assert talk.say(line("sync", "-1", ANN.decode())) == OK
    assert (mails(tss), names(tss)) == before
    assert len(mails(ann)) == 2


def test_the_state_of_the_last_time_spares_and_tells_what_changed() -> None:
    store = two_users()
    talk = talking(store)
    ann = store.users["ann"]
    reply = talk.say(line("sync", "-s", "", ANN.decode()))
    state, _, status = reply.partition(b"\t")
    assert status == OK
    talk.say(line("sync", ANN.decode()))
    talk.say(line("flags add", "\\Seen", "ALL"))
    reply = talk.say(line("sync", "-s", state.decode(), ANN.decode()))
    assert reply.endswith(OK)
    assert mails(ann) == mails(store.users["tss"])
    talk.say(line("flags add", "\\Draft", "ALL"))
    state = reply.partition(b"\t")[0]
    ann.mailbox("INBOX").highestmodseq = 1
    assert talk.say(line("sync", "-s", state.decode(), ANN.decode())).endswith(CHANGED)
    assert "brain S: Failed to do incremental sync for mailbox INBOX, " in talk.log[-1]


#: What happens to one of two places between two syncs: which, what, and to the how manieth mail.
_doings = st.lists(
    st.tuples(
        st.sampled_from(("tss", "ann")),
        st.sampled_from(("save", "expunge", "seen", "unseen", "work", "create", "rename")),
        st.integers(0, 5),
    ),
    max_size=8,
)


def do(talk: Talk, user: User, what: str, which: int) -> None:
    """Change something of a user's mail, by a command where a log of it matters."""
    box = user.mailbox("INBOX")
    uid = str(box.messages[which % len(box.messages)].uid) if box.messages else "1"
    match what:
        case "save":
            box.deliver(b"Subject: %d\n\n" % which, ["\\Draft"])
        case "expunge":
            talk.say(line("expunge", "MAILBOX", "INBOX", "UID", uid, user=user.name))
        case "seen" | "work":
            flag = "\\Seen" if what == "seen" else "Work"
            talk.say(line("flags add", flag, "UID", uid, user=user.name))
        case "unseen":
            talk.say(line("flags remove", "\\Seen", "UID", uid, user=user.name))
        case "create":
            user.mailbox(f"Box{which}", create=True)
        case "rename" if user.existing_mailbox(f"Box{which}"):
            talk.say(line("mailbox rename", f"Box{which}", f"Was{which}", user=user.name))


@given(first=_doings, second=_doings, state=st.booleans())
@settings(max_examples=40, deadline=None)
def test_both_places_are_the_same_after_a_sync(
    first: list[tuple[str, str, int]], second: list[tuple[str, str, int]], state: bool
) -> None:
    store = two_users()
    talk = talking(store)
    known = ""
    for doings in (first, second, []):
        for name, what, which in doings:
            # With a state, mailboxes are only looked at that have changed on this side.
            do(talk, store.users["tss" if known else name], what, which)
        options = ("-s", known) if known else ("-f", "-s", "")
        reply = talk.say(line("sync", *options, ANN.decode()))
        assert reply.endswith(OK)
        known = reply.partition(b"\t")[0].decode() if state else ""
        assert mails(store.users["tss"]) == mails(store.users["ann"])
    both = store.users["tss"], store.users["ann"]
    assert all(len(mails(user)) == len({uid for uid, _, _ in mails(user)}) for user in both)


@pytest.mark.parametrize("place", ["mdbox:~/mdbox", "nosuch:~/saved"])
def test_a_sync_that_cannot_be_done_gives_the_state_back(place: str) -> None:
    store = two_users()
    talk = talking(store)
    state = talk.say(line("sync", "-s", "", "mdbox:~/saved")).partition(b"\t")[0]
    reply = talk.say(line("sync", "-s", state.decode(), place))
    assert reply == state + b"\t\n-TEMPFAIL\n"
    store.users["tss"].mailbox("INBOX").guid = "0" * 32
    reply = talk.say(line("sync", "-s", state.decode(), place))
    assert reply == b"AQAAAHm4+Jk=\t\n-TEMPFAIL\n"


def test_mailboxes_with_one_guid_get_different_ones_first() -> None:
    store = two_users()
    talk = talking(store, "2.3.19.1")
    guid = "00112233445566778899aabbccddeeff"
    for name in ("B", "INBOX/A", "C/D"):
        store.users["tss"].create_mailbox(name, guid)
    talk.world.log.clear()
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    told = [entry.partition("for mailboxes ")[2].partition(" -")[0] for entry in talk.log]
    assert told == ["C/D and INBOX/A", "B and INBOX/A"]
    assert names(store.users["tss"]) == names(store.places["/home/tss/saved"])
    assert store.users["tss"].mailbox("INBOX/A").guid == guid


#: What a real server says of a new mailbox with one mail, `{}` being what precedes it.
_TOLD = """\
M: {M}
S: {S}
M: Local mailbox tree: Work guid=g uid_validity=v uid_next=2 subs=no last_change=0 last_subs=0
S: Remote mailbox tree: Work guid=g uid_validity=v uid_next=2 subs=no last_change=0 last_subs=0
S: Mailbox Work: local=0/0/0, remote=g/0/1: mailbox not selectable yet
M: Mailbox Work: local=g/0/1, remote=0/0/0: mailbox not selectable yet
S: Syncing mailbox g: UIDNEXT changed: 1 -> 2
M: Syncing mailbox g: UIDNEXT changed: 2 -> 1
S: Import {box}: Last common UID=0. Delayed expunges=
S: Import {box}: Import change type=save GUID=m UID=1 hdr_hash= result=Mail's UID is above local \
UIDNEXT - No more local mails found
M: Import {box}: Last common UID=0. Delayed expunges=
S: import mail uid 0 guid m
S: Import {box}: Import mail body for GUID=m UID=0
"""


@pytest.mark.parametrize(
    ("release", "near", "far", "box"),
    [
        (
            "2.3.19.1",
            "Namespace  has location mdbox:~/mdbox:ALT=~/alt",
            "Namespace  has location mdbox:~/saved",
            "Work",
        ),
        (
            "2.4.1",
            "Namespace inbox has path /home/tss/mdbox",
            "Namespace inbox has path /home/tss/saved",
            "mailbox Work",
        ),
    ],
)
def test_with_debug_both_sides_tell_in_turns_what_they_think(
    release: str, near: str, far: str, box: str
) -> None:
    store = two_users()
    work = store.users["tss"].mailbox("Work", create=True)
    work.deliver(b"Subject: plan\n\nx\n")
    talk = talking(store, release)
    assert talk.say(b"D" + line("sync", "-m", "Work", "mdbox:~/saved")) == OK
    names = {"0" * 32: "0", work.guid: "g", work.messages[0].guid: "m", str(work.uidvalidity): "v"}
    told = "".join(one.partition("brain ")[2] + "\n" for one in talk.log)
    for name, short in names.items():
        told = told.replace(name, short)
    assert told.startswith(_TOLD.format(M=near, S=far, box=box))


def test_with_debug_a_lock_is_told_and_a_state() -> None:
    talk = talking(two_users())
    talk.say(b"D" + line("sync", "-l", "5", "-s", "", "-m", "INBOX", "mdbox:~/saved"))
    told = [one.partition("brain ")[2] for one in talk.log]
    where = "/home/tss/.dovecot-sync.lock"
    hosts = "local hostname=localhost, remote hostname=localhost"
    assert told[1] == f"M: Locking done locally in {where} ({hosts})"
    assert told[-1] == f"M: Unlocked {where}"
    assert "M: Exported mailbox states:" in told


def test_two_mailboxes_swap_their_names_at_the_other_place() -> None:
    store = two_users()
    talk = talking(store)
    tss = store.users["tss"]
    tss.create_mailbox("A")
    tss.create_mailbox("B")
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    for old, new in (("A", "X"), ("B", "A"), ("X", "B")):
        assert talk.say(line("mailbox rename", old, new)) == OK
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    assert names(store.places["/home/tss/saved"]) == names(tss)


def test_a_state_of_other_mail_is_told_and_asks_for_another_sync() -> None:
    store = two_users()
    talk = talking(store)
    assert talk.say(line("backup", ANN.decode())) == OK
    state = talk.say(line("sync", "-s", "", "-f", ANN.decode())).partition(b"\t")[0]
    store.users["ann"].mailbox("INBOX").expunge([1])
    store.users["ann"].mailbox("INBOX").uidnext = 1
    store.users["ann"].mailbox("INBOX").deliver(b"Subject: other\n\n")
    talk.say(line("flags add", "\\Seen", "ALL"))
    reply = talk.say(line("sync", "-s", state.decode(), ANN.decode()))
    assert reply == b"\t\n" + CHANGED
    told = next(one for one in talk.log if "previous state" in one)
    assert "Import mailbox INBOX: Mailbox doesn't match previous state: Unexpected GUID" in told


def test_mails_come_from_the_mailbox_of_all_mails() -> None:
    store = two_users()
    talk = talking(store)
    assert talk.say(line("backup", ANN.decode())) == OK
    talk.say(line("copy", "INBOX", "MAILBOX", "INBOX", "ALL"))
    store.users["tss"].create_mailbox("Copies")
    talk.say(line("copy", "Copies", "MAILBOX", "INBOX", "UID", "1"))
    talk.world.log.clear()
    assert talk.say(b"D" + line("backup", "-a", "INBOX", ANN.decode())) == OK
    assert mails(store.users["ann"], "Copies") == mails(store.users["tss"], "Copies")
    assert not any("import mail uid" in one for one in talk.log)


def test_an_inbox_that_is_not_there_is_deleted_without_a_trace() -> None:
    store = two_users()
    talk = talking(store)
    for _ in range(2):
        assert talk.say(line("mailbox delete", "INBOX")) == OK
    assert len(store.users["tss"].list_log) == 2
    assert store.users["tss"].existing_mailbox("INBOX") is None


def test_a_percent_in_a_name_makes_2_3_take_one_mailbox_for_two() -> None:
    talk = talking(two_users(), "2.3.19.1")
    talk.say(line("mailbox create", "%u"))
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    assert talk.say(b"D" + line("sync", "mdbox:~/saved")) == OK
    told = [one.partition("brain ")[2] for one in talk.log]
    assert any(one.startswith("M: Local mailbox tree: %25u guid=") for one in told)
    assert any(one.startswith("M: Remote mailbox tree: %u guid=") for one in told)
    assert any("Renamed '%25u' to '%25u-temp-1' + Renamed '%u' to '%25u'" in one for one in told)


def test_a_percent_and_two_hex_digits_become_a_letter_at_the_other_place() -> None:
    store = two_users()
    talk = talking(store)
    talk.say(line("mailbox create", "x%41"))
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    assert "xA" in store.places["/home/tss/saved"].mailboxes
    # Here the other name is not made, nor is the mailbox renamed.
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    assert "x%41" in store.users["tss"].mailboxes
    assert "xA" not in store.users["tss"].mailboxes


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("%2fz", "Begins with '/'"),
        ("a/%2e%2e", "Contains '..' part"),
        ("a%2f", "Has adjacent '/' chars"),
    ],
)
def test_a_name_that_stands_for_no_mailbox_ends_a_sync_of_2_4(name: str, why: str) -> None:
    talk = talking(two_users())
    talk.say(line("mailbox create", name))
    assert talk.say(line("sync", "mdbox:~/saved")) == b"\n-USAGE\n"
    text = f"Mailbox {name}: Failed to access mailbox {name}: Invalid mailbox name: {why}"
    assert talk.log[-1].endswith(text)


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_bytes_that_are_no_utf_8_come_to_the_other_place_as_replacement(release: str) -> None:
    store = two_users()
    talk = talking(store, release)
    talk.say(line("mailbox create", "a%ff"))
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    assert "a\ufffd" in store.places["/home/tss/saved"].mailboxes


def test_a_mailbox_that_an_escape_moves_into_itself_ends_a_sync() -> None:
    talk = talking(two_users())
    talk.say(line("mailbox create", "x"))
    assert talk.say(line("sync", "mdbox:~/saved")) == OK
    talk.say(line("mailbox rename", "x", "x%252fy"))
    assert talk.say(line("sync", "mdbox:~/saved")) == b"\n-TEMPFAIL\n"
    boxes = "/home/tss/saved/mailboxes"
    text = f"rename({boxes}/x, {boxes}/x/y) failed: Invalid argument"
    assert talk.log[-2].endswith(text)
