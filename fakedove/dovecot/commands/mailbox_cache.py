"""`mailbox cache decision`, `remove` and `purge`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime

from fakedove.dovecot import texts
from fakedove.dovecot.cache.fields import Decision
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.commands import cached, queries
from fakedove.dovecot.commands.mailbox_checks import last_problem, missing, name_problem
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import canonical_name
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope, combine
from fakedove.dovecot.search import Query
from fakedove.dovecot.status import Status

_GAPS = (
    Gap("where mails were moved within a mailbox that is named twice, `guid` counts as unused"),
    Gap("before 2.3.11 counting the quota looks up no sizes there"),
)
_DECISIONS = ("yes", "temp", "no")
_BAD_DECISION = b"Invalid decision '%b': must be one of yes, temp, no"
_BAD_LAST_USED = b"Invalid last-used '%b': not a number"


def _check_decision(invocation: Invocation, release: Release) -> None:
    complaint = _told(_about_decision(invocation), release)
    if complaint and release.cache_checks_arguments:
        raise Fatal(complaint[0].text)
    if not invocation.flag("all") and not invocation.flag("fieldstr"):
        raise Fatal(b"Missing fields parameter", log=complaint)
    _check_mailbox(invocation, release)


def _about_decision(invocation: Invocation) -> tuple[Log, ...]:
    """Return what is said of a decision that is none."""
    decision = invocation.text("decision")
    if decision is None or decision.decode(errors="replace") in _DECISIONS:
        return ()
    return (
        Log(_BAD_DECISION % decision, scope=Scope.COMMAND),
        Log(b"Invalid parameter d", scope=Scope.COMMAND),
    )


def _told(complaint: tuple[Log, ...], release: Release) -> tuple[Log, ...]:
    """Return what a release says of a complaint: one that only ignores it says less."""
    return complaint if release.cache_refuses_decisions else complaint[:1]


def complaint_in_batch(options: Sequence[tuple[str, bytes | None]]) -> tuple[Log, ...]:
    """Return what the reader of a batch's line says of the first option that it refuses."""
    decided = False
    for name, value in options:
        if name == "last-used" and not _is_last_used(value or b""):
            return (Log(_BAD_LAST_USED % value, scope=Scope.COMMAND),)
        if name == "decision" and decided:
            return (Log(b"Only one decision flag allowed", scope=Scope.COMMAND),)
        if name == "decision" and (value or b"").decode(errors="replace") not in _DECISIONS:
            return (Log(_BAD_DECISION % value, scope=Scope.COMMAND),)
        decided = decided or name == "decision"
    return ()


def _is_last_used(text: bytes) -> bool:
    return text.isdigit() and int(text) < 1 << 64


def _complain(call: Call) -> Iterator[Log]:
    """Say of a decision that it is none, which kills a process that had to do with users."""
    complaint = _about_decision(call.invocation)
    yield from _told(complaint, call.release)
    if complaint and call.settled and call.release.cache_refuses_decisions:
        yield texts.backtrace(Scope.COMMAND)
        raise Fatal(b"assertion failed: (cctx != NULL)", Scope.COMMAND, crash=True)


def _check_mailbox(invocation: Invocation, release: Release) -> None:
    if release.cache_checks_arguments and not invocation.texts("mailbox"):
        raise Fatal(b"Missing mailbox")


@command(
    "mailbox cache decision",
    flag("all", "a"),
    option("fieldstr", "f"),
    option("last-used", "l", Kind.UNSIGNED),
    option("decision", "d"),
    positional("mailbox", Kind.TEXTS, required=False),
    mail=True,
    columns=("mailbox", "field", "decision", "last-used"),
    usage="--all --fields <fields> --last-used <timestamp> --decision <decision>"
    " <mailbox> [<mailbox> ... ]",
    gaps=_GAPS,
    check=_check_decision,
    before=_complain,
    ends_with_failure=True,
)
def mailbox_cache_decision(call: Call) -> Output:
    """Print, and change, what is cached of mail and when that was used."""
    complaint = _about_decision(call.invocation)
    given = b"" if complaint else call.invocation.text("decision") or b""
    decision = Decision(given.decode()) if given else None
    #: A mailbox that is given again is synchronized again, and not forgotten in between.
    caches: dict[str, OpenedCache] = {}
    for argument in call.invocation.texts("mailbox"):
        box = yield from _opened(argument, call)
        if isinstance(box, Status):
            return box
        cache = caches.get(box.name) or cached.opened(call, box)
        caches[box.name] = cache
        cache.sync()
        if not cache.file.exists:
            yield Log(b"Cache is unusable")
            return Status.TEMPFAIL
        yield from _decide(call.invocation, box.name, cache, decision)
    refused = complaint and call.release.cache_refuses_decisions
    return Status.USAGE if refused else Status.OK


