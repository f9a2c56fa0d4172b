"""What access control lists add up to."""

from __future__ import annotations

import pytest

from fakedove.dovecot import acl
from fakedove.dovecot.acl import Change

ALL = acl.RIGHTS


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("owner", "owner"),
        ("anonymous", "anyone"),
        ("user=", "user="),
        ("group-override=g", "group-override=g"),
        ("user", None),
        ("owner=x", None),
        ("USER=bob", None),
        ("-user=bob", None),
        ("", None),
    ],
)
def test_identifiers(text: str, who: str | None) -> None:
    assert acl.identifier(text) == who


@pytest.mark.parametrize(
    ("words", "unknown"),
    [(["read", "-all"], None), (["READ"], "READ"), (["read", "-foo"], "foo"), ([""], "")],
)
def test_unknown_rights(words: list[str], unknown: str | None) -> None:
    assert acl.unknown_right(words) == unknown


def test_entries_are_kept_by_kind_and_name() -> None:
    entries: dict[str, tuple[str, ...]] = {}
    for who in ("group-override=h", "user=zed", "user=bob", "owner", "group=g", "anyone"):
        entries = acl.changed(entries, who, Change.SET, ["read"])
    assert list(entries) == [
        *("anyone", "group=g", "owner", "user=bob", "user=zed", "group-override=h")
    ]


def test_changes() -> None:
    entries = acl.changed({}, "user=a", Change.ADD, ["write", "read", "-post"])
    assert entries == {"user=a": ("read", "write", "-post")}
    entries = acl.changed(entries, "user=a", Change.REMOVE, ["read", "write", "-post"])
    assert entries == {"user=a": ()}
    assert acl.changed(entries, "user=b", Change.REMOVE, ["read"]) == entries
    assert acl.changed(entries, "user=a", Change.DELETE) == {}
    assert set(acl.changed({}, "owner", Change.SET, ["all"])["owner"]) == set(ALL)


@pytest.mark.parametrize(
    ("entries", "rights"),
    [
        ({}, ALL),
        ({"anyone": ("lookup",), "user=bob": ()}, ALL),
        ({"owner": ("read", "lookup")}, ("lookup", "read")),
        ({"owner": ("read",), "user=tss": ("post",)}, ("post",)),
        ({"owner": ("-lookup",)}, ALL[1:]),
        ({"owner": ("-lookup",), "user=tss": ("lookup", "read")}, ("read",)),
        ({"owner": ()}, ()),
    ],
)
def test_what_the_owner_may(entries: dict[str, tuple[str, ...]], rights: tuple[str, ...]) -> None:
    assert acl.effective(entries, "tss") == rights


@pytest.mark.parametrize(
    ("who", "shared"), [("user=bob", True), ("anyone", True), ("owner", False), ("user=tss", False)]
)
def test_who_shares(who: str, shared: bool) -> None:
    assert acl.is_shared({who: ("lookup",)}, "tss") is shared
    assert not acl.is_shared({who: ("read", "-lookup")}, "tss")
