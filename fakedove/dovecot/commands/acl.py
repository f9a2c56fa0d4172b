"""`acl get`, `set`, `add`, `remove`, `delete`, `rights`, `recalc` and `debug`."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from fakedove.dovecot import acl, texts
from fakedove.dovecot.acl import Change
from fakedove.dovecot.change_log import rights_attribute
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.commands.mailbox_checks import (
    last_problem,
    mailbox_above,
    missing,
    name_problem,
)
from fakedove.dovecot.commands.queries import panic
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import canonical_name, logged_name, utf8_or_crash
from fakedove.dovecot.paths import mailbox_path, storage_name
from fakedove.dovecot.registry import (
    Call,
    Gap,
    Invocation,
    Kind,
    command,
    flag,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Level, Log, Output, Scope
from fakedove.dovecot.sharing import enter_shared, list_shared, verify_listed
from fakedove.dovecot.status import Status

_CHANGED = (
    positional("mailbox", required=False),
    positional("id", required=False),
    positional("right", Kind.TEXTS, required=False),
)
_GAPS = (
    Gap(
        "the dict of shared mailboxes is always one that cannot be written", when="acl_sharing_map"
    ),
)
_CHANGE_USAGE = "<mailbox> <id> <right> [<right> ...]"


@command(
    "acl get",
    flag("match-me", "m"),
    positional("mailbox"),
    mail=True,
    columns=("id", "global", "rights"),
    usage="[-m] <mailbox>",
    gaps=(Gap("there are no global ACLs, so the column `global` is empty"),),
)
def acl_get(call: Call) -> Output:
    """Print who may do what with a mailbox; with `-m` only what concerns the user."""
    box = yield from _opened(call)
    if isinstance(box, Status):
        return box
    for who, rights in acl.in_order(box.acl):
        if not call.invocation.flag("match-me") or acl.concerns(who, call.user.name):
            yield (who.encode(errors="surrogateescape"), b"", " ".join(rights).encode())
    return Status.OK


@command(
    "acl rights",
    positional("mailbox"),
    mail=True,
    columns=("rights",),
    usage="<mailbox>",
)
def acl_rights(call: Call) -> Output:
    """Print what the user may do with a mailbox."""
    box = yield from _opened(call)
    if isinstance(box, Status):
        return box
    yield (" ".join(acl.effective(box.acl, call.user.name)).encode(),)
    return Status.OK


def _check_change(invocation: Invocation, release: Release) -> None:
    if not all(invocation.flag(one.long) for one in _CHANGED):
        # All of them show the usage of one.
        raise texts.misused(release, COMMANDS["acl set"].usage_in(release))


@command("acl set", *_CHANGED, mail=True, usage=_CHANGE_USAGE, check=_check_change, gaps=_GAPS)
def acl_set(call: Call) -> Output:
    """Give an identifier these rights and no others."""
    return (yield from _change(call, Change.SET))


@command("acl add", *_CHANGED, mail=True, usage=_CHANGE_USAGE, check=_check_change, gaps=_GAPS)
def acl_add(call: Call) -> Output:
    """Give an identifier more rights."""
    return (yield from _change(call, Change.ADD))


@command("acl remove", *_CHANGED, mail=True, usage=_CHANGE_USAGE, check=_check_change, gaps=_GAPS)
def acl_remove(call: Call) -> Output:
    """Take rights from an identifier, which stays even without any."""
    return (yield from _change(call, Change.REMOVE))


@command(
    "acl delete",
    positional("mailbox"),
    positional("id"),
    mail=True,
    usage="<mailbox> <id>",
    gaps=_GAPS,
)
def acl_delete(call: Call) -> Output:
    """Remove an identifier from the ACL."""
    return (yield from _change(call, Change.DELETE))


def _change(call: Call, change: Change) -> Output:
    box = yield from _opened(call, verify=False)
    if isinstance(box, Status):
        return box
    who = _identifier(call.invocation)
    words = [word.decode(errors="surrogateescape") for word in call.invocation.texts("right")]
    unknown = acl.unknown_right(words)
    if unknown is not None:
        raise Fatal(f"Invalid right '{unknown}'".encode(errors="surrogateescape"), Scope.MAIL)
    yield from verify_listed(call, box.name)
    if any(character < " " for character in who):
        yield from panic(b"acl_id_is_valid(str_c(dest))")
    entries = acl.changed(box.acl, who, change, words)
    if change is Change.DELETE:
        box.note_attribute(unset=rights_attribute(who))
    else:
        box.note_attribute(rights_attribute(who))
    if entries == dict(acl.in_order(box.acl)):
        return Status.OK
    box.acl = entries
    box.acl_changed = int(call.store.clock.now().timestamp())
    if acl.changes_sharing(who, change, words):
        yield from list_shared(call)
    return Status.OK


def _identifier(invocation: Invocation) -> str:
    given = invocation.text("id") or b""
    who = acl.identifier(given.decode(errors="surrogateescape"))
    if who is None:
        raise Fatal(b"Invalid ID: %b" % given, Scope.MAIL)
    return who


@command("acl recalc", mail=True, gaps=_GAPS)
def acl_recalc(call: Call) -> Output:
    """Enter anew who shares mailboxes of the user."""
    problems = list(enter_shared(call))
    yield from problems
    if problems:
        yield Log(b"Failed to recalculate ACL dicts", scope=Scope.STORAGE)
        return Status.TEMPFAIL
    return Status.OK


@command("acl debug", positional("mailbox"), mail=True, usage="<mailbox>")
def acl_debug(call: Call) -> Output:
    """Tell in the log what the user may do with a mailbox, and why."""
    given, user = _name(call), call.user
    problem = name_problem(given)
    if problem is not None:
        yield _log(call, f"Can't open mailbox {given}: {problem[1]}")
        return problem[0]
    name = canonical_name(given)
    path = (mailbox_path(user, name) or b"").decode(errors="surrogateescape")
    shown = storage_name(name).decode()
    namespace = "inbox" if call.release.acl_names_mailbox else "''"
    box = user.find_mailbox(name)
    if box is None:
        call.user.list_index.refresh()
        where = f" in namespace {namespace}" if call.release.acl_names_namespace else ""
        yield _log(call, f"Mailbox '{shown}'{where} doesn't exist in {path}")
        return Status.NOTFOUND
    yield from verify_listed(call, box.name)
    yield _log(call, f"Mailbox '{shown}' is in namespace {namespace}", Level.INFO)
    yield _log(call, f"Mailbox path: {path}", Level.INFO)
    yield _log(call, "All message flags are shared across users in mailbox", Level.INFO)
    yield from _visibility(call, box)
    return Status.OK


def _visibility(call: Call, box: Mailbox) -> Iterator[Item]:
    user = call.user
    rights = acl.effective(box.acl, user.name)
    has = f"has rights: {' '.join(rights)}" if rights else "has no rights for mailbox"
    yield _log(call, f"User {user.name} {has}", Level.INFO)
    if "lookup" in rights:
        yield _log(call, "Mailbox in user's private namespace", Level.INFO)
        yield _log(call, f"Mailbox {box.name} is visible in LIST", Level.INFO)
    else:
        yield _log(call, f"User {user.name} is missing 'lookup' right")
        yield _log(call, f"Mailbox {box.name} is NOT visible in LIST", Level.INFO)


def _opened(call: Call, *, verify: bool = True) -> Generator[Item, None, Mailbox | Status]:
    """Return the mailbox of the command, or the status it fails with after saying why."""
    name = _name(call)
    problem = name_problem(name)
    box = call.user.find_mailbox(name)
    if box is None or problem is not None:
        status, why = problem or last_problem(call.user, missing(name))
        named = "" if call.release.acl_names_mailbox else f" {name}"
        yield _log(call, f"Can't open mailbox{named}: {why}")
        return status
    if verify:
        yield from verify_listed(call, box.name)
    return box


def inherit(call: Call, box: Mailbox) -> Iterator[Item]:
    """Give a new mailbox the ACL of the nearest one above it, one identifier after the other."""
    above = mailbox_above(call.user, box.name)
    if above is None or not above.acl:
        return
    yield from verify_listed(call, above.name)
    box.acl = dict(above.acl)
    box.acl_changed = int(call.store.clock.now().timestamp())
    for _ in box.acl:
        yield from list_shared(call)


def _name(call: Call) -> str:
    return utf8_or_crash(call.invocation.text("mailbox") or b"")


def _log(call: Call, text: str, level: Level = Level.ERROR) -> Log:
    if call.release.acl_names_mailbox:
        named = f"Mailbox {logged_name(canonical_name(_name(call)))}: "
        text = named + text.replace("\n", f"\n{named}")
    return Log(text.encode(errors="surrogateescape"), level, Scope.STORAGE)
