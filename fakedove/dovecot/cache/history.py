"""The cache of one mailbox, and what has happened to it since somebody asked.

Hardly anybody asks. So a command that reads mail leaves a note of that, and only when the
cache is asked for, or when there are many notes, is their effect worked out. A note that
changed nothing is not taken again until something else has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.saving import Saved
from fakedove.dovecot.clock import DAY
from fakedove.dovecot.message import Message
from fakedove.dovecot.release import Release

#: Notes that are kept, and how many mails they may be about before they are looked at.
_MOST_NOTES, _MOST_MAILS = 32, 100_000

_NONE: frozenset[int] = frozenset()
_NOTHING: frozenset[str] = frozenset()


class Note(Protocol):
    """Something that leaves its traces in a cache."""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from another about the same mails."""

    @property
    def messages(self) -> Sequence[Message]:
        """The mails that it is about."""

    @property
    def now(self) -> int:
        """When it happened, in seconds since 1970."""

    @property
    def may_lose(self) -> bool:
        """Whether a header may be lost, which the next to read it will see."""

    def leave(self, file: CacheFile, release: Release) -> None:
        """Leave the traces in the file."""


class Traces(msgspec.Struct, frozen=True):
    """The history of a cache as a value."""

    file: CacheFile | None = None
    notes: tuple[Note, ...] = ()
    first_saved: Message | None = None


class MailCache:
    """A mailbox's cache. Whoever asks gives what the mailbox holds, and for which release."""

    __slots__ = (
        "_began",
        "_file",
        "_first_saved",
        "_idle",
        "_idle_since",
        "_mails",
        "_notes",
        "_origin",
    )

    def __init__(self, origin: Traces | None, first_saved: Message | None) -> None:
        """Begin with what `freeze` returned, None where the mails have only been saved yet."""
        self._origin = origin
        traces = origin or Traces(first_saved=first_saved)
        self._began = traces
        self._file: CacheFile | None = None
        self._notes = list(traces.notes)
        self._mails = sum(len(note.messages) for note in self._notes)
        #: The first mail that came, by other ways than a copy, since the last note.
        self._first_saved = traces.first_saved
        #: Notes that changed nothing as things are: their mails by their keys.
        self._idle: dict[tuple[object, ...], Sequence[Message]] = {}
        self._idle_since = 0

    def freeze(self) -> Traces | None:
        """Return what has happened as a value: the one that it began with if nothing has."""
        file = self._began.file if self._file is None else self._file.copy()
        traces = Traces(file, tuple(self._notes), self._first_saved)
        return self._origin if traces == self._began else traces

    def copied(self) -> None:
        """Take it that the mails that came last were copied: what that leaves is known."""
        self._first_saved = None

    def saved(self, message: Message) -> None:
        """Note that mails came, of which this is the first."""
        if self._first_saved is None:
            self._first_saved = message

    def note(self, note: Note, held: Sequence[Message], release: Release) -> None:
        """Take a note; `held` is what the mailbox holds now."""
        self._take_saved(held)
        if self._changes_nothing(note):
            return
        if len(self._notes) >= _MOST_NOTES or self._mails > _MOST_MAILS:
            self._settle(release)
        self._notes.append(note)
        self._mails += len(note.messages)
        if note.may_lose:
            self._settle(release)

    def caches(self, note: Note, held: Sequence[Message], release: Release) -> bool:
        """Take a note, and return whether it changes what is cached of any mail."""
        self._take_saved(held)
        if self._changes_nothing(note):
            return False
        self._settle(release)
        file = self._opened()
        before = file.recorded
        self._notes.append(note)
        self._settle(release)
        return file.recorded != before

    def file(self, held: Sequence[Message], release: Release) -> CacheFile:
        """Return the cache file as it is now, to be changed too; `held` as for `note`."""
        self._take_saved(held)
        self._settle(release)
        self._idle.clear()
        return self._opened()

    def _take_saved(self, held: Sequence[Message]) -> None:
        if self._first_saved is not None:
            self._notes.append(Saved(self._first_saved, held))
            self._first_saved = None

    def _changes_nothing(self, note: Note) -> bool:
        """Whether it is known to change nothing: it did not before, or came twice just now.

        After a day the use of a field is noted again, changed or not.
        """
        idle = self._idle.get(note.key)
        if idle is not None:
            return note.now - self._idle_since < DAY and idle == note.messages
        last = self._notes[-2:]
        return len(last) > 1 and all(
            one.key == note.key and one.messages == note.messages and note.now - one.now < DAY
            for one in last
        )

    @property
    def lost_dates(self) -> frozenset[int]:
        """UIDs of mails whose Date is lost to the cache; no note that is left tells of more."""
        file = self._file or self._began.file
        return _NONE if file is None else file.lost_dates

    def lost(self, uid: int) -> frozenset[str]:
        """Return the keys of headers of a mail that are lost to the cache."""
        file = self._file or self._began.file
        return _NOTHING if file is None else file.lost(uid)

    def _opened(self) -> CacheFile:
        if self._file is None:
            origin = self._began.file
            self._file = CacheFile() if origin is None else origin.copy()
        return self._file

    def _settle(self, release: Release) -> None:
        file = self._opened()
        for note in self._notes:
            before = file.changes
            note.leave(file, release)
            if file.changes != before or note.now - self._idle_since >= DAY:
                self._idle.clear()
                self._idle_since = note.now
            if file.changes == before:
                self._idle[note.key] = note.messages
        self._notes.clear()
        self._mails = 0
