"""What copying mails leaves in the cache: what was cached of them, and is wanted there too."""

from __future__ import annotations

from collections.abc import Mapping

from fakedove.dovecot.cache.fields import Decision
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import PLAIN, OpenedMail
from fakedove.dovecot.cache.reads import Reads


class Copies(Reads):
    """Mails that are copied as they are found; `moves` if they are expunged then.

    Nothing happens before `arrived` is told what they have become.
    """

    def __init__(self, *, moves: bool = False) -> None:
        """Begin with no mails."""
        # It is like no other, since where mails go to matters as well.
        super().__init__((object(),))
        self._moves = moves
        self._uids: Mapping[int, int] = {}
        self._to: OpenedCache | None = None
        self._synchronized = False
        self.one_by_one = True

    def __bool__(self) -> bool:
        """Whether anything is read that a cache is there for."""
        return True

    def arrived(
        self, uids: Mapping[int, int], to: OpenedCache, *, synchronized: bool = False
    ) -> None:
        """Take the UIDs that mails have at their destination, by those that they had.

        `synchronized` if the mailbox that they are copied from is, once a search has read it.
        """
        self._uids, self._to, self._synchronized = uids, to, synchronized

    def begin(self, cache: OpenedCache) -> None:
        """Take the cache of the mailbox that mails are copied from."""
        if self._to is not None and self._to.file is cache.file:
            self._to = cache

    def __call__(self, mail: OpenedMail) -> None:
        """Copy a mail."""
        if self._to is not None and mail.uid in self._uids:
            if self._synchronized and self._to is not mail.cache and mail.cache.is_open:
                mail.cache.sync()
            self._synchronized = False
            _copy(mail.cache, mail.uid, self._to, self._uids[mail.uid])
            if self._moves:
                mail.expunge()

    def end(self, cache: OpenedCache) -> None:
        """Write what was copied."""
        if self._to is cache:
            return
        cache.sync()
        if self._to is not None:
            self._to.close()


def _copy(source: OpenedCache, uid: int, to: OpenedCache, new_uid: int) -> None:
    source.open()
    to.open()
    to.file.note_day(new_uid, to.now)
    for key, field in source.fields.items():
        there = to.fields.get(key)
        if Decision.NO in (field.decision, Decision.NO if there is None else there.decision):
            continue
        if key == "date.save" or source.lookup(key, uid):
            to.add(key, new_uid)
    if source.exists(PLAIN, uid) and to.exists("flags", new_uid):
        to.add_silently(PLAIN, new_uid)
    if lost := source.file.lost(uid) & to.file.cached(new_uid):
        to.file.lose(new_uid, lost)
