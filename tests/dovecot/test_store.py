from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.store import LoginSession, Store
from fakedove.dovecot.user import User
from fakedove.dovecot.user_seed import UserSeed
from fakedove.errors import StoreError, UnknownNameError

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())


def make_store() -> Store:
    return Store(
        [UserSeed(name="ann", quota_storage=1000), UserSeed(name="bob@example.com")],
        sessions=[LoginSession("ann")],
        keys={"shared/a": "1"},
        files={"fs/a": b"1"},
        clock=Clock(NOW),
        random=random.Random(1),
    )


def picture(store: Store) -> object:
    """Everything that can be seen of a store, as one comparable value."""
    users = [
        (name, user.freeze(), [(path, box is None) for path, box in user.listing()])
        for name, user in store.users.items()
    ]
    return users, list(store.sessions), dict(store.dict), dict(store.files)


def listed(user: User) -> list[str]:
    return [name for name, _ in user.listing()]


# Users


def test_users_are_a_mapping_in_order() -> None:
    store = make_store()
    store.add_user("aaa")
    assert list(store.users) == ["ann", "bob@example.com", "aaa"]
    assert len(store.users) == 3
    assert "ann" in store.users
    assert "zoe" not in store.users
    assert store.users.get("zoe") is None
    assert [user.name for user in store.users.values()] == list(store.users)


def test_lookup_falls_back_to_lower_case() -> None:
    store = make_store()
    assert store.lookup("ANN") is store.lookup("ann") is store.users["Ann"]
    assert store.lookup("zoe") is None


def test_an_unknown_user_is_an_error_with_a_near_name() -> None:
    with pytest.raises(UnknownNameError, match='no user "anne"; did you mean "ann"') as caught:
        make_store().users["anne"]
    assert isinstance(caught.value, KeyError)


def test_add_user() -> None:
    user = make_store().add_user(
        "eve", quota="10M", quota_messages=5, quota_grace="10%", userdb={"a": "b"}
    )
    assert (user.quota_storage, user.quota_messages, user.quota_grace) == (10485760, 5, 1048576)
    assert user.userdb == {"a": "b"}
    assert user.home == "/home/eve"
    assert list(user.mailboxes) == ["INBOX"]


def test_add_user_with_quota_roots() -> None:
    store = make_store()
    roots = (QuotaRoot.of("A", "10M", grace="10%"), QuotaRoot("B", messages=5))
    user = store.add_user("eve", quota=list(roots))
    assert user.quota_roots == roots
    assert (user.quota_storage, user.quota_messages, user.quota_grace) == (10485760, None, 1048576)


@pytest.mark.parametrize(
    ("roots", "text"),
    [
        ([], "there must be a quota root"),
        ([QuotaRoot("A"), QuotaRoot("A")], 'there are two quota roots "A"'),
        ([QuotaRoot("")], "a quota root's name must not be empty"),
    ],
)
def test_quota_roots_that_cannot_be(roots: list[QuotaRoot], text: str) -> None:
    store = make_store()
    with pytest.raises(StoreError, match=text):
        store.add_user("eve", quota=roots)
    with pytest.raises(StoreError, match=text):
        store.users["ann"].quota_roots = tuple(roots)


def test_a_quota_is_said_in_one_form() -> None:
    with pytest.raises(StoreError, match="quota_messages and quota_grace belong into the quota"):
        make_store().add_user("eve", quota=[QuotaRoot("A")], quota_messages=1)


def test_the_short_form_is_the_first_root_and_restore_brings_roots_back() -> None:
    store = make_store()
    user = store.users["ann"]
    before = list(user.quota_roots)
    assert before == [QuotaRoot("User quota", storage=1000)]
    user.quota_storage, user.quota_messages, user.quota_grace = 2000, 3, 0
    user.quota_roots = (*user.quota_roots, QuotaRoot("Archive"))
    changed = store.snapshot()
    store.restore()
    assert list(store.users["ann"].quota_roots) == before
    store.restore(changed)
    assert store.users["ann"].quota_roots == (
        QuotaRoot("User quota", storage=2000, messages=3, grace=0),
        QuotaRoot("Archive"),
    )