def _decide(
    invocation: Invocation, mailbox: str, cache: OpenedCache, decision: Decision | None
) -> Iterator[tuple[bytes, ...]]:
    cache.open()
    last_used = invocation.number("last-used")
    names = [field.name for field in cache.fields.values()]
    for asked in names if invocation.flag("all") else _asked(invocation):
        shown = (mailbox.encode(), asked.encode(errors="surrogateescape"))
        field = cache.fields.get(asked.lower())
        if field is None:
            yield (*shown, b"<not found>", b"")
            continue
        cache.decide(field, decision, last_used)
        used = datetime.fromtimestamp(field.last_used, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        yield (*shown, field.decision.value.encode(), used.encode())
    cache.close()


def _asked(invocation: Invocation) -> list[str]:
    text = (invocation.text("fieldstr") or b"").decode(errors="surrogateescape")
    return [name for name in text.replace(",", " ").split(" ") if name]


def _check_remove(invocation: Invocation, release: Release) -> None:
    if invocation.texts("query"):
        queries.check_query(invocation, release)
    elif release.cache_remove_needs_query:
        raise texts.misused(release, invocation.command.usage_in(release))


@command(
    "mailbox cache remove",
    positional("query", Kind.TEXTS, required=False),
    mail=True,
    columns=("mailbox", "uid", "result"),
    usage="<search string>",
    gaps=_GAPS,
    check=_check_remove,
)
def mailbox_cache_remove(call: Call) -> Output:
    """Make the cache forget messages."""
    query = queries.query_of(call, call.invocation.texts("query") or (b"all",))
    status = Status.OK
    for place in query.places(call.user):
        if place.box is not None:
            for uid in _remove(call, query, place.box):
                yield (place.box.name.encode(), b"%d" % uid, b"ok")
        elif place.fault is not None and (refused := queries.unopened(call, place)):
            yield refused[0]
            status = combine(status, refused[1])
        elif call.release.missing_mailbox_fails:
            raise Fatal(b"killed with signal 11", Scope.MAIL, crash=True)
    return status


def _remove(call: Call, query: Query, box: Mailbox) -> list[int]:
    """Have what was cached of mails forgotten, and return their UIDs.

    What the search adds comes after that.
    """
    before = dict(cached.file_of(call, box).records)
    uids = [message.uid for message in queries.find(call, query, box)]
    file = cached.file_of(call, box)
    for uid in uids:
        file.drop(uid, before.get(uid, frozenset()))
    return uids


@command(
    "mailbox cache purge",
    positional("mailbox", Kind.TEXTS, required=False),
    mail=True,
    usage="<mailbox> [...]",
    check=_check_mailbox,
    ends_with_failure=True,
)
def mailbox_cache_purge(call: Call) -> Output:
    """Make the cache files of mailboxes anew."""
    for argument in call.invocation.texts("mailbox"):
        box = yield from _opened(argument, call)
        if isinstance(box, Status):
            return box
        cached.opened(call, box).purge()
    return Status.OK


def _opened(argument: bytes, call: Call) -> Generator[Item, None, Mailbox | Status]:
    """Return the mailbox, or the status that the command fails with after saying why."""
    try:
        name = canonical_name(argument.decode())
    except UnicodeDecodeError:
        raise Fatal(b"Mailbox name not valid UTF-8: %b" % argument, Scope.MAIL) from None
    box = call.user.find_mailbox(name)
    problem = name_problem(name)
    if box is None or problem is not None:
        status, why = problem or last_problem(call.user, missing(name))
        yield Log(f"Cannot open mailbox {name}: {why}".encode())
        return status
    return box
