"""The lists of mailboxes of both sides of a sync; texts and results are those of a real 2.4.1."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakedove.dovecot.change_log import Event, ListChange
from fakedove.dovecot.dsync.renames import Way
from fakedove.dovecot.dsync.steps import Act, Step
from fakedove.dovecot.dsync.tree import Existence, Tree
from fakedove.dovecot.dsync.tree_fill import mark_deleted, told, told_deletion
from fakedove.dovecot.dsync.tree_merge import Merge

A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def tree(*names: str | tuple[str, str] | tuple[str, str, int]) -> Tree:
    """Return a tree of folders, and of mailboxes with a GUID and perhaps an age."""
    made = Tree()
    for one in names:
        path, guid, age = (one, "", 0) if isinstance(one, str) else (*one, 0)[:3]
        node = made.at(path)
        node.existence, node.guid, node.renamed = Existence.EXISTS, guid, age
        node.uidvalidity, node.uidnext = (1, 1) if guid else (0, 0)
    for node in made:
        made.index(node)
    return made


def content(made: Tree) -> dict[str, str]:
    """Return the names that exist, with their GUIDs."""
    return {node.path: node.guid for node in made if node.exists}


def merged(mine: Tree, theirs: Tree, way: Way = Way.BOTH) -> Merge:
    return Merge(mine, theirs, way)


@pytest.mark.parametrize(
    ("mine", "theirs", "way", "steps"),
    [
        pytest.param(
            tree(("S", A)),
            tree(("S", A), ("N", B), "F/G"),
            Way.BOTH,
            [
                Step(Act.CREATE, "N", guid=B, uidvalidity=1),
                Step(Act.CREATE_FOLDER, "F/G"),
            ],
            id="what only the other side has is made",
        ),
        pytest.param(
            tree(("S", A), ("N", B)),
            tree(("S", A)),
            Way.KEEP_REMOTE,
            [Step(Act.DELETE, "N", guid=B)],
            id="a mirror loses what the other side has not",
        ),
        pytest.param(
            tree(("S", A)),
            tree(("T", A, 7)),
            Way.BOTH,
            [Step(Act.RENAME, "S", to="T")],
            id="the later name counts",
        ),
        pytest.param(
            tree(("S", A, 9)),
            tree(("T", A, 7)),
            Way.BOTH,
            [],
            id="an older name does not",
        ),
        pytest.param(
            tree(("S", A), ("T", B)),
            tree(("S", B, 7), ("T", A, 7)),
            Way.BOTH,
            [
                Step(Act.RENAME, "S", to="S-temp-1"),
                Step(Act.RENAME, "T", to="S"),
                Step(Act.RENAME, "S-temp-1", to="T"),
            ],
            id="names that are swapped",
        ),
        pytest.param(
            tree(("INBOX", A)),
            tree(("INBOX", B), ("T", A, 7)),
            Way.KEEP_REMOTE,
            [
                Step(Act.DELETE, "INBOX", guid=A),
                Step(Act.CREATE, "INBOX", guid=B, uidvalidity=1),
                Step(Act.CREATE, "T", guid=A, uidvalidity=1),
            ],
            id="INBOX is not renamed",
        ),
    ],
)
def test_one_side_does_what_it_takes(mine: Tree, theirs: Tree, way: Way, steps: list[Step]) -> None:
    merge = merged(mine, theirs, way)
    assert not merge.failed
    assert merge.steps == steps


def test_debug_lines_say_why() -> None:
    merge = merged(tree(("S", A), ("T", B)), tree(("S", B, 7), ("T", A, 7)))
    none = "0" * 32
    assert merge.said[:4] == [
        f"Mailbox S: local={A}/0/1, remote={B}/7/1: conflicting name: Renamed 'S' to 'S-temp-1'"
        " + Renamed 'T' to 'S'(remote: local_node2=NULL)",
        "-- Mailbox renamed, restart sync --",
        f"Mailbox S: local={B}/7/1, remote={B}/7/1: Mailboxes are equal",
        f"Mailbox S-temp-1: local={A}/0/1, remote={none}/0/0: conflicting name: remote: unchanged",
    ]
    assert merge.said[-1] == "remote mailbox T-temp-1: Delete directory-only tree"


@pytest.mark.parametrize(("mistakes_folders", "first"), [(False, "name"), (True, "Renamed")])
def test_releases_differ_in_which_folder_they_take_for_the_same(
    mistakes_folders: bool, first: str
) -> None:
    mine = tree("a", "a/e", ("a/e/f", A), "d", "d/b", ("d/b/c", B))
    theirs = tree("a", "a/b", ("a/b/c", B), "d", "d/e", ("d/e/f", A))
    merge = Merge(mine, theirs, Way.KEEP_LOCAL, mistakes_folders=mistakes_folders)
    why = merge.said[0].partition("/1: ")[2]
    assert first in why.split()[:2]


def test_a_mailbox_that_keeps_a_temporary_name_gets_its_guid_for_a_suffix() -> None:
    mine = tree(("INBOX", C), ("S", A))
    theirs = tree(("INBOX", C), ("S", B, 9), ("S/x", A, 9))
    merge = merged(mine, theirs, Way.BOTH)
    assert any("Renamed 'S' to 'S-temp-1'" in line for line in merge.said)
    assert not any(node.temporary for one in (mine, theirs) for node in one)
    assert content(mine) == content(theirs)


def test_a_deletion_is_marked_unless_the_name_is_newer() -> None:
    mine, theirs = tree(("S", A), "F", ("G", B, 9)), tree()
    gone = ListChange(Event.DELETED, A, 5)
    assert mark_deleted(theirs, mine, gone) == ("S", "marked as deleted")
    assert mark_deleted(theirs, mine, ListChange(Event.DELETED, C, 5)) == ("", "not found")
    folder = ListChange(Event.FOLDER_DELETED, "F", 5)
    assert mark_deleted(theirs, mine, folder) == ("F", "marked as deleted")
    newer = "keep directory, we have a newer timestamp"
    assert mark_deleted(theirs, mine, ListChange(Event.FOLDER_DELETED, "G", 9)) == ("G", newer)
    assert merged(mine, theirs).steps == [
        Step(Act.DELETE, "S", guid=A),
        Step(Act.DELETE_FOLDER, "F"),
    ]


def test_debug_lines_know_deleted_names_by_their_hash() -> None:
    assert told_deletion(ListChange(Event.FOLDER_DELETED, "Archive/2024", 5)) == (
        "guid=9857882c594eb1a582415bbf064abfe6 type=dir timestamp=5"
    )
    unsubscribed = ListChange(Event.UNSUBSCRIBED, "x", 7)
    assert told_deletion(unsubscribed) == (
        "guid=11f6ad8ec52a2984abaafd7c3b516503 type=unsubscribe timestamp=7"
    )
    assert told_deletion(ListChange(Event.DELETED, A, 5)) == f"guid={A} type=mailbox timestamp=5"


def test_a_name_is_told_with_all_that_is_known() -> None:
    node = tree(("S", A, 7)).at("S")
    node.subscribed, node.subscription_changed = True, 8
    line = f"guid={A} uid_validity=1 uid_next=1 subs=yes last_change=7 last_subs=8"
    assert told(node) == line


_names = st.sampled_from(["INBOX", "a", "b", "c", "a/b", "a/c", "b/a", "b/c/a", "c/b"])
_trees = st.dictionaries(_names, st.sampled_from([A, B, C, ""]), max_size=5).map(
    lambda drawn: [
        (name, guid) for name, guid in drawn.items() if not guid or _first(drawn, name, guid)
    ]
)


def _first(drawn: dict[str, str], name: str, guid: str) -> bool:
    return next(one for one, other in drawn.items() if other == guid) == name


@given(mine=_trees, theirs=_trees, way=st.sampled_from([Way.KEEP_LOCAL, Way.KEEP_REMOTE]))
@settings(max_examples=200, deadline=None)
def test_a_mirror_has_the_same_mailboxes_in_the_end(
    mine: list[tuple[str, str]], theirs: list[tuple[str, str]], way: Way
) -> None:
    local, remote = tree(*mine), tree(*theirs)
    model = content(copy.deepcopy(local if way is Way.KEEP_LOCAL else remote))
    assert not merged(local, remote, way).failed
    boxes = {name: guid for name, guid in content(local).items() if guid}
    assert boxes == {name: guid for name, guid in content(remote).items() if guid}
    assert boxes == {name: guid for name, guid in model.items() if guid}


@given(mine=_trees, theirs=_trees)
@settings(max_examples=200, deadline=None)
def test_both_sides_come_to_the_same_names(
    mine: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> None:
    here, there = (tree(*mine), tree(*theirs)), (tree(*theirs), tree(*mine))
    for local, remote in (here, there):
        assert not merged(local, remote).failed
    names = [{node.path for node in local if node.exists} for local, _ in (here, there)]
    assert names[0] == names[1]
