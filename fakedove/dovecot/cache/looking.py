"""What a command that looks for mails, and reads of those that it finds, leaves in the cache."""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import OpenedMail
from fakedove.dovecot.cache.reads import NOTHING, Reads
from fakedove.dovecot.cache.searching import (
    Search,
    asks_index,
    in_threads,
    parses_bodies,
    reading_keys,
)
from fakedove.dovecot.cache.thread_reading import ThreadReading
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.release import Release
from fakedove.dovecot.search.matching import Candidate, Matcher
from fakedove.dovecot.search.tree import Node, Threading


class Looked:
    """A note that a query looked into a mailbox."""

    __slots__ = (
        *("_before", "_box", "_cache", "_found", "_nodes", "_reads", "_searches", "_threads"),
        *("key", "messages", "now"),
    )

    def __init__(
        self,
        box: Mailbox,
        nodes: tuple[Node, ...],
        found: Sequence[Message],
        reads: Reads,
        now: int,
        before: Looked | None = None,
    ) -> None:
        """Take the mailbox as it is now, what was read of the mails found, and Unix time.

        `before` is the note of the same command's looking into it before.
        """
        self._box, self._nodes, self._found, self._reads = box, nodes, found, reads
        self._threads = in_threads(nodes)
        self._searches = bool(reading_keys(nodes) or self._threads)
        self.messages = box.messages if self._searches else found
        self.now = now
        #: Notes of one key leave the same: of one query, the same time that it looks.
        self.key: tuple[tuple[Node, ...], object, int] = (
            nodes,
            reads.key,
            before.key[2] + 1 if before else 0,
        )
        self._before = before
        self._cache: OpenedCache | None = None

    def __bool__(self) -> bool:
        """Whether anything was read at all."""
        return bool(self.messages) and (self._searches or bool(self._reads))

    @property
    def may_lose(self) -> bool:
        """Whether a header may be lost: one that is read after the search has read others.

        What depends on other mails is not put off either: it is as they are now.
        """
        return bool(self._threads) or (self._searches and self._reads.parses_header_again)

    def leave(self, file: CacheFile, release: Release) -> None:
        """Leave the traces in the file."""
        cache = self._opened(file, release)
        self._reads.begin(cache)
        threads = self._find_threads(cache, release) if self._threads else None
        traces = _Traces(cache, self._reads)
        traces.one_by_one |= threads is not None
        if self._searches:
            self._search(traces, self._nodes, self._found, release)
        else:
            for message in self.messages:
                traces.leave(message)
        traces.catch_up()
        if threads is not None:
            threads.close()
        self._reads.end(cache)
        cache.close()

    def _opened(self, file: CacheFile, release: Release) -> OpenedCache:
        """Open the cache, or take the one that the command has open still, synchronized."""
        before = self._before
        if before is None:
            self._cache = OpenedCache(file, release, self.now)
        else:
            if before._cache is None:
                # It was not taken, since it changes nothing where nobody looks again.
                before.leave(file, release)
            self._cache = before._cache
            assert self._cache is not None, "left just now, or before"
            self._cache.sync()
        return self._cache

    def _find_threads(self, cache: OpenedCache, release: Release) -> ThreadReading:
        threads = ThreadReading(cache, self.messages)
        for node in self._threads:
            found = Matcher(self._box, release).find(node.keys)
            traces = _Traces(cache, NOTHING)
            traces.one_by_one = True
            if reading_keys(node.keys):
                self._search(traces, node.keys, found, release)
                traces.catch_up()
            if found:
                threads.sort(by_subject=node.threading is Threading.REFERENCES)
        return threads

    def _search(
        self, traces: _Traces, nodes: Sequence[Node], found: Sequence[Message], release: Release
    ) -> None:
        search = Search(nodes, Matcher(self._box, release))
        uids = {message.uid for message in found}
        traces.one_by_one |= len(reading_keys(nodes)) > 1 or parses_bodies(nodes)
        by_index = asks_index(nodes)
        for number, message in enumerate(self.messages, 1):
            candidate = Candidate(message, number, self._box)
            if not by_index or search.may_match(candidate):
                traces.leave(message, search, candidate, matches=message.uid in uids)


class _Traces:
    """What is left of one mail after the other."""

    def __init__(self, cache: OpenedCache, reads: Reads) -> None:
        self._cache, self._reads = cache, reads
        #: Whether mails of which the same is cached may differ in what is left of them.
        self.one_by_one = reads.one_by_one
        self._alike: dict[tuple[object, ...], frozenset[str]] = {}
        #: The last mail of each kind that was taken for like another.
        self._passed: dict[tuple[object, ...], tuple[Message, Search | None, Candidate | None]] = {}

    def leave(
        self,
        message: Message,
        search: Search | None = None,
        candidate: Candidate | None = None,
        *,
        matches: bool = True,
    ) -> None:
        file, uid = self._cache.file, message.uid
        before = file.cached(uid)
        like = (before, matches, uid < file.oldest_new_uid)
        if like in self._alike and not self.one_by_one:
            after = self._alike[like]
            if after != before:
                file.record(uid, after)
            self._passed[like] = message, search, candidate
            return
        self.catch_up()
        decided = file.decided
        self._read(message, search, candidate)
        if decided != file.decided:
            self._alike.clear()
        elif uid not in file.lost_headers:
            self._alike[like] = file.cached(uid)

    def catch_up(self) -> None:
        """Have the cache know how far it was asked."""
        passed = sorted(self._passed.values(), key=lambda one: one[0].uid)
        self._passed.clear()
        for message, search, candidate in passed:
            self._read(message, search, candidate)

    def _read(self, message: Message, search: Search | None, candidate: Candidate | None) -> None:
        reads = self._reads
        mail = OpenedMail(self._cache, message, reads.wanted, reads.headers)
        if search is None or candidate is None or search.look(candidate, mail):
            mail.begin()
            reads(mail)
        mail.close()
