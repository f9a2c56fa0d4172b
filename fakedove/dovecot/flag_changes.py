"""Changes of flags and keywords: what a mailbox's messages become, and their modseqs.

Dovecot writes a transaction as records: all system flags are one, each keyword that is added
or removed is another, in the order in which the mailbox came to know the keywords. Every
record counts the mailbox's HIGHESTMODSEQ up by one; what changes nothing is no record.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from fakedove.dovecot.change_log import MailChange
from fakedove.dovecot.message import SYSTEM_FLAGS, Message


class Mode(enum.Enum):
    """How flags are changed."""

    ADD = enum.auto()
    REMOVE = enum.auto()
    REPLACE = enum.auto()


class FlagChange(msgspec.Struct, frozen=True, gc=False):
    """What is to become of the flags of some messages."""

    mode: Mode
    #: System flags as Dovecot spells them.
    flags: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()


class Keywords:
    """The keywords that a mailbox has ever had: first come, first in every list."""

    __slots__ = ("_known",)

    def __init__(self, known: Iterable[str]) -> None:
        """Begin with the keywords `known`, in their order."""
        self._known = {word.lower(): word for word in known}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known.values())

    def spelled(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return `words` as they were spelled the first time, each once, without learning."""
        return tuple({word.lower(): self._known.get(word.lower(), word) for word in words}.values())

    def learn(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return `words` as they were spelled first, in the mailbox's order; learn new ones."""
        wanted = {word.lower(): word for word in words}
        for key, word in wanted.items():
            self._known.setdefault(key, word)
        return tuple(word for key, word in self._known.items() if key in wanted)


def used_keywords(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the keywords of `messages`, in the order in which they appear."""
    return tuple(dict.fromkeys(word for one in messages for word in one.keywords))


def changed(message: Message, change: FlagChange) -> Message:
    """Return what `change` makes of a message, its own keywords first."""
    flags, keywords = set(message.flags), dict.fromkeys(message.keywords)
    match change.mode:
        case Mode.ADD:
            flags |= change.flags
            keywords |= dict.fromkeys(change.keywords)
        case Mode.REMOVE:
            flags -= change.flags
            for word in change.keywords:
                keywords.pop(word, None)
        case Mode.REPLACE:
            flags, keywords = set(change.flags), dict.fromkeys(change.keywords)
    return msgspec.structs.replace(
        message,
        flags=tuple(flag for flag in SYSTEM_FLAGS if flag in flags),
        keywords=tuple(keywords),
    )


def numbered(
    pairs: Sequence[tuple[Message, Message]],
    keywords: Iterable[str],
    highest: int,
    replaced: Container[int] = (),
) -> tuple[Mapping[int, Message], int]:
    """Return the messages that differ from before, by UID, and the new HIGHESTMODSEQ.

    `pairs` are a message before and after, `keywords` all that the mailbox knows, in order. To
    change the keywords of one whose UID is `replaced`, even those are added that it has.
    """
    modseqs: dict[int, int] = {}
    flagged = [new.uid for old, new in pairs if old.flags != new.flags]
    if flagged:
        highest += 1
        modseqs |= dict.fromkeys(flagged, highest)
    moved = [(old, new) for old, new in pairs if set(old.keywords) != set(new.keywords)]
    for word in keywords if moved else ():
        gained = [
            new.uid
            for old, new in moved
            if word in new.keywords and (word not in old.keywords or new.uid in replaced)
        ]
        lost = [new.uid for old, new in moved if word in old.keywords and word not in new.keywords]
        for uids in (gained, lost):
            if uids:
                highest += 1
                modseqs |= dict.fromkeys(uids, highest)
    after = {
        new.uid: msgspec.structs.replace(new, modseq=modseqs[new.uid])
        for _, new in pairs
        if new.uid in modseqs
    }
    return after, highest


def logged(old: Message, new: Message, *, replaced: bool) -> MailChange:
    """Return the log's record of what changed a message's flags.

    Flags that are `replaced` are logged as if all others had been taken away.
    """
    flags = SYSTEM_FLAGS if replaced and old.flags != new.flags else old.flags
    before, after = {*old.flags, *old.keywords}, {*new.flags, *new.keywords}
    return MailChange(
        new.uid,
        new.modseq,
        added=tuple(word for word in (*new.flags, *new.keywords) if word not in before),
        removed=tuple(word for word in (*flags, *old.keywords) if word not in after),
    )


def appended(
    messages: Sequence[Message], keywords: Iterable[str], highest: int
) -> tuple[tuple[Message, ...], int]:
    """Return messages that come in one transaction, with their modseqs, and the highest."""
    highest += 1
    modseqs = dict.fromkeys((one.uid for one in messages), highest)
    used = set(used_keywords(messages))
    for word in keywords:
        if word in used:
            highest += 1
            modseqs |= {one.uid: highest for one in messages if word in one.keywords}
    return tuple(msgspec.structs.replace(one, modseq=modseqs[one.uid]) for one in messages), highest
