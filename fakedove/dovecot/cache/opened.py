"""A mailbox's cache as one command has it open: decisions are made here and written at its end.

Each command opens the cache anew; in what order it has asked for mails is forgotten then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.fields import NAMES, NEVER, Decision, Stored, cached_from_start
from fakedove.dovecot.clock import DAY
from fakedove.dovecot.release import Release

#: Seconds without use after which a field that is cached for long is cached for a while only;
#: twice that, and it is cached no more.
_UNUSED = 30 * DAY

_RANKS = {decision: rank for rank, decision in enumerate(Decision)}


class Field:
    """What the process knows of a field."""

    __slots__ = ("decision", "dirty", "highest_uid", "last_used", "name")

    def __init__(self, name: str, decision: Decision) -> None:
        self.name = name
        self.decision = decision
        self.last_used = 0
        #: The last mail that it was asked of in order.
        self.highest_uid = 0
        #: Whether the decision was made by this process.
        self.dirty = False


class _Transaction:
    """What was added and is not written yet."""

    __slots__ = ("by_uid", "fields")

    def __init__(self) -> None:
        self.fields: dict[str, None] = {}
        #: Only kept where there are two transactions at a time.
        self.by_uid: dict[int, set[str]] = {}


class OpenedCache:
    """The cache of a mailbox, open; `close` writes what has changed."""

    def __init__(
        self, file: CacheFile, release: Release, now: int, *, decides: bool = True
    ) -> None:
        """Take the file, and seconds since 1970.

        One that does not `decide` caches without a decision, as `index` does.
        """
        self.file = file
        self.release = release
        self.now = now
        self._decides = decides
        self._opened = False
        self._must_write = False
        self._must_purge = False
        self._own = _Transaction()
        self._other: _Transaction | None = None
        self.fields = {name: Field(name, Decision.NO) for name in NAMES}
        for name in cached_from_start(headers=release.caching.headers):
            self.fields[name] = Field(name, Decision.TEMP)

    def register(self, header: str) -> str:
        """Make a header's field known, and return its key."""
        name = f"hdr.{header}"
        key = name.lower()
        if key not in self.fields:
            self.fields[key] = Field(name, Decision.NO)
        return key

    def open(self) -> None:
        """Read what the file says of its fields."""
        if self._opened or not self.file.exists:
            return
        self._opened = True
        for key, stored in self.file.fields.items():
            field = self.fields.get(key)
            if field is None:
                field = self.fields[key] = Field(stored.name, stored.decision)
            elif not field.dirty:
                field.decision = stored.decision
            field.last_used = max(field.last_used, stored.last_used)
            if self.release.caching.adding_is_use:
                self._must_purge |= self._fate(field) is not field.decision

    def exists(self, key: str, uid: int) -> bool:
        """Whether a field of a mail is cached, and not by another transaction alone."""
        self.open()
        if key not in self.file.cached(uid):
            return False
        if self._other is None or key not in self._other.by_uid.get(uid, ()):
            return True
        return key in self._own.by_uid.get(uid, ())

    def lookup(self, key: str, uid: int) -> bool:
        """Look a field up, which counts as its use, and return whether it is cached."""
        self.open()
        self._use(key, uid)
        return self.exists(key, uid)

    def lookup_headers(self, keys: list[str], uid: int) -> bool:
        """Look headers up, and return whether all are cached."""
        for key in keys:
            self._use(key, uid)
        self.open()
        return self.file.cached(uid).issuperset(keys) and all(
            self.exists(key, uid) for key in (keys if self._other else ())
        )

    def wants(self, key: str, uid: int) -> bool:
        """Whether a field of a mail is to be cached since it has been decided so."""
        self.open()
        decision = self.fields[key].decision
        if decision is Decision.NO:
            return False
        if decision is Decision.TEMP and uid < self.file.oldest_new_uid:
            return False
        return not self.exists(key, uid)

    def add(self, key: str, uid: int) -> None:
        """Cache a field of a mail."""
        if key == NEVER:
            return
        self.open()
        field = self.fields[key]
        counts = field.last_used == 0 and self.release.caching.adding_is_use
        if self._decides and (field.decision is Decision.NO or counts):
            if field.decision is Decision.NO:
                field.decision = Decision.TEMP
            if self.release.caching.adding_is_use:
                field.last_used = self.now
            field.highest_uid, field.dirty = uid, True
            self._decide()
        self.add_silently(key, uid)
        self._own.fields[key] = None
        if self._other is not None:
            self._own.by_uid.setdefault(uid, set()).add(key)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Work in another transaction, the same each time.

        Neither sees what the other has added before that is written.
        """
        self._own, self._other = self._other or _Transaction(), self._own
        try:
            yield
        finally:
            self._own, self._other = self._other, self._own

    def add_silently(self, key: str, uid: int) -> None:
        """Cache more of what is cached of a mail."""
        self.file.record(uid, self.file.cached(uid) | {key})

    def is_cached_somehow(self, key: str) -> bool:
        """Whether a field is to be cached of new mails at least."""
        return self.fields[key].decision is not Decision.NO

    def decide(self, field: Field, decision: Decision | None, last_used: int | None) -> None:
        """Make a decision about a field, and say when it was used; None leaves that as it is."""
        if decision is not None:
            field.decision = decision
        if last_used is not None:
            field.last_used = last_used
        if decision is not None or last_used is not None:
            field.dirty = True
            self._decide()

    def take_over(self, other: OpenedCache) -> None:
        """Decide as another mailbox does, if that has a cache, and make the file."""
        other.open()
        if not other.file.exists:
            return
        self.open()
        for key, theirs in other.fields.items():
            field = self.fields.setdefault(key, Field(theirs.name, theirs.decision))
            if _RANKS[theirs.decision] > _RANKS[field.decision]:
                field.decision = theirs.decision
            field.last_used = max(field.last_used, theirs.last_used)
        self.purge()

    def sync(self) -> None:
        """Synchronize the mailbox again, which makes the file anew if that is due."""
        self.commit()
        if self._must_purge:
            self.purge()

    @property
    def is_open(self) -> bool:
        """Whether the file has been read."""
        return self._opened

    def commit(self) -> None:
        """Write what was added; the first field makes the file, with all that are known."""
        added = self._own.fields
        if added and not self.file.exists:
            self.file.exists = self._opened = True
            self._write(list(self.fields))
        elif not added.keys() <= self.file.fields.keys():
            new = [key for key in self.fields if key in added.keys() - self.file.fields]
            self._write([*self.file.fields, *new])
        self._own = _Transaction()

    def close(self) -> None:
        """Write what has changed of decisions, about fields that the file has."""
        self.commit()
        if self._must_write and self.file.exists:
            fields = {}
            for key, stored in self.file.fields.items():
                field = self.fields[key]
                used = max(field.last_used, stored.last_used)
                fields[key] = Stored(stored.name, field.decision, used)
            self.file.write(fields)
            self._must_write = False

    def purge(self) -> None:
        """Make the file anew: without fields that are not cached, nor what is too old."""
        self.open()
        for key, stored in self.file.fields.items():
            self.fields[key].last_used = max(self.fields[key].last_used, stored.last_used)
        kept = []
        for key in [*self.fields] if self.file.exists else []:
            field = self.fields[key]
            field.decision = self._fate(field)
            if field.decision is Decision.NO:
                field.last_used = 0
            elif key in self.file.fields:
                kept.append(key)
        if not self.file.exists:
            kept = list(self.fields)
        self.file.exists = self._opened = True
        self._write(kept)
        for uid, cached in list(self.file.records.items()):
            self._thin_out(uid, cached)
        self._must_purge = False

    def _thin_out(self, uid: int, cached: frozenset[str]) -> None:
        new = uid >= self.file.oldest_new_uid
        gone = frozenset(
            key
            for key in cached
            if (field := self.fields.get(key.partition("+")[0])) is None
            or field.decision is Decision.NO
            or (field.decision is Decision.TEMP and not new)
        )
        if gone:
            self.file.drop(uid, gone)

    def _write(self, keys: list[str]) -> None:
        """Write the header anew. What was used later, as the file has it, stays."""
        for key, stored in self.file.fields.items():
            field = self.fields[key]
            field.last_used = max(field.last_used, stored.last_used)
        fields = [(key, self.fields[key]) for key in keys]
        self.file.write({key: Stored(f.name, f.decision, f.last_used) for key, f in fields})
        self._must_write = False

    def _fate(self, field: Field) -> Decision:
        """Return what a field's decision is to be, by the time since it was used."""
        if field.decision is Decision.NO or not self.file.day_stamp:
            return field.decision
        if field.last_used < self.file.day_stamp - 2 * _UNUSED:
            return Decision.NO
        if field.last_used < self.file.day_stamp - _UNUSED:
            return Decision.TEMP
        return field.decision

    def _use(self, key: str, uid: int) -> None:
        """Note the use of a field, cached or not; of one day once is enough."""
        if not self._decides or key == NEVER:
            return
        field = self.fields[key]
        long_ago = self.now - field.last_used > DAY
        always = not self.release.caching.adding_is_use
        if long_ago and (always or field.decision is not Decision.YES):
            self._note_use(key, field)
        if field.decision is Decision.NO or (field.decision is Decision.YES and not long_ago):
            return
        if uid >= field.highest_uid and uid >= self.file.oldest_new_uid:
            field.highest_uid = uid
        elif field.decision is Decision.YES:
            self._note_use(key, field)
        else:
            field.decision, field.dirty = Decision.YES, True
            self._decide()

    def _note_use(self, key: str, field: Field) -> None:
        field.last_used = self.now
        self._must_write |= self._opened and key in self.file.fields

    def _decide(self) -> None:
        self._must_write = True
        self.file.decided += 1
