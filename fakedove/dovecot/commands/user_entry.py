"""How `user` writes the entries of its JSON.

What is written comes in pieces, which some releases send one by one. `lead` are those that
come before and were not written yet; the last entry is followed by the end of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

import msgspec

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Text
from fakedove.dovecot.userdb import Account, auth_fields, userdb_fields

Pieces: TypeAlias = tuple[bytes, ...]

#: Write a text or an object as Dovecot does.
json = msgspec.json.Encoder().encode


def texts(release: Release, pieces: Iterable[bytes]) -> tuple[Text, ...]:
    """Return what is written: each piece where the release does so, else all at once."""
    if release.user_json_pieces:
        return tuple([Text(piece) for piece in pieces if piece])
    return (Text(b"".join(pieces)),)


@lru_cache(maxsize=1024)
def head(release: Release, name: bytes, *, first: bool) -> Pieces:
    """Return what is written of an entry before the user is looked up."""
    opening = b"" if release.json_colon_waits else b":{"
    shown = name.decode(errors="replace")
    return (b"{" if first else b",", b'"', _inner(shown), b'"', opening)


def body(
    release: Release, fields: Iterable[bytes], lead: Pieces, *, last: bool
) -> tuple[Text, ...]:
    """Return what is written then, up to the entry's end."""
    opening = b":{" if release.json_colon_waits else b""
    return texts(release, (*lead, opening, *fields, b"}", b"}" if last else b""))


def error(text: str) -> Pieces:
    """Return the only field of an entry that says what is wrong."""
    return (b'"error":%b' % json(text),)


@lru_cache(maxsize=1024)
def found(
    release: Release, account: Account, name: bytes, only: bytes | None, lead: Pieces, last: bool
) -> tuple[Text, ...]:
    """Return the fields of a user who was found by `name`, or the `only` one that is wanted."""
    fields = userdb_fields(account, release)
    if name != account.name.encode():
        # The auth service found it by another name, in lower case.
        fields = {"user": account.name} | fields
    if only is None and not release.user_json_pieces:
        return body(release, (json(fields)[1:-1],), lead, last=last)
    written = _written(fields, only, commas=release.user_json_commas)
    return body(release, written, lead, last=last)


def bare(release: Release, account: Account, only: bytes | None) -> Pieces:
    """Return what the userdb alone says of a user; only its own fields can be chosen."""
    fields = auth_fields(account, release)
    if only is None:
        told = {"source": "userdb", "updated_username": account.name} | fields
        return (json(told)[1:-1],)
    shown = only.decode(errors="replace")
    if shown in fields:
        return (b'"%b":"%b"' % (_inner(shown), _inner(fields[shown])),)
    return () if release.json_colon_waits else (b'"%b":' % _inner(shown),)


def _written(fields: Mapping[str, str], only: bytes | None, *, commas: bool) -> Iterator[bytes]:
    """Yield the fields as they are written; `commas`: those are, too, of what is not wanted."""
    separator = b""
    for key, value in fields.items():
        wanted = only is None or key.encode() == only
        if wanted or commas:
            yield separator
            separator = b","
        if wanted:
            yield from (b'"', _inner(key), b'":"', _inner(value), b'"')


def _inner(text: str) -> bytes:
    return json(text)[1:-1]
