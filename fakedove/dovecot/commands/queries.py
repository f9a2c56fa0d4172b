"""What all commands with a search query share: the query, and the mailboxes it looks into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fakedove.dovecot import texts
from fakedove.dovecot.cache.looking import Looked
from fakedove.dovecot.cache.reads import NOTHING, Reads
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope, combine
from fakedove.dovecot.search import Query, parse_query
from fakedove.dovecot.search.places import Place
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User


def check_query(invocation: Invocation, release: Release) -> None:
    """Raise Fatal for a query that is none."""
    parse_query(invocation.texts("query"), release)


def query_of(call: Call, words: Sequence[bytes] | None = None) -> Query:
    """Return the query of a command that was checked, or the one that `words` make.

    It is one query for all users of the command, since a search changes it.
    """
    if call.query is None:
        given = call.invocation.texts("query") if words is None else words
        now = int(call.store.clock.now().timestamp())
        call.query = parse_query(given, call.release, now)
    return call.query


def debug(call: Call, place: str, messages: Sequence[Message]) -> Iterator[Log]:
    """Tell with `-D` of each message that the command is at, in the mailbox named `place`."""
    if call.release.debugs_mails:
        name = call.invocation.command.name
        for message in messages:
            yield from call.debug(f"{name}: box={place} uid={message.uid}".encode())


def look(
    call: Call,
    query: Query,
    work: Callable[[Mailbox, list[Message]], Output],
    *,
    owner: User | None = None,
    missing: str | None = None,
    assertion: bytes = b"",
    says_first: bool = False,
    reads: Reads = NOTHING,
) -> Output:
    """Do `work` on the matching messages of each mailbox that the query looks into.

    `owner` is whose mailboxes these are, if not the user's; `missing` as `unopened` has it,
    empty where nothing is said; with an `assertion` the releases that would say so die of that.
    If it `says_first` what is missing, it does before it begins to search there. `reads` is
    what is read of each mail.
    """
    missing = call.release.missing_text if missing is None else missing
    status = Status.OK
    for place in query.places(owner or call.user):
        if place.box is not None:
            outcome = yield from work(place.box, find(call, query, place.box, reads))
            status = combine(status, outcome)
            continue
        left = says_first and (owner or call.user).list_index.guid_left(place.name)
        refused = None if left else unopened(call, place, missing)
        if refused is None:
            continue
        if assertion and refused[1] is Status.NOTFOUND:
            yield from panic(assertion)
        if place.fault is None and not says_first:
            query.begin(opened=False)
        if missing or place.fault is not None:
            yield refused[0]
        if place.fault is None:
            query.begin(opened=False)
        status = combine(status, refused[1])
    return status


def find(call: Call, query: Query, box: Mailbox, reads: Reads = NOTHING) -> list[Message]:
    """Return the messages that match in a mailbox; `reads` is what will be read of each."""
    found = query.find(box)
    now = int(call.store.clock.now().timestamp())
    if call.looked is None:
        call.looked = {}
    note = Looked(box, query.nodes, found, reads, now, call.looked.get(box))
    box.synchronize()
    if note:
        call.looked[box] = note
        _leave(call, box, note)
    return found


def _leave(call: Call, box: Mailbox, note: Looked) -> None:
    """Leave a note of the search; what is cached anew has the list of mailboxes refreshed."""
    if not box.list_index.is_behind:
        box.cache.note(note, box.messages, call.release)
    elif box.cache.caches(note, box.messages, call.release):
        box.list_index.refresh()


def unopened(call: Call, place: Place, missing: str | None = None) -> tuple[Log, Status] | None:
    """Return what is said of a mailbox that cannot be looked into, None for nothing.

    `missing` is what fails where there is no such mailbox, which only some releases say.
    """
    if place.fault is not None:
        return Log(f"Syncing mailbox {place.name} failed: {place.fault}".encode()), Status.USAGE
    if not call.release.missing_mailbox_fails:
        return None
    told = call.release.missing_text if missing is None else missing
    why = f"{told.format(place.name)}: Mailbox doesn't exist: {place.name}"
    return Log(why.encode()), Status.NOTFOUND


def panic(text: bytes) -> Output:
    """End as the real process does where an assertion about a user's mail fails."""
    yield texts.backtrace(Scope.STORAGE)
    raise Fatal(b"assertion failed: (%b)" % text, Scope.MAIL, crash=True)


def check_accidents(name: str, query: Query) -> None:
    """Raise Fatal unless the query says which mailbox it is about, and which mails in it."""
    problem = query.accident()
    if problem is not None:
        raise Fatal(f"{name}: To avoid accidents, {problem}".encode())
    query.simplify()
