"""A sync with another place on this server: what its name says, and what is to be done there."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from fakedove.dovecot.commands.locations import LocationError, forget_alternative, mail_path
from fakedove.dovecot.commands.syncing import Sync
from fakedove.dovecot.dsync import state
from fakedove.dovecot.dsync.state import InvalidStateError, MailboxState
from fakedove.dovecot.dsync.tree import read_tree
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope
from fakedove.dovecot.search.quantities import parse_moment, parse_size
from fakedove.dovecot.status import Status


def with_location(call: Call, location: str, *, backup: bool) -> Output:
    """Sync with the mail at a location; what both sides have in common is told for `-s`."""
    wanted = _wanted(call, backup=backup)
    given, problem = _given_state(call)
    if problem:
        yield Log(problem.encode(), scope=Scope.STORAGE)
    sync, status, dies = yield from _at_location(call, location, wanted, given)
    if call.invocation.text("state") is not None:
        states = sync.states if sync else _still_there(call, wanted, given or {})
        yield (b"" if sync and sync.desynced else state.printed(states.values()),)
    if dies:
        raise Fatal(b"assertion failed: (event == current_global_event)", crash=True)
    return status


def _at_location(
    call: Call, location: str, wanted: Wanted, given: Mapping[str, MailboxState] | None
) -> Generator[Item, None, tuple[Sync | None, Status, bool]]:
    """Sync if something is known by that name; return what came of it, and if it kills."""
    if not call.release.sync_replica and location.count(":") > 1:
        yield Log(b"Destination should be in mail_driver:mail_path syntax")
        return None, Status.TEMPFAIL, False
    try:
        path = mail_path(location, call.user, call.release)
    except LocationError as error:
        yield _without_user(call, str(error))
        return None, Status.TEMPFAIL, call.release.sync_replica and not call.release.old_commands
    far = call.store.mail_at(path) or call.store.new_place(path, call.user)
    yield from forget_alternative(call, location, far, call.user)
    if far is call.user:
        yield _with_itself(call)
        return None, Status.TEMPFAIL, False
    sync = Sync(call, far, wanted, given)
    yield from sync.run()
    if sync.refused is not None:
        return None, sync.refused, False
    changed = Status.CHANGED if sync.desynced else Status.OK
    return sync, Status.TEMPFAIL if sync.failed else changed, False


def _still_there(
    call: Call, wanted: Wanted, given: Mapping[str, MailboxState]
) -> Mapping[str, MailboxState]:
    """Return the states of mailboxes that the user has."""
    tree = read_tree(call.user, wanted, lambda _: True).by_guid()
    return {guid: one for guid, one in given.items() if guid in tree}


def _without_user(call: Call, why: str) -> Log:
    namespace = "''" if call.release.sync_replica else "inbox"
    text = f"{call.release.sync_place_text}: Namespace {namespace}: {why}"
    return Log(text.encode(errors="surrogateescape"), scope=Scope.PROCESS)


def _given_state(call: Call) -> tuple[Mapping[str, MailboxState] | None, str]:
    """Return the state of the last time, None without one, and what is wrong with it."""
    text = call.invocation.text("state")
    if not text or call.invocation.flag("full-sync"):
        return None, ""
    try:
        return state.parsed(text), ""
    except InvalidStateError as error:
        said = f"Saved sync state is invalid, falling back to full sync: {error}"
        return {}, said if call.release.sync_replica else f"brain M: {said}"


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
