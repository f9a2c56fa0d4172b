"""Which flags a mail has after a sync whose sides do not agree on them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import msgspec


class Flags(msgspec.Struct, frozen=True):
    """The flags and keywords of a mail on one side, and what its log says of them."""

    now: AbstractSet[str]
    added: AbstractSet[str] = frozenset()
    removed: AbstractSet[str] = frozenset()


def merged(local: Flags, remote: Flags, *, prefer_remote: bool) -> set[str]:
    """Return what is to be set: what either log says, else what the preferred side has."""
    local_added, local_removed = set(local.added), set(local.removed)
    remote_added, remote_removed = set(remote.added), set(remote.removed)
    for mine, other in ((local_added, remote_removed), (local_removed, remote_added)):
        loser, winner = (mine, other) if prefer_remote else (other, mine)
        loser -= winner
    differing = local.now ^ remote.now
    added = (local_added | remote_added) & differing
    removed = (local_removed | remote_removed) & differing
    side = remote if prefer_remote else local
    return (set(side.now) | added) - removed
