"""What saving mails leaves in the cache."""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import OpenedMail, is_plain
from fakedove.dovecot.message import Message
from fakedove.dovecot.release import Release


class Saved:
    """A note that mails were saved, each in its time."""

    __slots__ = ("_first", "_held")

    #: It is like no other, and not of mails that it could be compared by.
    key = ("saved",)
    messages: Sequence[Message] = ()
    may_lose = False

    def __init__(self, first: Message, held: Sequence[Message]) -> None:
        """Take the first that was saved, and what the mailbox holds since."""
        self._first, self._held = first, held

    @property
    def now(self) -> int:
        """When the first was saved, in seconds since 1970."""
        return int(self._first.saved.timestamp())

    def leave(self, file: CacheFile, release: Release) -> None:
        """Leave the traces in the file, and there only those of mails that are held."""
        came = [message for message in self._held if message.uid >= self._first.uid]
        # What the first has left of decisions stays, be it gone or not.
        _leave_saved(file, came if came[:1] == [self._first] else [self._first, *came], release)
        file.keep_only({message.uid for message in self._held})


def _leave_saved(file: CacheFile, messages: Sequence[Message], release: Release) -> None:
    """Cache what saving `messages` does, each when it was saved."""
    #: What was cached of one mail is cached of all like it, once nothing is decided any more.
    alike: dict[bool, frozenset[str]] = {}
    decided = -1
    for message in messages:
        now = int(message.saved.timestamp())
        plain = is_plain(message, release)
        file.note_day(message.uid, now)
        if decided == file.decided and plain in alike:
            file.record(message.uid, alike[plain])
            continue
        decided = file.decided
        cache = OpenedCache(file, release, now)
        OpenedMail(cache, message).save()
        cache.close()
        if decided == file.decided:
            alike[plain] = file.cached(message.uid)
        else:
            alike.clear()
            decided = file.decided
