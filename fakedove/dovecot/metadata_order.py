"""In which order the names of a mailbox's metadata come out of the dict file that keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from fakedove.dovecot.hash_table import bucket

_FOLDERS = {"private": b"priv", "shared": b"shared"}


def names_of(keys: Iterable[str], kind: str, guid: str) -> list[bytes]:
    """Return what follows `/private/` or `/shared/` in the keys of a mailbox with that GUID."""
    start = f"/{kind}/"
    names = (key.removeprefix(start) for key in keys if key.startswith(start))
    folder = b"%b/%b/" % (_FOLDERS[kind], guid.encode())
    encoded = (name.encode(errors="surrogateescape") for name in names)
    return sorted(encoded, key=lambda name: bucket(folder + name))
