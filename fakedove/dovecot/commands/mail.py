"""Commands on messages: `search`, `fetch`, `expunge`, `save`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fakedove.dovecot import fetch
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope
from fakedove.dovecot.search import Query, parse_query
from fakedove.dovecot.status import Status

_EXPUNGE_NO_MAILBOX = (
    b"expunge: To avoid accidents, search query must contain MAILBOX in all search branches"
)
_EXPUNGE_ONLY_MAILBOX = (
    b"expunge: To avoid accidents, each branch in search query must contain something else"
    b' besides MAILBOX (e.g. just add "all" if you want everything)'
)


def _check_query(invocation: Invocation, release: Release) -> None:
    parse_query(invocation.texts("query"))


def _query(call: Call) -> Query:
    return parse_query(call.invocation.texts("query"))


@command(
    "search",
    positional("query", Kind.TEXTS),
    mail=True,
    columns=("mailbox-guid", "uid"),
    usage="<search query>",
    check=_check_query,
)
def search(call: Call) -> Output:
    """Print mailbox GUID and UID of each message that matches."""
    query = _query(call)
    name = query.missing(call.user)
    if name is not None and call.release.missing_mailbox_fails:
        yield Log(f"Couldn't get mailbox '{name}' GUID: Mailbox doesn't exist: {name}".encode())
        return Status.NOTFOUND
    for box, messages in query.select(call.user):
        guid = box.guid.encode()
        for message in messages:
            yield (guid, b"%d" % message.uid)
    return Status.OK


def _fetch_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return fetch.parse_fields(invocation.text("fieldstr") or b"")


@command(
    "fetch",
    option("field", kind=Kind.TEXTS),
    positional("fieldstr"),
    positional("query", Kind.TEXTS),
    mail=True,
    columns=_fetch_columns,
    usage="<fields> <search query>",
    check=_check_query,
)
def fetch_messages(call: Call) -> Output:
    """Print fields of each message that matches, in the order asked for."""
    fields = fetch.parse_fields(call.invocation.text("fieldstr") or b"")
    query = _query(call)
    for box, messages in query.select(call.user):
        numbers = {message.uid: seq for seq, message in enumerate(box.messages, 1)}
        for message in messages:
            found = fetch.Fetched(call.user, box, message, numbers[message.uid])
            yield fetch.row(fields, found)
    return Status.OK


def _check_expunge(invocation: Invocation, release: Release) -> None:
    query = parse_query(invocation.texts("query"))
    if not query.mailboxes:
        raise Fatal(_EXPUNGE_NO_MAILBOX)
    if not query.names_messages:
        raise Fatal(_EXPUNGE_ONLY_MAILBOX)


@command(
    "expunge",
    flag("delete-empty-mailbox", "d"),
    positional("query", Kind.TEXTS),
    mail=True,
    usage="[-d] <search query>",
    check=_check_expunge,
)
def expunge(call: Call) -> Output:
    """Remove each message that matches; `-d` removes mailboxes that this empties."""
    query = _query(call)
    name = query.missing(call.user)
    if name is not None and call.release.missing_mailbox_fails:
        yield Log(f"Syncing mailbox '{name}' failed: Mailbox doesn't exist: {name}".encode())
        return Status.NOTFOUND
    for box, messages in query.select(call.user):
        box.expunge([message.uid for message in messages])
        if call.invocation.flag("delete-empty-mailbox") and not box.message_count:
            call.user.delete_mailbox(box.name)
    return Status.OK


@command(
    "save",
    option("mailbox", "m"),
    option("uid", "U", Kind.NUMBER, when="save_places"),
    option("guid", "g", when="save_places"),
    option("received-date", "r", when="save_places"),
    positional("file", Kind.BODY, required=False),
    mail=True,
    usage="[-m mailbox]",
)
def save(call: Call) -> Output:
    """Put a mail into a mailbox: the one behind the command line, or a file of the server."""
    name = (call.invocation.text("mailbox") or b"INBOX").decode(errors="replace")
    box = call.user.find_mailbox(name)
    if box is None:
        yield Log(f"Failed to open mailbox {name}: Mailbox doesn't exist: {name}".encode())
        return Status.NOTFOUND
    try:
        data = _mail(call)
    except OSError as error:
        yield from _unreadable(call.invocation.text("file") or b"", box.name, error)
        return Status.TEMPFAIL
    if _over_quota(call, data):
        yield Log(b"Saving failed: Quota exceeded (mailbox for user is full)")
        return Status.CANTCREAT
    box.deliver(
        data,
        keywords=call.release.new_mail_keywords,
        received=_received(call.invocation),
        guid=(call.invocation.text("guid") or b"").decode() or None,
        uid=call.invocation.number("uid"),
    )
    return Status.OK


def _mail(call: Call) -> bytes:
    path = call.invocation.text("file")
    if path is None:
        return call.body
    return call.read_file(path.decode(errors="surrogateescape"))


def _unreadable(path: bytes, mailbox: str, error: OSError) -> Iterator[Item]:
    why = b"file_istream.stat(%b) failed: %b" % (path, (error.strerror or str(error)).encode())
    saving = b"Mailbox %b: Saving mail: " % mailbox.encode()
    yield Log(why, scope=Scope.STORAGE)
    yield Log(b"%bsave: read(%b) failed: %b" % (saving, path, why), scope=Scope.STORAGE)
    yield Log(b"read(msg input) failed: %b" % why)
    why_read = b"%bread(%b) failed: %b (read reason=)" % (saving, path, why)
    yield Log(why_read, scope=Scope.STORAGE)


def _received(invocation: Invocation) -> datetime | None:
    text = invocation.text("received-date")
    if text is None:
        return None
    return datetime.strptime(text.decode(), "%Y-%m-%d").replace(tzinfo=UTC)


def _over_quota(call: Call, data: bytes) -> bool:
    user = call.user
    storage, messages = user.quota_storage, user.quota_messages
    if messages and user.message_count + 1 > messages:
        return True
    size = len(data) + data.count(b"\n")
    return bool(storage) and user.quota_used + size > (storage or 0) + (user.quota_grace or 0)
