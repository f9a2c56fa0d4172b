"""Mails that threads are found among, with what threads go by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.dates import in_32_bits, parse_date
from fakedove.dovecot.search.texts import Texts
from fakedove.dovecot.search.thread_walk import ThreadWalk
from fakedove.dovecot.search.threads import Forest, base_subject


def threads(messages: Sequence[Message], *, by_subject: bool, clamped: bool) -> Mapping[int, int]:
    """Return the number of the thread that each UID is in.

    `clamped` as `in_32_bits` has it.
    """
    mails = ThreadMails(messages, clamped=clamped)
    walk = ThreadWalk(mails.forest(), mails.date, mails.subject)
    for _ in walk.readings(by_subject=by_subject):
        pass
    return walk.thread_of


class ThreadMails:
    """Dates and subjects by UID, and who answers whom."""

    def __init__(
        self, messages: Sequence[Message], *, clamped: bool, undated: Collection[int] = ()
    ) -> None:
        """Take the mails; the Date of those with `undated` UIDs cannot be told."""
        self.messages = {message.uid: message for message in messages}
        self.texts = {message.uid: Texts(message.data) for message in messages}
        self._clamped, self._undated = clamped, undated

    def forest(self) -> Forest:
        """Return who answers whom."""
        forest = Forest()
        for uid, texts in self.texts.items():
            forest.add(uid, texts)
        return forest

    def sent(self, uid: int) -> int:
        """Return when a mail was sent, in seconds since 1970; 0 for unknown."""
        fields = [] if uid in self._undated else self.texts[uid].fields(b"date")
        seconds, _ = (parse_date(fields[0].one_line) if fields else None) or (0, 0)
        return in_32_bits(seconds, clamped=self._clamped)

    def date(self, uid: int) -> int:
        """Return when a mail was sent, or else received."""
        return self.sent(uid) or int(self.messages[uid].received.timestamp())

    def subject(self, uid: int) -> tuple[str, bool] | None:
        """Return a mail's subject as `base_subject` does, None if it has none."""
        fields = self.texts[uid].fields(b"subject")
        return base_subject(fields[0].one_line) if fields else None
