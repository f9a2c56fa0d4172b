"""From a query's tree to tests of messages, for one mailbox.

A test is cheap to ask: what reads mails is asked last, and not at all if the rest decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from fakedove.dovecot import masks
from fakedove.dovecot.clock import DAY
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.dates import in_32_bits
from fakedove.dovecot.names import canonical_name
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search import tree
from fakedove.dovecot.search.mimepart_tree import Filename, MimeNode
from fakedove.dovecot.search.mimeparts import MimeParts, filenames
from fakedove.dovecot.search.normal import normal
from fakedove.dovecot.search.sets import contains, settle
from fakedove.dovecot.search.texts import Texts
from fakedove.dovecot.search.thread_mails import threads
from fakedove.dovecot.search.tree import (
    Group,
    InThread,
    Node,
    Relation,
    Threading,
    Time,
    When,
)
from fakedove.dovecot.search.windows import window


class Candidate(msgspec.Struct, gc=False):
    """A message that may match; its number counts from 1."""

    message: Message
    number: int
    #: Where it was found, which knows what was read before in headers.
    box: Mailbox
    _texts: Texts | None = None
    _parts: MimeParts | None = None

    @property
    def texts(self) -> Texts:
        """What the mail says."""
        if self._texts is None:
            message, box = self.message, self.box
            lost = box.cache.lost(message.uid)
            self._texts = Texts(message.data, box.header_texts, message.uid, lost)
        return self._texts

    def sent(self, *, local: bool, clamped: bool) -> int:
        """Return when the mail was sent, in seconds since 1970, where it was if `local`.

        `clamped` as `in_32_bits` has it.
        """
        if self.message.uid in self.box.cache.lost_dates:
            return 0
        seconds, zone = self.texts.sent()
        kept = in_32_bits(seconds, clamped=clamped)
        return kept + zone * 60 if local else kept

    def parts(self, *, decoded: bool) -> MimeParts:
        """Return what parts the mail has; `decoded` as `MimeParts` has it."""
        if self._parts is None:
            self._parts = MimeParts(self.message.data, decoded=decoded)
        return self._parts


#: None is for what Dovecot cannot decide.
Test: TypeAlias = Callable[[Candidate], bool | None]


class Matcher:
    """Make tests for the messages of one mailbox."""

    def __init__(self, box: Mailbox, release: Release) -> None:
        """Take the mailbox as it is now."""
        self._box = box
        self._release = release
        self._index_only = False
        #: Whether a MIME part's file name was compared with one that is freed behind each mailbox.
        self.compared_filename = False

    def find(self, nodes: Sequence[Node], *, oldest_only: bool = False) -> list[Message]:
        """Return the messages that all of `nodes` match.

        `oldest_only` ends the search at the first that was looked at in vain; those that
        flags, keywords and numbers rule out are not looked at.
        """
        if any(isinstance(node, tree.Modseq) for node in nodes):
            # Not only once a message is compared: an empty mailbox begins with modseqs then.
            self._box.track_modseqs()
        messages = self._box.messages
        if not messages:
            return []
        first, last = window(nodes, messages, self._box.highestmodseq)
        test = self._all(nodes)
        if test is _always:
            return list(messages[first - 1 : last])
        may_match = self._from_index(nodes) if oldest_only else None
        self._box.header_texts.trim(len(messages))
        found = []
        for number in range(first, last + 1):
            message = messages[number - 1]
            one = Candidate(message, number, self._box)
            if may_match is not None and may_match(one) is False:
                continue
            if test(one):
                found.append(message)
            elif oldest_only:
                break
        return found

    def _from_index(self, nodes: Sequence[Node]) -> Test:
        """Return the test that only what the index knows makes; None for what it does not."""
        self._index_only = True
        test = self._all(nodes)
        self._index_only = False
        return test

    def test(self, node: Node) -> Test:
        """Return the test that a key makes by itself."""
        return self._test(node)

    def _test(self, node: Node) -> Test:
        match node:
            case Group(keys, any_of):
                test = self._any(keys) if any_of else self._all(keys)
            case InThread():
                test = self._in_thread(node)
            case _ if self._index_only and _cost(node) > 0:
                return lambda _: None
            case _:
                test = self._leaf(node)
        return _negated(test) if node.negated else test

    def _all(self, nodes: Sequence[Node]) -> Test:
        tests = [self._test(node) for node in sorted(nodes, key=_cost)]
        tests = [test for test in tests if test is not _always] or [_always]
        if len(tests) == 1:
            return tests[0]

        def every(one: Candidate) -> bool | None:
            found: bool | None = True
            for test in tests:
                matches = test(one)
                if matches is False:
                    return False
                if matches is None:
                    found = None
            return found

        return every

    def _any(self, nodes: Sequence[Node]) -> Test:
        tests = [self._test(node) for node in sorted(nodes, key=_cost)]

        def some(one: Candidate) -> bool | None:
            found: bool | None = False
            for test in tests:
                matches = test(one)
                if matches:
                    return True
                if matches is None:
                    found = None
            return found

        return some

    def _in_thread(self, node: InThread) -> Test:
        if any(isinstance(key, InThread) for key in node.keys):
            raise Fatal(b"killed with signal 11", Scope.MAIL, crash=True)
        uids = {message.uid for message in self.find(node.keys)}
        if not uids:
            return _never
        if node.threading is Threading.ORDERED_SUBJECT:
            raise Fatal(b"unreached", Scope.MAIL, crash=True)
        by_subject = node.threading is Threading.REFERENCES
        clamped = self._release.sent_date_clamped
        of = threads(self._box.messages, by_subject=by_subject, clamped=clamped)
        wanted = {of[uid] for uid in uids}
        return lambda one: of[one.message.uid] in wanted

    def _leaf(self, node: tree.Leaf) -> Test:
        match node:
            case tree.All() | tree.SaveDate():
                return _always
            case tree.Numbers(ranges):
                settled = settle(ranges, self._box.message_count)
                return lambda one: contains(settled, one.number)
            case tree.Uids(ranges):
                return lambda one: contains(ranges, one.message.uid)
            case tree.Flags(flags):
                box, stored = self._box, flags - {"\\Recent"}
                if stored == flags:
                    return lambda one: stored.issubset(one.message.flags)
                return lambda one: box.is_recent(one.message) and stored.issubset(one.message.flags)
            case tree.Keyword(word):
                lower = word.lower()
                return lambda one: lower in [each.lower() for each in one.message.keywords]
            case tree.Modseq(modseq):
                box = self._box
                return lambda one: box.modseq(one.message.uid) >= modseq
            case tree.Larger(size):
                return lambda one: one.message.virtual_size > size
            case tree.Smaller(size):
                return lambda one: one.message.virtual_size < size
            case tree.Guid(guid):
                return lambda one: one.message.guid == guid
            case When():
                return _when(node, clamped=self._release.sent_date_clamped)
            case tree.MailboxGuid() | tree.InMailbox() | tree.InMailboxes():
                return _always if self._is_here(node) else _never
            case tree.MimePart(query):
                names = frozenset(filenames(query))
                return lambda one: self._mimepart(one, query, names)
            case tree.Header():
                return _header(node)
            case tree.Text(text, headers):
                key = normal(text)
                return lambda one: key in one.texts.whole(headers=headers)

    def _mimepart(
        self, one: Candidate, query: Sequence[MimeNode], names: frozenset[Filename]
    ) -> bool | None:
        parts = one.parts(decoded=self._release.attachment_names_decoded)
        found = parts.match(query)
        self.compared_filename |= not names.isdisjoint(parts.compared)
        return found

    def _is_here(self, node: tree.MailboxKey) -> bool:
        match node:
            case tree.MailboxGuid(guid):
                return self._box.guid == guid
            case tree.InMailbox(name):
                return canonical_name(name) == self._box.name
            case tree.InMailboxes(mask):
                return masks.mailbox_matches(mask, self._box.name)


def _always(_: Candidate) -> bool:
    return True


def _never(_: Candidate) -> bool:
    return False


def _negated(test: Test) -> Test:
    if test is _always:
        return _never
    if test is _never:
        return _always

    def opposite(one: Candidate) -> bool | None:
        matches = test(one)
        return matches if matches is None else not matches

    return opposite


def _cost(node: Node) -> int:
    """Return how late a key is asked: 0 for what the index knows, more for what reads mails."""
    match node:
        case Group(keys):
            return max(map(_cost, keys))
        case When() | tree.Larger() | tree.Smaller() | tree.Guid() | tree.SaveDate():
            return 1
        case tree.InMailbox() | tree.InMailboxes():
            return 1
        case tree.Header():
            return 2
        case tree.Text():
            return 3
        case tree.MimePart():
            return 4
    return 0


def _when(node: When, *, clamped: bool) -> Test:
    relation, moment = node.relation, node.moment
    start = moment.seconds
    seconds = _seconds_of(node.time, local=not moment.exact, clamped=clamped)

    def before(one: Candidate) -> bool:
        return seconds(one) < start

    def on(one: Candidate) -> bool:
        return start <= seconds(one) < start + DAY

    def since(one: Candidate) -> bool:
        return seconds(one) >= start

    return {Relation.BEFORE: before, Relation.ON: on, Relation.SINCE: since}[relation]


def _seconds_of(time: Time, *, local: bool, clamped: bool) -> Callable[[Candidate], int]:
    match time:
        case Time.SENT:
            return lambda one: one.sent(local=local, clamped=clamped)
        case Time.RECEIVED:
            # The server's own clock shows UTC.
            return lambda one: int(one.message.received.timestamp())
        case Time.SAVED:
            return lambda one: int(one.message.saved.timestamp())


def _header(node: tree.Header) -> Test:
    field, reading = node.field, node.reading
    if not node.text:
        return lambda one: bool(one.texts.fields(field))
    key = normal(node.text)
    return lambda one: key in one.texts.header(field, reading)
