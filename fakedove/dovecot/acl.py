"""The rules of access control lists: identifiers, rights, and what they add up to.

A mailbox keeps its ACL as a mapping of identifiers to rights, in the order in which Dovecot
applies them. Rights that are taken away stand behind those that are given, with a `-`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

#: All rights, in the order in which the effective ones are told.
RIGHTS = (
    *("lookup", "read", "write", "write-seen", "write-deleted", "insert"),
    *("post", "expunge", "create", "delete", "admin"),
)
#: Kinds of identifiers, in the order in which they are applied; `=`: a name follows.
_KINDS = ("anyone", "authenticated", "group=", "owner", "user=", "group-override=")
_FIRST_FOR_OWNERS = _KINDS.index("owner")


class Change(enum.Enum):
    """What a command does to the rights of an identifier."""

    SET = enum.auto()
    ADD = enum.auto()
    REMOVE = enum.auto()
    DELETE = enum.auto()


def identifier(text: str) -> str | None:
    """Return `text` as an identifier is written, or None if it is none."""
    if text == "anonymous":
        return "anyone"
    return text if _kind(text) >= 0 else None


def unknown_right(words: Iterable[str]) -> str | None:
    """Return the first of `words` that is no right, or None; behind a colon all are."""
    for word in words:
        name = word.removeprefix("-")
        if name not in (*RIGHTS, "all") and not name.startswith(":"):
            return name
    return None


def changed(
    entries: Mapping[str, Sequence[str]], who: str, change: Change, words: Iterable[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return `entries` after the change of what `who` may, in order."""
    result = dict(in_order(entries))
    given = _spelled_out(words)
    match change:
        case Change.SET:
            result[who] = _sorted(given)
        case Change.ADD:
            result[who] = _sorted({*result.get(who, ()), *given})
        case Change.REMOVE if who in result:
            result[who] = _sorted({*result[who]} - given)
        case Change.DELETE:
            result.pop(who, None)
    return dict(in_order(result))


def in_order(entries: Mapping[str, Sequence[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return `entries` as Dovecot applies and prints them."""
    by_kind = sorted(entries.items(), key=lambda item: (_kind(item[0]), item[0]))
    return [(who, _sorted(rights)) for who, rights in by_kind]


def changes_sharing(who: str, change: Change, words: Iterable[str]) -> bool:
    """Whether a change may alter who can see mailboxes of others, as Dovecot guesses it."""
    if change in (Change.SET, Change.DELETE):
        return True
    return who != "owner" and "lookup" in _spelled_out(words)


def effective(entries: Mapping[str, Sequence[str]], owner: str) -> tuple[str, ...]:
    """Return what the mailbox's owner may: everything, unless the ACL says otherwise."""
    try:
        return _effective(tuple(entries.items()), owner)
    except TypeError:  # There is a list among the rights.
        return _effective(tuple([(who, tuple(words)) for who, words in entries.items()]), owner)


def concerns(who: str, user: str) -> bool:
    """Whether an identifier is, or includes, the owner `user`."""
    return who in ("anyone", "authenticated", "owner", f"user={user}")


def is_shared(entries: Mapping[str, Sequence[str]], owner: str) -> bool:
    """Whether others than the owner may see the mailbox."""
    return any(
        "lookup" in rights
        for who, rights in entries.items()
        if who not in ("owner", f"user={owner}")
    )


@lru_cache(maxsize=1024)
def _effective(entries: tuple[tuple[str, Sequence[str]], ...], owner: str) -> tuple[str, ...]:
    """Work it out: quota asks for every mailbox, each time, and ACLs are few and seldom new."""
    rights, taken = set(RIGHTS), set[str]()
    for who, words in in_order(dict(entries)):
        if _kind(who) < _FIRST_FOR_OWNERS or not concerns(who, owner):
            continue
        given = {word for word in words if not word.startswith("-")}
        negative = {word[1:] for word in words if word.startswith("-")}
        if given or not negative:
            rights = given
        taken = negative or taken
    return tuple(right for right in RIGHTS if right in rights - taken)


def _kind(who: str) -> int:
    """Return the place of the identifier's kind, -1 if there is no such kind."""
    for place, kind in enumerate(_KINDS):
        if who == kind or (kind.endswith("=") and who.startswith(kind)):
            return place
    return -1


def _spelled_out(words: Iterable[str]) -> set[str]:
    given = set[str]()
    for word in words:
        sign = "-" if word.startswith("-") else ""
        name = word.removeprefix("-")
        named = RIGHTS if name == "all" else (name.removeprefix(":"),)
        given |= {sign + right for right in named}
    return given


def _sorted(rights: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(rights, key=lambda word: (word.startswith("-"), word)))
