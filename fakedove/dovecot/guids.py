"""GUIDs of mails and mailboxes: 32 hex digits, at random or derived from names."""

from __future__ import annotations

import hashlib
import random

from fakedove.errors import StoreError

_HEX = frozenset("0123456789abcdef")


def random_guid(source: random.Random) -> str:
    """Return a GUID from `source`: 32 hex digits."""
    return f"{source.getrandbits(128):032x}"


def derived_guid(*names: str | int) -> str:
    """Return the GUID that always belongs to `names`, so that a store is the same each time."""
    return hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).hexdigest()


def checked_guid(text: str) -> str:
    """Return `text` as a GUID in lower case; raises StoreError unless it is 32 hex digits."""
    guid = text.lower()
    if not is_guid(guid):
        raise StoreError(f'"{text}" is no GUID: it must be 32 hex digits')
    return guid


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID as it is kept: 32 hex digits in lower case."""
    return len(text) == 32 and _HEX.issuperset(text)