def test_add_user_without_quota() -> None:
    assert make_store().add_user("eve", quota=None).quota_storage is None


@pytest.mark.parametrize(
    ("name", "quota", "text"),
    [
        ("ann", "1G", 'there is a user "ann" already'),
        ("", "1G", "must not be empty"),
        ("eve", "1Q", 'unknown unit "Q"'),
    ],
)
def test_add_user_refuses(name: str, quota: str, text: str) -> None:
    store = make_store()
    with pytest.raises(StoreError, match=text):
        store.add_user(name, quota=quota)
    assert list(store.users) == ["ann", "bob@example.com"]


def test_a_user_removed_and_added_again_is_new_and_last() -> None:
    store = make_store()
    store.users["ann"].mailbox("INBOX").deliver(b"x")
    store.remove_user("ann")
    assert store.lookup("ann") is None
    assert len(store.users) == 1
    assert store.add_user("ann").message_count == 0
    assert list(store.users) == ["bob@example.com", "ann"]
    store.remove_user("ann")
    assert list(store.users) == ["bob@example.com"]


def test_removing_an_unknown_user_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match=r'"bob@example\.org"; did you mean "bob@'):
        make_store().remove_user("bob@example.org")


def test_two_users_of_one_name_are_refused() -> None:
    with pytest.raises(StoreError, match='two users "ann"'):
        Store([UserSeed(name="ann"), UserSeed(name="ann")])


def test_add_session() -> None:
    store = make_store()
    session = store.add_session("bob@example.com", "pop3", pid=7, ip="2001:db8::1")
    assert session == LoginSession("bob@example.com", "pop3", 7, "2001:db8::1")
    assert store.sessions == [LoginSession("ann"), session]
    with pytest.raises(StoreError, match='"localhost" is no IP address'):
        store.add_session("ann", ip="localhost")


# Mailboxes


def test_a_user_who_never_logged_in_has_an_inbox_that_stays_the_same() -> None:
    inbox = make_store().users["ann"].mailbox("INBOX")
    assert inbox.message_count == 0
    assert make_store().users["ann"].mailbox("INBOX").guid == inbox.guid
    assert make_store().users["bob@example.com"].mailbox("INBOX").guid != inbox.guid


def test_an_unknown_mailbox_is_an_error_with_near_names() -> None:
    user = make_store().users["ann"]
    user.create_mailbox("Sent")
    with pytest.raises(UnknownNameError, match=r'"Sentt"; did you mean "Sent"\? \(there is: INBOX'):
        user.mailbox("Sentt")
    assert user.find_mailbox("Sentt") is None
    assert user.mailbox("Sentt", create=True) is user.mailbox("Sentt")


def test_inbox_is_found_in_any_case() -> None:
    user = make_store().users["ann"]
    assert user.mailbox("inBox") is user.mailboxes["INBOX"]
    with pytest.raises(StoreError, match="already"):
        user.create_mailbox("inbox")


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a\tb"])
def test_impossible_mailbox_names(name: str) -> None:
    with pytest.raises(StoreError, match="is no mailbox name"):
        make_store().users["ann"].create_mailbox(name)


def test_uidvalidity_is_the_time_and_always_grows() -> None:
    user = make_store().users["ann"]
    assert user.create_mailbox("a").uidvalidity == STAMP
    user.delete_mailbox("a")
    assert user.create_mailbox("a").uidvalidity == STAMP + 1
    assert user.create_mailbox("b", guid="A" * 32, uidvalidity=9).uidvalidity == 9
    assert user.mailbox("b").guid == "a" * 32
    with pytest.raises(StoreError, match="uidvalidity 0 must be 1 or more"):
        user.create_mailbox("c", uidvalidity=0)


def test_listing_follows_create_and_delete() -> None:
    user = make_store().users["ann"]
    for name in ("Archive", "Archive/2024", "Sent", "Lists/x/y", "Trash"):
        user.create_mailbox(name)
    assert [(name, box and box.name) for name, box in user.listing()] == [
        ("Trash", "Trash"),
        ("Lists", None),
        ("Lists/x", None),
        ("Lists/x/y", "Lists/x/y"),
        ("Sent", "Sent"),
        ("Archive", "Archive"),
        ("Archive/2024", "Archive/2024"),
        ("INBOX", "INBOX"),
    ]
    user.delete_mailbox("Archive")
    user.delete_mailbox("Lists/x/y")
    assert listed(user) == ["Trash", "Sent", "Archive", "Archive/2024", "INBOX"]
    assert dict(user.listing())["Archive"] is None
    user.create_mailbox("New")
    assert listed(user)[0] == "New"


