"""`flags add`, `flags remove` and `flags replace`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fakedove.dovecot import texts
from fakedove.dovecot.cache.reads import NOTHING, NOTHING_AND_SYNC
from fakedove.dovecot.commands import queries
from fakedove.dovecot.flag_changes import FlagChange, Mode
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import SYSTEM_FLAGS, Message
from fakedove.dovecot.registry import Call, Invocation, Kind, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output
from fakedove.dovecot.search import parse_query
from fakedove.dovecot.status import Status

_BY_LOWER_CASE = {flag.lower().encode(): flag for flag in SYSTEM_FLAGS}
#: It may be given, and changes nothing.
_RECENT = b"\\recent"
#: Longest keyword, in bytes: the default of mail_max_keyword_length.
_LONGEST_KEYWORD = 50
_PARAMETERS = (
    option("flag", kind=Kind.TEXTS),
    positional("flagstr", required=False),
    positional("query", Kind.TEXTS, required=False),
)
_USAGE = "<flags> <search query>"


def _words(invocation: Invocation, release: Release) -> tuple[list[bytes], tuple[bytes, ...]]:
    """Return the flags and the query."""
    flags, query = list(invocation.texts("flag")), invocation.texts("query")
    first = invocation.text("flagstr")
    if flags:
        # The first argument belongs to the query, but 2.4 does not use it for anything.
        lost = release.status_option_keeps_positional or first is None
        return flags, query if lost else (first or b"", *query)
    if first is None or not query:
        raise texts.misused(release, invocation.command.usage_in(release))
    if release.flags_split_at_spaces:
        return first.split(), query
    return first.split(b" ") if first else [], query


def _check(invocation: Invocation, release: Release) -> None:
    words, query = _words(invocation, release)
    for word in words:
        if word.startswith(b"\\") and word.lower() not in (*_BY_LOWER_CASE, _RECENT):
            raise Fatal(b"Invalid system flag: %b" % word)
    parse_query(query, release)


def _keyword_problem(word: bytes) -> bytes | None:
    """Return why `word` is no keyword, or None."""
    if not word:
        return b"Empty keywords not allowed"
    for byte in word:
        if byte <= 0x20 or byte in b'(){%*"\\]\x7f':
            return b"Invalid characters in keyword"
        if byte >= 0x80:
            return b"8bit characters in keyword"
    if len(word) > _LONGEST_KEYWORD:
        return b"Keyword length too long"
    return None


def _change(mode: Mode) -> Callable[[Call], Output]:
    def change(call: Call) -> Output:
        words, arguments = _words(call.invocation, call.release)
        flags = [word for word in words if word.startswith(b"\\")]
        keywords = [word for word in words if not word.startswith(b"\\")]
        problem = next(filter(None, map(_keyword_problem, keywords)), None)
        known = frozenset(_BY_LOWER_CASE[one.lower()] for one in flags if one.lower() != _RECENT)

        def change_in(box: Mailbox, messages: Sequence[Message]) -> Output:
            if problem is not None:
                yield Log(b"Invalid keywords: %b" % problem)
                return Status.DATAERR
            wanted = FlagChange(mode, known, tuple(word.decode() for word in keywords))
            box.change_flags([message.uid for message in messages], wanted)
            if call.release.flags_clear_recent:
                box.first_recent_uid = box.uidnext
            return Status.OK

        assertion = b"box->opened" if keywords or mode is Mode.REPLACE else b""
        query = queries.query_of(call, arguments)
        reads = NOTHING_AND_SYNC if problem is None else NOTHING
        return queries.look(call, query, change_in, assertion=assertion, reads=reads)

    return change


for _name, _mode in (("add", Mode.ADD), ("remove", Mode.REMOVE), ("replace", Mode.REPLACE)):
    command(f"flags {_name}", *_PARAMETERS, mail=True, usage=_USAGE, check=_check)(_change(_mode))
