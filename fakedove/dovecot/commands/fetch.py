"""`fetch`: fields of the messages that a query finds."""

from __future__ import annotations

from fakedove.dovecot import fetch, texts
from fakedove.dovecot.cache.reads import fields_read
from fakedove.dovecot.commands import cached, queries
from fakedove.dovecot.fetch import Field
from fakedove.dovecot.fetched import Fetched, PrintError, Shared
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.reading import Reading
from fakedove.dovecot.registry import Call, Invocation, Kind, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Output, combine
from fakedove.dovecot.search import parse_query
from fakedove.dovecot.status import Status


def _arguments(
    invocation: Invocation, release: Release
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the names of the fields, and the query."""
    fields, query = invocation.texts("field"), invocation.texts("query")
    first = invocation.text("fieldstr")
    if fields and not release.fetch_fields_apart:
        # The first argument belongs to the query then.
        query = query if first is None else (first, *query)
        first = b" ".join(fields)
    if not query or not (fields or first is not None):
        raise texts.misused(release, invocation.command.usage_in(release))
    if fields and release.fetch_fields_apart:
        return fields, query
    return tuple(word for word in (first or b"").split(b" ") if word), query


def _fields(invocation: Invocation, release: Release) -> tuple[Field, ...]:
    return fetch.parse_fields(release, _arguments(invocation, release)[0])


def _check(invocation: Invocation, release: Release) -> None:
    _fields(invocation, release)
    parse_query(_arguments(invocation, release)[1], release)


def _columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return tuple(field.name for field in _fields(invocation, release))


@command(
    "fetch",
    option("field", kind=Kind.TEXTS),
    positional("fieldstr", required=False),
    positional("query", Kind.TEXTS, required=False),
    mail=True,
    columns=_columns,
    usage="<fields> <search query>",
    check=_check,
)
def fetch_messages(call: Call) -> Output:
    """Print fields of each message that matches, in the order asked for."""
    fields = _fields(call.invocation, call.release)
    query = queries.query_of(call, _arguments(call.invocation, call.release)[1])
    reading = Reading(call.user, from_mail_start=call.release.streams_from_value_start)
    shared = Shared(call.release, call.user, reading)
    reads = fields_read(tuple(field.name for field in fields))
    status = Status.OK
    for place in query.places(call.user):
        if place.box is not None:
            if "mime.parts" in reads.wanted:
                shared.parts_cached = cached.having(call, place.box, "mime.parts")
            outcome = yield from _fetch_box(
                shared, fields, place.box, queries.find(call, query, place.box, reads)
            )
            status = combine(status, outcome)
        elif place.fault is not None or call.release.fetch_opens_unseen:
            why = place.fault or f"Mailbox doesn't exist: {place.name}"
            yield Log(f"Syncing mailbox {place.name} failed: {why}".encode())
            status = combine(status, Status.USAGE if place.fault else Status.NOTFOUND)
        elif call.release.missing_mailbox_fails:
            query.begin(opened=False)
    return status


def _fetch_box(
    shared: Shared, fields: tuple[Field, ...], box: Mailbox, messages: list[Message]
) -> Output:
    status = Status.OK
    numbers = {message.uid: seq for seq, message in enumerate(box.messages, 1)}
    for message in messages:
        found = Fetched(shared, box, message, numbers[message.uid])
        for item in fetch.row(fields, found):
            if isinstance(item, PrintError):
                yield from item.log
                status = combine(status, item.status)
            else:
                yield item
    return status
