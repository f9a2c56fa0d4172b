from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.folders import Folders

paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


def test_newest_first_parents_before_children_inbox_last() -> None:
    folders = Folders(["INBOX", "Archive", "Archive/2023", "Sent", "Archive/2024", "Lists/x"])
    assert list(folders.newest_first()) == [
        *("Lists", "Lists/x", "Sent"),
        *("Archive", "Archive/2024", "Archive/2023", "INBOX"),
    ]


def test_a_parent_keeps_its_place_while_anything_of_it_is_left() -> None:
    folders = Folders(["a/b", "c"])
    folders.add("a")
    folders.remove("a/b", {"a", "c"})
    assert list(folders.newest_first()) == ["c", "a"]


def test_parents_left_empty_go_too() -> None:
    folders = Folders(["a/b/c", "x"])
    folders.remove("a/b/c", {"x"})
    assert list(folders.newest_first()) == ["x"]


def test_a_parent_with_children_stays_when_it_is_removed() -> None:
    folders = Folders(["a", "a/b"])
    folders.remove("a", {"a/b"})
    assert list(folders.newest_first()) == ["a", "a/b"]


@given(st.lists(paths), st.lists(paths))
def test_the_oldest_first_paths_make_the_same_tree(added: list[str], removed: list[str]) -> None:
    folders = Folders(added)
    mailboxes = set(added)
    for path in removed:
        if path in mailboxes:
            mailboxes.discard(path)
            folders.remove(path, mailboxes)
    again = Folders(folders.oldest_first())
    assert list(again.newest_first()) == list(folders.newest_first())
    assert set(folders.newest_first()) == {
        "/".join(parts[: depth + 1])
        for parts in (path.split("/") for path in mailboxes)
        for depth in range(len(parts))
    }
