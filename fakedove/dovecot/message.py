"""One mail in a mailbox: an immutable value that snapshots and users can share.

The bytes are kept as they were put in. Dovecot reports two sizes: the physical one counts
them as they are, the virtual one (what IMAP and the quota see) counts a bare LF as CRLF.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from fakedove.errors import StoreError, did_you_mean

#: The system flags, in the order in which Dovecot prints them. \\Recent is no stored flag.
SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")

_BY_LOWER_CASE = {flag.lower(): flag for flag in SYSTEM_FLAGS}


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A mail as one mailbox holds it."""

    uid: int
    #: 32 hex digits.
    guid: str
    #: System flags, in the order of `SYSTEM_FLAGS`.
    flags: tuple[str, ...]
    keywords: tuple[str, ...]
    received: datetime
    saved: datetime
    #: The mail with LF line ends, as Dovecot stores it.
    data: bytes
    #: Bytes, with every LF counted as CRLF.
    virtual_size: int
    modseq: int
    #: Whether it is to lie in the alternative storage.
    alternative: bool = False

    @property
    def physical_size(self) -> int:
        """The mail's size in bytes as it is stored."""
        return len(self.data)

    @property
    def seen(self) -> bool:
        """Whether the \\Seen flag is set."""
        return "\\Seen" in self.flags

    @property
    def deleted(self) -> bool:
        """Whether the \\Deleted flag is set."""
        return "\\Deleted" in self.flags


def virtual_size(data: bytes) -> int:
    """Return the size in bytes that `data` has with CRLF line ends.

    >>> virtual_size(b"a\\r\\nb\\n")
    6
    """
    return len(data) + data.count(b"\n") - data.count(b"\r\n")


def stored(data: bytes) -> bytes:
    """Return `data` as Dovecot stores it: every CRLF is an LF (recordings x.save.*).

    >>> stored(b"a\\r\\nb\\n")
    b'a\\nb\\n'
    """
    return data.replace(b"\r\n", b"\n")


def split_flags(words: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the system flags and the keywords among `words`, each once.

    Flags are known in any case and come back in Dovecot's order, keywords as given. Raises
    StoreError for a word with a backslash that is no flag.
    """
    flags: set[str] = set()
    keywords: dict[str, None] = {}
    for word in words:
        if not word.startswith("\\"):
            keywords[_keyword(word)] = None
        elif flag := _BY_LOWER_CASE.get(word.lower()):
            flags.add(flag)
        else:
            raise StoreError(
                f'there is no flag "{word}", only {" ".join(SYSTEM_FLAGS)}'
                + did_you_mean(word, SYSTEM_FLAGS)
            )
    return tuple(flag for flag in SYSTEM_FLAGS if flag in flags), tuple(keywords)


def _keyword(word: str) -> str:
    if not word or any(char <= " " or char in '(){%*"\\]\x7f' for char in word):
        raise StoreError(f'"{word}" cannot be a keyword: it must be an IMAP atom')
    return word
