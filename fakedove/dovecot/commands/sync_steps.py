"""How one side of a sync changes its list of mailboxes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from fakedove.dovecot import acl, texts
from fakedove.dovecot.commands.acl import inherit
from fakedove.dovecot.commands.mailbox_changes import delete
from fakedove.dovecot.commands.sync_talk import Talk
from fakedove.dovecot.dsync.attributes import Home
from fakedove.dovecot.dsync.steps import Act, Step
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.paths import storage_name
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Level, Log, Scope
from fakedove.dovecot.sharing import verify_listed
from fakedove.dovecot.status import Status


def apply(talk: Talk, steps: Sequence[Step], wanted: Wanted, home: Home) -> Iterator[Item]:
    """Do what is planned."""
    call, unseen = talk.call, ""
    for step in steps:
        if talk.refused is not None:
            return
        name = talk.names.meant(step.name)
        match step.act:
            case Act.DELETE:
                yield from _delete(talk, step, home)
            case Act.RENAME:
                yield from _rename(talk, step)
                new = talk.names.meant(step.to)
                if new != name:
                    unseen = _folder_above(call, new) or unseen
            case Act.CREATE:
                yield from _create(talk, step, wanted)
                unseen = ""
            case Act.CREATE_FOLDER:
                unseen = yield from _create_folder(talk, step.name, unseen)
            case Act.DELETE_FOLDER:
                yield from _delete_folder(talk, step.name)
            case Act.SUBSCRIBE | Act.UNSUBSCRIBE:
                call.user.subscribe(name, subscribed=step.act is Act.SUBSCRIBE)


def _delete(talk: Talk, step: Step, home: Home) -> Iterator[Item]:
    box = talk.call.user.existing_mailbox(talk.names.meant(step.name))
    if box is not None:
        yield from delete_from_home(talk.call, box, home)


def _refuse(talk: Talk, status: Status, why: str) -> Log:
    """Have the sync end with a step that cannot be done."""
    talk.failed, talk.refused = True, status
    return talk.say(why, Level.ERROR)


def access(call: Call, box: Mailbox) -> str:
    """Return which of the two rights that a sync needs the owner has: "", one or both."""
    if not box.acl:
        return "lookup read"
    rights = acl.effective(box.acl, call.owner)
    return " ".join(one for one in ("lookup", "read") if one in rights)


def _rename(talk: Talk, step: Step) -> Iterator[Item]:
    user, why = talk.call.user, ""
    old, new = talk.names.meant(step.name), talk.names.meant(step.to)
    problem = talk.names.problem(step.name) or talk.names.problem(step.to)
    if problem:
        why = f"mailbox_rename failed: Invalid mailbox name: {problem}"
        yield _refuse(talk, Status.USAGE, f"Mailbox {step.name} sync: {why}")
        return
    if new.startswith(f"{old}/"):
        yield from _move_into_itself(talk, step)
        return
    if old == new:
        why = "Can't rename mailbox to itself."
    elif not user.is_taken(old):
        why = f"Mailbox doesn't exist: {step.name}"
    elif user.is_taken(new):
        why = "Target mailbox already exists"
    if why:
        yield from talk.note_change(f"Mailbox {step.name} mailbox_rename conflict: {why}")
        return
    user.rename_mailbox(old, new)
    yield from verify_listed(talk.call, new)


def _move_into_itself(talk: Talk, step: Step) -> Iterator[Item]:
    """Say what becomes of the attempt to move a directory into itself (2.4.1)."""
    names = (talk.names.meant(step.name), talk.names.meant(step.to))
    root = talk.path.encode(errors="surrogateescape")
    paths = tuple(b"%b/mailboxes/%b" % (root, storage_name(name)) for name in names)
    yield Log(b"rename(%b, %b) failed: Invalid argument" % paths, scope=Scope.STORAGE)
    why = texts.internal_error(talk.call.store.clock.now())
    why = f"Mailbox {step.name} sync: mailbox_rename failed: {why}"
    yield _refuse(talk, Status.TEMPFAIL, why)


def _delete_folder(talk: Talk, path: str) -> Iterator[Item]:
    user, why = talk.call.user, ""
    name = talk.names.meant(path)
    if not user.is_taken(name):
        why = f"Mailbox doesn't exist: {path}"
    elif user.has_children(name) or user.existing_mailbox(name) is not None:
        why = "Mailbox has children, delete them first"
    if why:
        yield from talk.note_change(f"Mailbox {path} mailbox_list_delete_dir conflict: {why}")
        return
    user.delete_folder(name)


def delete_from_home(call: Call, box: Mailbox, home: Home) -> Iterator[Item]:
    """Delete a mailbox, and what the home directory has of it."""
    yield from delete(call, box)
    home.forget(box.guid)


def _folder_above(call: Call, name: str) -> str:
    """Return the name above `name` if that is no mailbox: its ACL is looked for in vain."""
    above = name.rpartition("/")[0]
    return "" if call.user.existing_mailbox(above) is not None else above


def _create(talk: Talk, step: Step, wanted: Wanted) -> Iterator[Item]:
    """Make a mailbox; one of that name that is there gets the other GUID if it has to."""
    call = talk.call
    name = talk.names.meant(step.name)
    box = call.user.existing_mailbox(name)
    if box is None:
        box = call.user.create_mailbox(name, step.guid, step.uidvalidity)
        yield from inherit(call, box)
        return
    if not access(call, box):
        why = f"Can't sync mailbox {step.name}: Mailbox doesn't exist: {step.name}"
        yield _refuse(talk, Status.NOTFOUND, why)
        return
    if wanted.without_mails or step.guid == box.guid:
        return
    if step.guid > box.guid or not (wanted.near_takes and wanted.far_takes):
        guids = f"{box.guid} -> {step.guid}"
        yield from talk.debug(f"Changing mailbox {step.name} GUID {guids}")
        box.guid = step.guid
    else:
        guids = f"{step.guid} -> {box.guid}"
        yield from talk.debug(f"Other brain should change mailbox {step.name} GUID {guids}")


def _create_folder(talk: Talk, path: str, unseen: str) -> Generator[Item, None, str]:
    """Make a folder, which is a mailbox where releases make no others.

    Where a name without others above it is taken, the last thing that went wrong is told, which
    is that `unseen` is no mailbox. Returns what is left of that.
    """
    call, name = talk.call, talk.names.meant(path)
    if not call.release.makes_folders:
        if call.user.existing_mailbox(name) is None:
            box = call.user.create_mailbox(name)
            yield from inherit(call, box)
    elif not call.user.is_taken(name):
        call.user.create_folder(name)
        return ""
    elif unseen and "/" not in name:
        why = f"Mailbox doesn't exist: {unseen}"
        yield from talk.note_change(f"Mailbox {path} mailbox_create conflict: {why}")
        return ""
    return unseen
