"""`mailbox create`, `delete` and `rename`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fakedove.dovecot import masks, texts
from fakedove.dovecot.commands import cached, long_names
from fakedove.dovecot.commands.acl import inherit
from fakedove.dovecot.commands.mailbox_checks import (
    Problem,
    check_names,
    is_visible,
    last_problem,
    name_problem,
    new_problem,
    right_problem,
)
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import canonical_name
from fakedove.dovecot.paths import directory
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Item, Log, Output, Scope, combine
from fakedove.dovecot.sharing import verify_listed
from fakedove.dovecot.status import Status

_GUID = re.compile(rb"[0-9a-fA-F]{32}")


def _check_create(invocation: Invocation, release: Release) -> None:
    guid = invocation.text("guid")
    if guid is not None and _GUID.fullmatch(guid) is None:
        raise texts.invalid_value(release, invocation.command.usage_in(release))
    check_names("mailbox")(invocation, release)


@command(
    "mailbox create",
    flag("subscriptions", "s", "creates_and_subscribes"),
    option("guid", "g", when="creates_with_guid"),
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="[-s] [-g <guid>] <mailbox> [...]",
    check=_check_create,
)
def mailbox_create(call: Call) -> Output:
    """Create mailboxes, or with a `/` behind the name folders; with `-s` subscribe to them."""
    status = Status.OK
    for argument in call.invocation.texts("mailbox"):
        name = argument.decode().removesuffix("/")
        folder = argument.endswith(b"/") and call.release.makes_folders
        problem = _creation_problem(call, name, folder=folder)
        if problem is not None:
            yield Log(f"Can't create mailbox {name}: {problem[1]}".encode())
            status = combine(status, problem[0])
        else:
            yield from _create(call, name, folder=folder)
        outcome = yield from _subscribe(call, name, subscribed=True)
        status = combine(status, outcome)
    return status


def _create(call: Call, name: str, *, folder: bool) -> Iterator[Item]:
    known = call.user.is_taken(name) or call.user.list_index.still_has(canonical_name(name))
    if folder:
        call.user.create_folder(name)
    else:
        guid = call.invocation.text("guid")
        call.user.create_mailbox(name, None if guid is None else guid.decode().lower())
    call.user.list_index.refresh()
    # INBOX has a place in the list even while it is lost.
    if not known and canonical_name(name) != "INBOX":
        yield from verify_listed(call, canonical_name(name))
    if not folder:
        box = call.user.mailbox(name)
        cached.inherit(call, box)
        yield from inherit(call, box)


def _subscribe(call: Call, name: str, *, subscribed: bool) -> Output:
    """Do what `-s` says, which it does even after a failure."""
    if not call.invocation.flag("subscriptions"):
        return Status.OK
    problem = name_problem(name)
    if problem is not None:
        doing = "subscribe to mailbox" if subscribed else "unsubscribe mailbox"
        yield Log(f"Can't {doing} {name}: {problem[1]}".encode())
        return problem[0]
    call.user.subscribe(name, subscribed=subscribed)
    return Status.OK


def _creation_problem(call: Call, name: str, *, folder: bool) -> Problem | None:
    problem = new_problem(call.user, name, call.release)
    if problem is not None:
        return problem
    taken = call.user.is_taken(name) if folder else call.user.existing_mailbox(name) is not None
    if taken:
        return last_problem(call.user, (Status.DATAERR, "Mailbox already exists"))
    return None


@command(
    "mailbox delete",
    flag("require-empty", "e", "deletes_with_care"),
    flag("subscriptions", "s"),
    flag("recursive", "r", "deletes_recursively"),
    flag("unsafe", "Z", "deletes_with_care"),
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="[-e] [-r] [-s] [-Z] <mailbox> [...]",
    check=check_names("mailbox"),
)
def mailbox_delete(call: Call) -> Output:
    """Delete mailboxes with their mail; `-r` with their children."""
    status = Status.OK
    for name in _doomed(call):
        keeps = call.release.keeps_inbox
        box = call.user.find_mailbox(name) if keeps else call.user.existing_mailbox(name)
        lacks_inbox = box is None and canonical_name(name) == "INBOX"
        problem = None if lacks_inbox else _deletion_problem(call, name, box)
        if problem is not None:
            yield from long_names.told(call, name, problem)
            yield Log(f"Can't delete mailbox {name}: {problem[1]}".encode())
            status = combine(status, problem[0])
        elif lacks_inbox:
            yield from verify_listed(call, "INBOX")
        elif box is None:
            call.user.delete_folder(name, prune=call.release.deletes_empty_parents)
        else:
            yield from delete(call, box)
        outcome = yield from _subscribe(call, name, subscribed=False)
        status = combine(status, outcome)
    return status


def delete(call: Call, box: Mailbox) -> Iterator[Item]:
    """Delete a mailbox; INBOX is made anew at once, which shows that it is shared no more."""
    call.user.delete_mailbox(box.name, prune=call.release.deletes_empty_parents)
    if not call.user.is_taken(box.name):
        call.user.list_index.refresh()
    if box.name == "INBOX":
        yield from verify_listed(call, "INBOX")


def _doomed(call: Call) -> list[str]:
    """Return the names to delete, in the order of that: backwards, so children come first."""
    names = [argument.decode() for argument in call.invocation.texts("mailbox")]
    if call.invocation.flag("recursive"):
        # Wildcards in a name are none for the mailbox itself, but for those below it.
        below = [f"{name}/*" if name else "*" for name in names]
        children = [one for mask in below for one in _visible(call, mask)]
        names = [name for name in (*names, *children) if name]
    return sorted(names, key=str.encode, reverse=True)


def _visible(call: Call, mask: str) -> list[str]:
    """Return the names that match a mask of what the user may see."""
    listing = call.user.listing([mask])
    names = [name for name, box in listing if is_visible(call.user, box)]
    return [name for name in names if masks.mailbox_matches(mask, name)]


def _deletion_problem(call: Call, name: str, box: Mailbox | None) -> Problem | None:
    if not name:
        return Status.USAGE, "Storage root can't be deleted"
    problem = name_problem(name)
    if problem is not None:
        return problem
    call.user.acl_list.look_at(canonical_name(name))
    if box is None:
        return _folder_problem(call, name)
    if box.name == "INBOX" and call.release.keeps_inbox:
        return Status.DATAERR, "INBOX can't be deleted."
    problem = right_problem(call.user, box, "delete")
    if problem is None and call.invocation.flag("require-empty") and box.message_count:
        return Status.DATAERR, "Mailbox isn't empty"
    return problem


def _folder_problem(call: Call, name: str) -> Problem | None:
    """Return why there is no folder `name` to delete, or None."""
    call.user.list_index.refresh()
    if call.user.has_children(name):
        return Status.DATAERR, "Mailbox has children, delete them first"
    return None if call.user.is_taken(name) else long_names.not_there(call, name)


@command(
    "mailbox rename",
    flag("subscriptions", "s"),
    positional("mailbox"),
    positional("new-name"),
    mail=True,
    usage="[-s] <old name> <new name>",
    check=check_names("mailbox", "new-name"),
)
def mailbox_rename(call: Call) -> Output:
    """Rename a mailbox with its children; `-s` moves the subscription, whatever happens."""
    old = (call.invocation.text("mailbox") or b"").decode()
    new = (call.invocation.text("new-name") or b"").decode()
    status = yield from _rename(call, old, new)
    for name, subscribed in ((old, False), (new, True)):
        outcome = yield from _subscribe(call, name, subscribed=subscribed)
        status = combine(status, outcome)
    return status


def _rename(call: Call, old: str, new: str) -> Output:
    problem = _renaming_problem(call, old, new)
    if problem is None and _is_below(new, old):
        yield from _below_itself(call, old, new)
        _make_parents(call, new)
        return Status.TEMPFAIL
    if problem is not None:
        yield from long_names.told(call, old, problem)
        yield Log(f"Can't rename mailbox {old} to {new}: {problem[1]}".encode())
        if problem[0] is Status.NOTFOUND and call.user.existing_mailbox(old) is None:
            _make_parents(call, new)
        return problem[0]
    is_folder = call.user.existing_mailbox(old) is None
    call.user.rename_mailbox(old, new)
    if is_folder:
        call.user.list_index.refresh()
    yield from verify_listed(call, canonical_name(new))
    return Status.OK


def _make_parents(call: Call, name: str) -> None:
    """Make the folders above a new name, as is done before it is found that nothing is renamed."""
    above = canonical_name(name).rpartition("/")[0]
    if above and not call.user.is_taken(above):
        call.user.leave_folder(above, passing=call.release.deletes_empty_parents)


def _renaming_problem(call: Call, old: str, new: str) -> Problem | None:
    user, box = call.user, call.user.existing_mailbox(old)
    problem = name_problem(old) or new_problem(user, new, call.release)
    if problem is not None:
        return problem
    user.acl_list.look_at(canonical_name(old))
    user.list_index.refresh()
    if canonical_name(old) == canonical_name(new):
        return Status.DATAERR, "Can't rename mailbox to itself."
    absent = _why_absent(call, old, new) if box is None else None
    if user.is_taken(new) and (absent is None or absent[0] is Status.NOTFOUND):
        return Status.DATAERR, "Target mailbox already exists"
    if box is None:
        return absent
    return right_problem(user, box, "delete")


def _why_absent(call: Call, old: str, new: str) -> Problem | None:
    """Return why there is nothing to rename, or None if it is a folder, or comes to that."""
    if call.user.is_taken(old) or _is_below(new, old):
        return None
    why = texts.internal_error(call.store.clock.now())
    return long_names.not_there(call, old, why)


def _is_below(name: str, above: str) -> bool:
    return canonical_name(name).startswith(f"{canonical_name(above)}/")


def _below_itself(call: Call, old: str, new: str) -> Iterator[Item]:
    """Say what becomes of the attempt to move a directory into itself."""
    paths = (directory(call.user, old), directory(call.user, new))
    yield Log(b"rename(%b, %b) failed: Invalid argument" % paths, scope=Scope.STORAGE)
    why = texts.internal_error(call.store.clock.now())
    yield Log(f"Can't rename mailbox {old} to {new}: {why}".encode())
