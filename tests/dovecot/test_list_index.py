"""What Dovecot's index of the list of mailboxes knows, and when."""

from __future__ import annotations

import pytest

from fakedove.dovecot.acl_list import AclList
from fakedove.dovecot.folders import Folders
from fakedove.dovecot.list_index import ListIndex


class Disk:
    """Directories, the mailboxes among them, and their index."""

    def __init__(self, *mailboxes: str) -> None:
        self.folders = Folders(mailboxes)
        self.mailboxes = set(mailboxes)
        self.acl_list = AclList({}, self.folders, [("X/Y", 5), ("INBOX", 6)])
        self.index = ListIndex(self.folders, self.mailboxes, self.acl_list)

    def leave(self, path: str, *, passing: bool = False) -> None:
        self.index.fall_behind(path if passing else "")
        self.folders.add(path)


def test_an_index_that_is_not_behind_has_nothing_to_learn() -> None:
    disk = Disk("A", "B")
    assert (disk.index.refresh(), disk.index.is_behind) == ((), False)
    assert not disk.acl_list.is_wrong
    assert list(disk.index.listed()) == ["B", "A"]


def test_what_is_new_is_told_once_newest_first_and_parents_before_children() -> None:
    disk = Disk("A")
    disk.leave("X/Y")
    disk.leave("Z")
    assert disk.index.is_behind
    assert disk.index.refresh() == ("Z", "X", "X/Y")
    assert disk.index.refresh() == ()


@pytest.mark.parametrize(("left", "wrong"), [("X/Y", True), ("X/Z", False)])
def test_the_acl_of_what_is_new_is_read(left: str, wrong: bool) -> None:
    disk = Disk("INBOX")
    disk.leave(left)
    disk.index.refresh()
    assert disk.acl_list.is_wrong is wrong


def test_so_is_that_of_an_inbox_that_is_lost() -> None:
    disk = Disk("A")
    disk.leave("X")
    disk.index.refresh()
    assert disk.acl_list.is_wrong


def test_a_name_that_comes_back_is_not_new() -> None:
    disk = Disk("A", "B")
    disk.index.fall_behind()
    disk.folders.move("A", "C", disk.mailboxes)
    disk.index.fall_behind()
    disk.folders.move("C", "A", disk.mailboxes)
    assert disk.index.refresh() == ()


def test_listing_refreshes() -> None:
    disk = Disk("A")
    disk.leave("X")
    assert list(disk.index.listed()) == ["X", "A"]
    assert not disk.index.is_behind


def test_passing_directories_go_but_the_index_has_all_but_the_lowest_for_once() -> None:
    disk = Disk("A")
    disk.leave("X/Y/Z", passing=True)
    assert disk.index.refresh() == ("X", "X/Y")
    assert list(disk.folders.newest_first()) == ["A"]


def test_a_listing_shows_passing_directories_that_have_others_below_them_there() -> None:
    disk = Disk("A")
    disk.leave("A/X/Y/Z", passing=True)
    assert list(disk.index.listed()) == ["A", "A/X"]
    assert list(disk.index.listed()) == ["A"]


def test_passing_directories_stay_if_mailboxes_are_made_in_time() -> None:
    disk = Disk("A")
    disk.leave("X/Y/Z", passing=True)
    disk.mailboxes.add("X/Y")
    assert list(disk.index.listed()) == ["X", "X/Y", "A"]


def test_the_guid_of_a_deleted_mailbox_stays_with_its_directory() -> None:
    disk = Disk("A", "A/x")
    disk.mailboxes.remove("A")
    disk.index.has_deleted("A", "1")
    assert (disk.index.guid_left("A"), disk.index.guid_left("A/x")) == ("1", "")
    disk.mailboxes.remove("A/x")
    disk.folders.remove("A/x", disk.mailboxes)
    assert disk.index.guid_left("A") == ""
    disk.index.has_made("A")
    disk.folders.add("A")
    assert disk.index.guid_left("A") == ""


def test_it_goes_with_the_directory_and_those_above_it_and_does_not_come_back() -> None:
    disk = Disk("A", "A/b", "A/b/c", "A/x")
    for name in ("A", "A/b"):
        disk.mailboxes.remove(name)
        disk.index.has_deleted(name, name)
    disk.mailboxes.remove("A/b/c")
    disk.folders.remove("A/b/c", disk.mailboxes)
    disk.index.has_deleted("A/b/c", "3")
    assert disk.index.guids == {"A": "A"}
    disk.folders.add("A/b/c")
    assert disk.index.guid_left("A/b") == ""


def test_so_it_does_with_passing_directories() -> None:
    disk = Disk("A", "A/x")
    disk.mailboxes.remove("A")
    disk.index.has_deleted("A", "1")
    disk.leave("A/y/z", passing=True)
    disk.folders.remove("A/x", {"A"})
    disk.index.refresh()
    assert disk.index.guids == {}


def test_a_folder_that_is_removed_takes_its_guid_along() -> None:
    disk = Disk("A", "A/x")
    disk.mailboxes.clear()
    disk.index.has_deleted("A", "1")
    disk.folders.remove("A/x", disk.mailboxes, prune=False)
    disk.index.has_removed("A/x")
    assert disk.index.guids == {"A": "1"}
    disk.folders.remove("A", disk.mailboxes)
    disk.index.has_removed("A")
    assert disk.index.guids == {}


def test_it_is_kept_for_another_mailbox_until_that_is_counted() -> None:
    disk = Disk("A", "A/x")
    disk.mailboxes.remove("A")
    disk.index.has_deleted("A", "1")
    disk.index.learn(["A"])
    disk.index.has_made("A")
    disk.mailboxes.add("A")
    assert disk.index.guid_left("A") == "1"
    disk.index.learn(["A"])
    assert disk.index.guid_left("A") == ""


def test_what_was_a_directory_before_it_was_a_mailbox_has_no_guid_there() -> None:
    disk = Disk("A/x")
    for learnt, left in ((False, ""), (True, "1")):
        disk.index.has_made("A")
        disk.mailboxes.add("A")
        disk.index.learn(["A"] if learnt else [])
        disk.mailboxes.remove("A")
        disk.index.has_deleted("A", "1")
        assert disk.index.guid_left("A") == left


def test_nor_has_what_was_deleted_before_the_index_knew_of_it() -> None:
    disk = Disk("A/x")
    disk.index.fall_behind()
    disk.folders.move("A", "B", disk.mailboxes)
    disk.index.has_deleted("B", "1")
    assert disk.index.guid_left("B") == ""


def test_a_name_that_is_gone_takes_its_guid_along() -> None:
    disk = Disk("A", "A/x")
    disk.mailboxes.remove("A")
    disk.index.has_deleted("A", "1")
    disk.index.fall_behind()
    disk.folders.move("A", "B", disk.mailboxes)
    disk.index.refresh()
    assert disk.index.guids == {}


def test_how_far_it_is_behind_can_be_kept() -> None:
    disk = Disk("A")
    disk.leave("X/Y", passing=True)
    again = ListIndex(disk.folders, disk.mailboxes, disk.acl_list, disk.index.freeze())
    assert again.refresh() == ("X",)
    assert again.freeze() is None
