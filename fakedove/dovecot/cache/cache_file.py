"""A mailbox's cache file: what is decided about each field, and which fields each mail has there.

Only that a value is cached is kept, not the value: it is that of the mail, save where a header
was lost (`lost_headers`).
"""

from __future__ import annotations

from fakedove.dovecot.cache.fields import Stored
from fakedove.dovecot.clock import DAY

#: Days that the index remembers the first mail of; older ones are not worth caching.
_DAYS = 8

_NOTHING: frozenset[str] = frozenset()


class CacheFile:
    """What one file holds. `exists` turns true when the first field of a mail is cached."""

    __slots__ = (
        "_first_uids",
        "changes",
        "day_stamp",
        "decided",
        "exists",
        "fields",
        "lost_dates",
        "lost_headers",
        "recorded",
        "records",
        "threaded_uid",
    )

    def __init__(self) -> None:
        """Start without a file."""
        self.exists = False
        #: How often anything was changed, and how often something was decided.
        self.changes = self.decided = 0
        #: How often a mail got another record, or lost it.
        self.recorded = 0
        #: By key, in the order of the file.
        self.fields: dict[str, Stored] = {}
        #: Keys of cached fields by UID; no entry is no record.
        self.records: dict[int, frozenset[str]] = {}
        #: Headers that stand there as if the mail had none, by UID.
        self.lost_headers: dict[int, frozenset[str]] = {}
        #: UIDs of mails whose date.sent is, or will be, worked out from a lost header.
        self.lost_dates: frozenset[int] = frozenset()
        #: When the day began on which a mail came last, in seconds since 1970; 0 for never.
        self.day_stamp = 0
        self._first_uids = (0,) * _DAYS
        #: The last mail whose message IDs are noted down beside the cache, to find threads by.
        self.threaded_uid = 0

    def copy(self) -> CacheFile:
        """Return one that can change on its own."""
        other = CacheFile()
        other.exists = self.exists
        other.fields, other.records = dict(self.fields), dict(self.records)
        other.lost_headers, other.lost_dates = dict(self.lost_headers), self.lost_dates
        other.day_stamp, other._first_uids = self.day_stamp, self._first_uids
        other.threaded_uid = self.threaded_uid
        return other

    @property
    def oldest_new_uid(self) -> int:
        """The UID from which on mails are less than about a week old."""
        return self._first_uids[-1]

    def cached(self, uid: int) -> frozenset[str]:
        """Return the keys of what is cached of a mail."""
        return self.records.get(uid, _NOTHING)

    def write(self, fields: dict[str, Stored]) -> None:
        """Write what is decided about fields."""
        self.changes += fields != self.fields or list(fields) != list(self.fields)
        self.fields = fields

    def record(self, uid: int, keys: frozenset[str]) -> None:
        """Cache fields of a mail, and no others."""
        self.recorded += self.records.get(uid) != keys
        self.records[uid] = keys
        self.changes += 1

    def keep_only(self, uids: set[int]) -> None:
        """Drop the records of other mails."""
        for uid in self.records.keys() - uids:
            self.forget(uid)

    def forget(self, uid: int) -> None:
        """Drop a mail's record."""
        self.recorded += self.records.pop(uid, None) is not None
        self.lost_headers.pop(uid, None)
        self.lost_dates -= {uid}
        self.changes += 1

    def lose(self, uid: int, keys: frozenset[str]) -> None:
        """Take it that a mail does not have headers which are cached of it."""
        self.lost_headers[uid] = self.lost_headers.get(uid, _NOTHING) | keys
        if "hdr.date" in keys and "date.sent" not in self.cached(uid):
            self.lost_dates |= {uid}

    def drop(self, uid: int, keys: frozenset[str]) -> None:
        """Drop fields of a mail, and what was lost with them."""
        left = self.cached(uid) - keys
        if not left:
            self.forget(uid)
            return
        self.record(uid, left)
        if lost := self.lost(uid) & left:
            self.lost_headers[uid] = lost
        else:
            self.lost_headers.pop(uid, None)
        if "date.sent" not in left and "hdr.date" not in lost:
            self.lost_dates -= {uid}

    def lost(self, uid: int) -> frozenset[str]:
        """Return the keys of headers that are cached of a mail as if it had none."""
        return self.lost_headers.get(uid, _NOTHING)

    def thread(self, uid: int) -> None:
        """Note down message IDs up to those of a mail."""
        if uid > self.threaded_uid:
            self.threaded_uid = uid
            self.changes += 1

    def note_day(self, uid: int, now: int) -> None:
        """Remember that a mail came, which may be the first of its day."""
        today = now - now % DAY
        if self.day_stamp >= today:
            return
        days = min((today - self.day_stamp) // DAY, _DAYS)
        first = self._first_uids
        self._first_uids = (uid, *first[:1] * (days - 1), *first)[:_DAYS]
        self.day_stamp = today
