"""`copy` and `move`: mails into a mailbox, of the same user or of another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from fakedove.dovecot import texts
from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.copying import Copies
from fakedove.dovecot.cache.reads import TAKEN_OVER
from fakedove.dovecot.commands import cached, queries
from fakedove.dovecot.commands.destination import kept, open_destination, too_big
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.registry import Call, Invocation, Kind, command, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output
from fakedove.dovecot.room import may_take
from fakedove.dovecot.rules import MoveOverQuota, UnknownSource
from fakedove.dovecot.search import parse_query
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_PARAMETERS = (positional("destination-mailbox"), positional("query", Kind.TEXTS))
_USAGE = "<destination> [user <source user>] <search query>"


def _source(invocation: Invocation, release: Release) -> tuple[bytes | None, tuple[bytes, ...]]:
    """Return whose mails these are, None for the user's own, and the query."""
    words = invocation.texts("query")
    if len(words) < 2:
        return None, words
    if not release.transfer_is_strict:
        is_source = words[0].lower() == b"user"
    else:
        is_source = words[0] == b"user"
        if is_source and len(words) == 2:
            raise texts.misused(release, invocation.command.usage_in(release))
    return (words[1], words[2:]) if is_source else (None, words)


def _check_copy(invocation: Invocation, release: Release) -> None:
    parse_query(_source(invocation, release)[1], release)


def _check_move(invocation: Invocation, release: Release) -> None:
    queries.check_accidents("move", parse_query(_source(invocation, release)[1], release))


@command("copy", *_PARAMETERS, mail=True, usage=_USAGE, check=_check_copy)
def copy(call: Call) -> Output:
    """Copy each message that matches."""
    return _transfer(call, moves=False)


@command("move", *_PARAMETERS, mail=True, usage=_USAGE, check=_check_move)
def move(call: Call) -> Output:
    """Copy each message that matches, and expunge it where it was."""
    return _transfer(call, moves=True)


def _transfer(call: Call, *, moves: bool) -> Output:
    source, arguments = _source(call.invocation, call.release)
    owner = call.user if source is None else _lookup(call, source)
    if owner is None:
        return Status.OK
    argument = call.invocation.text("destination-mailbox") or b""
    destination = yield from open_destination(call, argument, "Can't open mailbox '{given}'")
    if isinstance(destination, Status):
        return destination
    there = _There(destination, cached.file_of(call, destination), Copies(moves=moves))
    reads = there.copies if owner is call.user else TAKEN_OVER
    transfer = partial(_transfer_box, call, owner, there, moves)
    query = queries.query_of(call, arguments)
    if moves:
        query.simplify()
    return (yield from queries.look(call, query, transfer, owner=owner, reads=reads))


class _There(NamedTuple):
    """Where the mails go to."""

    box: Mailbox
    cache: CacheFile
    #: What copying has to do with caches.
    copies: Copies


def _lookup(call: Call, source: bytes) -> User | None:
    user = call.lookup(source)
    if user is None and call.release.unknown_source is UnknownSource.CRASHES:
        raise Fatal(b"killed with signal 11", crash=True)
    if user is None and call.release.unknown_source is UnknownSource.KILLS:
        raise Fatal(b"Couldn't lookup user %b: Unknown user" % source)
    return user


def _without_room(
    call: Call, destination: Mailbox, messages: Sequence[Message], *, own: bool
) -> list[Message]:
    """Return the messages that the quota refuses; `own`: they are moved within the user's mail."""
    user, name = call.user, destination.name
    if not own:
        return list(too_big(user, name, messages))
    if not call.release.move_needs_room:
        return []
    return [one for one in messages if not may_take(user, name, one.virtual_size)]


def _transfer_box(
    call: Call,
    owner: User,
    there: _There,
    moves: bool,
    box: Mailbox,
    messages: Sequence[Message],
) -> Output:
    """Copy messages of one mailbox in one transaction."""
    destination = there.box
    own = owner is call.user
    if messages:
        call.user.acl_list.look_at_all()
    refused = _without_room(call, destination, messages, own=moves and own)
    if moves and not own:
        rule = call.release.move_over_quota
        first_refused = bool(refused) and refused[0] is messages[0]
        crashes = first_refused if rule is MoveOverQuota.CRASHES else bool(messages)
        if crashes and rule in (MoveOverQuota.CRASHES, MoveOverQuota.ALL_CRASH):
            yield from queries.panic(b"box->list->ns->type == MAIL_NAMESPACE_TYPE_SHARED")
        if rule is not MoveOverQuota.REFUSED:
            refused = []
    speaker = owner.name.encode() if call.release.copy_logs_as_source else None
    for message in refused:
        doing = "Moving" if moves and own else "Copying"
        where = f"{doing} message UID {message.uid} from '{box.name}' failed"
        yield Log(f"{where}: Quota exceeded (mailbox for user is full)".encode(), user=speaker)
    if refused and own:
        # They are saved before the process finds that it did not count them.
        destination.copy_in(kept(call.user, destination, message) for message in messages)
        yield from queries.panic(b"seq_range_count(&changes_r->saved_uids) == save_count")
    if moves and messages and not owner.may("expunge", box):
        # The reason is looked for in the user's own storage.
        why = "Permission denied" if own else "BUG: Unknown internal error"
        for message in messages:
            text = f"Moving message UID {message.uid} from '{box.name}' failed: {why}"
            yield Log(text.encode())
        return Status.NOPERM if own else Status.TEMPFAIL
    too_big_uids = {message.uid for message in refused}
    copied = [message for message in messages if message.uid not in too_big_uids]
    arrived = destination.copy_in(kept(call.user, destination, message) for message in copied)
    if own:
        uids = {old.uid: new.uid for old, new in zip(copied, arrived, strict=True)}
        _copy_cache(call, there, box, uids)
    if moves:
        box.expunge([message.uid for message in copied])
    return Status.CANTCREAT if refused else Status.OK


def _copy_cache(call: Call, there: _There, box: Mailbox, uids: dict[int, int]) -> None:
    """Have the caches of both mailboxes as copying leaves them; new UIDs by old ones."""
    there.box.cache.copied()
    to = cached.opened_file(call, there.cache)
    there.copies.arrived(uids, to, synchronized=box.name == "INBOX")
    cached.file_of(call, box)