def test_a_deleted_inbox_comes_back_empty() -> None:
    user = make_store().users["ann"]
    user.create_mailbox("INBOX/x")
    old = user.mailbox("INBOX")
    old.deliver(b"x")
    user.delete_mailbox("inbox")
    assert user.mailbox("INBOX").message_count == 0
    assert user.mailbox("INBOX").guid != old.guid
    assert listed(user) == ["INBOX/x", "INBOX"]


def test_subscriptions_keep_their_order_and_may_name_missing_mailboxes() -> None:
    user = make_store().users["ann"]
    sent = user.create_mailbox("Sent")
    assert not sent.subscribed
    user.subscriptions["nope"] = None
    sent.subscribed = True
    assert list(user.subscriptions) == ["nope", "Sent"]
    sent.subscribed = False
    assert list(user.subscriptions) == ["nope"]


def test_quota_counts_virtual_bytes_of_all_mailboxes() -> None:
    user = make_store().users["ann"]
    user.mailbox("INBOX").deliver(b"a\n")
    user.create_mailbox("Sent").deliver(b"bc\r\n")
    assert (user.quota_used, user.message_count) == (7, 2)
    user.mailbox("INBOX").expunge([1])
    assert (user.quota_used, user.message_count) == (4, 1)


def test_reading_what_counts_makes_no_inbox() -> None:
    user = make_store().users["ann"]
    user.create_mailbox("INBOX/child")
    user.delete_mailbox("INBOX")
    assert (user.quota_used, user.message_count) == (0, 0)
    assert user.existing_mailbox("INBOX") is None


# A Maildir tree


def make_maildir(root: Path) -> Path:
    for folder in ("cur", ".Sent/cur"):
        (root / folder).mkdir(parents=True)
    (root / "cur" / "1.a:2,Sa").write_text("Subject: in the tree")
    (root / "dovecot-uidlist").write_text(f"3 V42 N10 G{'a' * 32}\n8 :1.a\n")
    (root / "dovecot-keywords").write_text("0 Work\n")
    (root / "subscriptions").write_text("Sent\n")
    return root


def test_import_maildir(tmp_path: Path) -> None:
    user = make_store().users["ann"]
    inbox, sent = user.import_maildir(make_maildir(tmp_path / "ann"))
    assert inbox is user.mailbox("INBOX")
    assert (inbox.guid, inbox.uidvalidity, inbox.uidnext) == ("a" * 32, 42, 10)
    (mail,) = inbox.messages
    assert (mail.uid, mail.flags, mail.keywords) == (8, ("\\Seen",), ("Work",))
    assert listed(user) == ["Sent", "INBOX"]
    assert sent.subscribed


def test_import_maildir_behind_what_is_there(tmp_path: Path) -> None:
    user = make_store().users["ann"]
    inbox = user.mailbox("INBOX")
    before = inbox.guid
    for _ in range(8):
        inbox.deliver(b"x")
    user.import_maildir(make_maildir(tmp_path / "ann"))
    assert inbox.guid == before
    assert [one.uid for one in inbox.messages] == [*range(1, 9), 9]
    assert user.mailbox("Sent").uidvalidity < user.create_mailbox("New").uidvalidity


def test_a_maildir_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    store = make_store()
    root = make_maildir(tmp_path / "ann")
    (root / ".Sent" / "dovecot-uidlist").write_text("3 V0 N1\n")
    before = picture(store)
    with pytest.raises(StoreError, match=r"/\.Sent/dovecot-uidlist: line 1: UIDVALIDITY must be"):
        store.users["ann"].import_maildir(root)
    assert picture(store) == before


# Snapshot and restore


