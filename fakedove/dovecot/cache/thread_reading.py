"""What finding threads leaves in the cache: it reads headers of each mail once, and dates again.

Which message IDs mails have is kept in a file, so headers are read of new mails only; of an older
mail where an ID is met again, to be sure that it is the same. (Measured on 2.3.19.1 and 2.4.1.)
"""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import OpenedMail
from fakedove.dovecot.message import Message
from fakedove.dovecot.search.thread_mails import ThreadMails
from fakedove.dovecot.search.thread_walk import ThreadWalk
from fakedove.dovecot.search.threads import links

_WANTED = frozenset({"date.sent", "date.received"})
_HEADERS = ("in-reply-to", "message-id", "references", "subject")


class ThreadReading:
    """The mails of a mailbox, as threads are found among them."""

    def __init__(self, cache: OpenedCache, messages: Sequence[Message]) -> None:
        """Take what the mailbox holds, and read of new mails which others they belong to."""
        self._cache = cache
        clamped, undated = cache.release.sent_date_clamped, cache.file.lost_dates
        self._mails = ThreadMails(messages, clamped=clamped, undated=undated)
        #: By ID, the mail that had it last, and in which header.
        self._met: dict[bytes, tuple[int, bytes]] = {}
        #: The mail that is looked at beside the one that is gone through.
        self._aside: OpenedMail | None = None
        for header in _HEADERS:
            cache.register(header)
        with cache.beside():
            for message in messages:
                self._add(message.uid)
        cache.file.thread(max(self._mails.messages, default=0))

    def sort(self, *, by_subject: bool) -> None:
        """Read what threads are sorted by."""
        walk = ThreadWalk(self._mails.forest(), self._mails.date, self._mails.subject)
        with self._cache.beside():
            for uid, subject in walk.readings(by_subject=by_subject):
                mail = self._look_aside(uid)
                if subject:
                    mail.header("subject")
                    continue
                mail.date_sent()
                if not self._mails.sent(uid):
                    mail.date_received()

    def close(self) -> None:
        """End: what was read has a transaction of its own, over before that of the search."""
        with self._cache.beside():
            self._close_aside()
            self._cache.commit()

    def _close_aside(self) -> None:
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _add(self, uid: int) -> None:
        own, references, header = links(self._mails.texts[uid])
        mail = self._opened(uid) if uid > self._cache.file.threaded_uid else None
        if mail is not None:
            mail.header("message-id")
            mail.header("references")
        if own is not None:
            self._meet(own, uid, b"message-id", new=mail is not None)
        if mail is not None and header == b"in-reply-to":
            mail.header("in-reply-to")
        for one in references:
            self._meet(one, uid, header, new=mail is not None)
        if mail is not None:
            mail.close()

    def _meet(self, name: bytes, uid: int, header: bytes, *, new: bool) -> None:
        """Note who has an ID; where it is a new mail, look whether an older one really had it."""
        if new and name in self._met:
            other, where = self._met[name]
            self._look_aside(other).header(where.decode())
        self._met[name] = uid, header

    def _look_aside(self, uid: int) -> OpenedMail:
        mail = self._aside
        if mail is None or mail.uid != uid:
            self._close_aside()
            mail = self._aside = self._opened(uid)
            mail.open_ahead()
        return mail

    def _opened(self, uid: int) -> OpenedMail:
        mail = OpenedMail(self._cache, self._mails.messages[uid], _WANTED, _HEADERS)
        mail.begin()
        return mail
