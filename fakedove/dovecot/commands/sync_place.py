"""A sync with another place on this server: what its name says, and what is to be done there."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

import msgspec

from fakedove.dovecot.commands.locations import OWN, LocationError, forget_alternative, mail_path
from fakedove.dovecot.commands.sync_brain import Brain
from fakedove.dovecot.commands.sync_order import Looks, Order
from fakedove.dovecot.commands.sync_talk import Talk, advance
from fakedove.dovecot.dsync import state
from fakedove.dovecot.dsync.attributes import Home
from fakedove.dovecot.dsync.state import InvalidStateError, MailboxState
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Fatal, Item, Level, Log, Output, Scope
from fakedove.dovecot.search.quantities import parse_moment, parse_size
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User


class _Mail(msgspec.Struct, frozen=True):
    """Mail at another place."""

    user: User
    path: str


def with_location(call: Call, location: str, *, backup: bool) -> Output:
    """Sync with the mail at a location; what both sides have in common is told for `-s`."""
    order, problem = _order(call, _wanted(call, backup=backup))
    user = call.user
    metadata = {box.guid: box.metadata for box in user.mailboxes.values()}
    home = Home(metadata, user.sieve_scripts, user.sieve_active)
    path = f"{user.home}/mdbox"
    near = Brain(Talk(call, path, master=True), _place(call, OWN, path), order, home)
    if problem:
        yield near.talk.say(problem, Level.ERROR)
    yield from near.prepare()
    far: Brain | None = None
    mail, dies = yield from _mail_at(call, location)
    if mail is not None:
        place = _place(call, location, mail.path)
        talk = Talk(call.at_place(mail.user), mail.path, master=False)
        far = Brain(talk, place, order, home)
        yield from _take_turns(near, far)
        yield from far.close()
    if call.invocation.text("state") is not None:
        yield from near.final_states()
    yield from _advise(call, near, far)
    yield from near.close()
    if dies:
        raise Fatal(b"assertion failed: (event == current_global_event)", crash=True)
    return _outcome(near, far)


def _take_turns(near: Brain, far: Brain) -> Iterator[Item]:
    """Let both sides do one thing after the other, until all is done or one has failed."""
    near.talk.join(far.talk)
    courses = near.course(), far.course()
    while not (near.talk.failed or far.talk.failed or near.ended):
        for course in courses:
            yield from advance(course)


def _outcome(near: Brain, far: Brain | None) -> Status:
    if far is None or near.talk.failed or far.talk.failed:
        refused = near.talk.refused or (far.talk.refused if far else None)
        return refused or Status.TEMPFAIL
    return Status.CHANGED if near.talk.changed or far.talk.changed else Status.OK


def _advise(call: Call, near: Brain, far: Brain | None) -> Iterator[Item]:
    """Say that the sync should be done again, where events are told."""
    reason = near.talk.changed or (far.talk.changed if far else "")
    if reason and call.events:
        text = f"Mailbox changes caused a desync. You may want to run dsync again: {reason}"
        yield Log(text.encode(errors="surrogateescape"), Level.DEBUG, Scope.PROCESS)


def _mail_at(call: Call, location: str) -> Generator[Item, None, tuple[_Mail | None, bool]]:
    """Return the mail at a location, None if there can be none, and whether that kills."""
    release = call.release
    if not release.sync_replica and location.count(":") > 1:
        yield Log(b"Destination should be in mail_driver:mail_path syntax")
        return None, False
    try:
        path = mail_path(location, call.user, release)
    except LocationError as error:
        yield _without_user(call, str(error))
        return None, release.sync_replica and not release.old_commands
    far = call.store.mail_at(path) or call.store.new_place(path, call.user)
    yield from forget_alternative(call, location, far, call.user)
    if far is call.user:
        yield _with_itself(call)
        return None, False
    return _Mail(far, path), False


def _place(call: Call, location: str, path: str) -> str:
    """Return what a side says of where its mail is."""
    if call.release.sync_replica:
        return f"Namespace  has location {location}"
    return f"Namespace inbox has path {path}"


def _order(call: Call, wanted: Wanted) -> tuple[Order, str]:
    """Return what both sides are told to do, and what is wrong with the state that was given."""
    looks, problem = Looks.ALL if wanted.full else Looks.DIFFERING, ""
    given: Mapping[str, MailboxState] = {}
    text = call.invocation.text("state")
    if text and not wanted.full:
        try:
            looks, given = Looks.CHANGED, state.parsed(text)
        except InvalidStateError as error:
            looks = Looks.ALL
            problem = f"Saved sync state is invalid, falling back to full sync: {error}"
    lock = call.invocation.number("lock-timeout") or 0
    return Order(wanted=wanted, looks=looks, given=given, lock=lock), problem


def _without_user(call: Call, why: str) -> Log:
    namespace = "''" if call.release.sync_replica else "inbox"
    text = f"{call.release.sync_place_text}: Namespace {namespace}: {why}"
    return Log(text.encode(errors="surrogateescape"), scope=Scope.PROCESS)


def _with_itself(call: Call) -> Log:
    path = f"{call.user.home}/mdbox/mailboxes"
    if call.release.sync_replica:
        what, which = "mail_location points", 'prefix="" { location }'
    else:
        what, which = "mail_path and mail_index_path point", "inbox { mail_path }"
    text = f"Both source and destination {what} to same directory: {path}"
    if not call.release.old_commands:
        text += f" (namespace {which} is set explicitly?)"
    return Log(text.encode())


def _wanted(call: Call, *, backup: bool) -> Wanted:
    invocation = call.invocation
    one_way = not backup and invocation.flag("oneway-sync")
    reverse = (backup or one_way) and invocation.flag("reverse-sync")
    mailbox, guid = invocation.text("mailbox"), invocation.text("mailbox-guid")
    since, until = _moment(call, "sync-since-time"), _moment(call, "sync-until-time")
    if since and until and since > until:
        raise Fatal(b"start date is later than end date", Scope.MAIL)
    size = invocation.text("sync-max-size")
    return Wanted(
        near_takes=reverse or not (backup or one_way),
        far_takes=not reverse,
        mirror=backup,
        mailbox=_decoded(mailbox),
        guid=_decoded(guid).lower(),
        excluded=tuple(map(_decoded, invocation.texts("exclude-mailbox"))),
        without_mails=b"" in (mailbox, guid),
        full=invocation.flag("full-sync"),
        since=since,
        until=until,
        largest=parse_size(size) if size else 0,
        flag=_decoded(invocation.text("sync-flags")),
        all_mails=_decoded(invocation.text("all-mailbox")),
    )


def _moment(call: Call, name: str) -> int:
    """Return the moment that an option names, in seconds; 0 without it."""
    text = call.invocation.text(name)
    now = int(call.store.clock.now().timestamp())
    moment = parse_moment(text, now, strict=not call.release.sync_replica) if text else None
    return moment.seconds if moment else 0


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode(errors="surrogateescape")
