"""The list of mailboxes that others may see, which is wrong until somebody looks."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def user(store: Store) -> User:
    """Return a user of whom Sent is shared, and listed so, but not Trash."""
    user = store.add_user("ann")
    for name, changed in (("Sent", 5), ("Trash", 6)):
        box = user.create_mailbox(name)
        box.acl, box.acl_changed = {"user=bob": ("lookup",)}, changed
    user.acl_list.become(["Sent"])
    return user


def test_a_mailbox_as_it_is_listed_shows_nothing(user: User) -> None:
    for name in ("Sent", "Trash", "INBOX", "nosuch"):
        user.acl_list.look_at(name)
    assert not user.acl_list.is_wrong
    assert not user.acl_list.may_be_wrong


def test_the_acl_of_another_time_shows_that_the_list_is_wrong(user: User) -> None:
    user.mailbox("Sent").acl_changed = 7
    user.acl_list.look_at("Trash")
    assert not user.acl_list.is_wrong
    assert user.acl_list.may_be_wrong
    user.acl_list.look_at("Sent")
    assert user.acl_list.is_wrong


def test_a_listed_mailbox_that_is_gone_shows_it_too(user: User) -> None:
    user.delete_mailbox("Sent")
    user.acl_list.look_at("Sent")
    assert user.acl_list.is_wrong


def test_a_list_made_anew_is_right(user: User) -> None:
    user.delete_mailbox("Sent")
    user.acl_list.look_at("Sent")
    user.acl_list.become(["Trash"])
    assert user.acl_list.times == {"Trash": 6}
    assert not user.acl_list.may_be_wrong


def test_a_listing_looks_at_what_it_comes_to(user: User) -> None:
    user.create_mailbox("Sent/a")
    user.delete_mailbox("Sent")
    for masks in (["Trash"], ["Sent/*"]):
        assert len(list(user.listing(masks))) == 4
        assert not user.acl_list.is_wrong
    for name, _ in user.listing(["Trash", "x"]):
        assert user.acl_list.is_wrong is (name not in ("Trash",))


def test_counting_the_quota_looks_at_all_that_have_a_directory(user: User) -> None:
    user.delete_mailbox("Sent")
    user.acl_list.look_at_all()
    assert not user.acl_list.is_wrong
    user.create_folder("Sent")
    user.acl_list.look_at_all()
    assert user.acl_list.is_wrong


def test_what_is_listed_and_whether_it_was_found_to_be_wrong_is_restored(
    store: Store, user: User
) -> None:
    right = store.snapshot()
    user.delete_mailbox("Sent")
    user.acl_list.look_at("Sent")
    wrong = store.snapshot()
    user.acl_list.become([])
    empty = store.snapshot()
    for snapshot, listed, is_wrong in (
        *((right, {"Sent": 5}, False), (wrong, {"Sent": 5}, True), (empty, {}, False)),
        (right, {"Sent": 5}, False),
    ):
        store.restore(snapshot)
        acl_list = store.users["ann"].acl_list
        assert (acl_list.times, acl_list.is_wrong) == (listed, is_wrong)