def test_restore_goes_back_to_what_was_loaded() -> None:
    store = make_store()
    before = picture(store)
    store.users["ann"].mailbox("INBOX").deliver(b"x")
    store.users["ann"].password = "other"
    store.add_user("eve")
    store.remove_user("bob@example.com")
    store.sessions.clear()
    store.dict["shared/a"] = "2"
    store.files["fs/b"] = b"2"
    assert picture(store) != before
    store.restore()
    assert picture(store) == before


def test_a_user_from_before_a_restore_is_detached() -> None:
    store = make_store()
    old = store.users["ann"]
    store.restore()
    old.mailbox("INBOX").deliver(b"lost")
    assert store.users["ann"] is not old
    assert store.users["ann"].message_count == 0


def test_a_snapshot_knows_only_what_was_touched() -> None:
    store = Store(UserSeed(name=f"user{number}") for number in range(1000))
    store.users["user7"].mailbox("INBOX").deliver(b"x")
    assert list(store.snapshot().changed) == ["user7"]


def test_containers_stay_the_same_objects() -> None:
    store = make_store()
    held = (store.users, store.sessions, store.dict, store.files)
    store.restore()
    for was, now in zip(held, (store.users, store.sessions, store.dict, store.files), strict=True):
        assert was is now


NAMES = st.sampled_from(["ann", "bob@example.com", "eve", "zoe"])
BOXES = st.sampled_from(["INBOX", "a", "a/b", "a/b/c", "d"])


def add(store: Store, name: str, box: str) -> None:
    if name not in store.users:
        store.add_user(name)


def remove(store: Store, name: str, box: str) -> None:
    if name in store.users:
        store.remove_user(name)


def on_user(action: Callable[[User, str], object]) -> Callable[[Store, str, str], None]:
    def act(store: Store, name: str, box: str) -> None:
        user = store.lookup(name)
        if user is not None:
            action(user, box)

    return act


def delete(user: User, box: str) -> None:
    if user.find_mailbox(box) is not None:
        user.delete_mailbox(box)


def deliver(user: User, box: str) -> None:
    user.mailbox(box, create=True).deliver(b"x\n", ["\\Seen"] if len(box) > 1 else [])


def expunge(user: User, box: str) -> None:
    found = user.find_mailbox(box)
    if found is not None:
        found.expunge(message.uid for message in found.messages[:1])


def subscribe(user: User, box: str) -> None:
    user.mailbox("INBOX").subscribed = not user.mailbox("INBOX").subscribed
    user.subscriptions[box] = None


def annotate(user: User, box: str) -> None:
    user.mailbox("INBOX").metadata[box] = "note"
    user.userdb[box] = "field"


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [add, remove, *map(on_user, (deliver, delete, expunge, subscribe, annotate))]
        ),
        NAMES,
        BOXES,
    ),
    max_size=25,
)


@given(OPERATIONS, OPERATIONS, OPERATIONS)
def test_any_snapshot_can_be_gone_back_to(
    first: list[tuple[Callable[[Store, str, str], None], str, str]],
    second: list[tuple[Callable[[Store, str, str], None], str, str]],
    third: list[tuple[Callable[[Store, str, str], None], str, str]],
) -> None:
    store = make_store()
    pictures, snapshots = [picture(store)], [store.snapshot()]
    for operations in (first, second, third):
        for operation, name, box in operations:
            operation(store, name, box)
        pictures.append(picture(store))
        snapshots.append(store.snapshot())
        store.restore(snapshots[-1])
        assert picture(store) == pictures[-1]
    for index in (1, 3, 0, 2):
        store.restore(snapshots[index])
        assert picture(store) == pictures[index]
    store.restore()
    assert picture(store) == pictures[0]


@given(OPERATIONS)
def test_running_totals_are_right(
    operations: list[tuple[Callable[[Store, str, str], None], str, str]],
) -> None:
    store = make_store()
    for operation, name, box in operations:
        operation(store, name, box)
    for user in store.users.values():
        for mailbox in user.mailboxes.values():
            messages = mailbox.messages
            assert mailbox.message_count == len(messages)
            assert mailbox.unseen == sum(not message.seen for message in messages)
            assert mailbox.virtual_size == sum(message.virtual_size for message in messages)
            assert [message.uid for message in messages] == sorted(
                message.uid for message in messages
            )
        assert {name for name, box in user.listing() if box} == set(user.mailboxes)
