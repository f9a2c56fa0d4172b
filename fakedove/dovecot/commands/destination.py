"""The mailbox that mails are put into: what its ACL lets them keep, which the quota refuses."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import msgspec

from fakedove.dovecot.commands import long_names, queries
from fakedove.dovecot.commands.mailbox_checks import Problem, missing, name_problem
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.names import canonical_name, is_utf8
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Log
from fakedove.dovecot.room import has_room
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

#: Flags that have a right of their own.
_RIGHTS = {"\\Seen": "write-seen", "\\Deleted": "write-deleted"}


def open_destination(
    call: Call, argument: bytes, failed: str
) -> Generator[Item, None, Mailbox | Status]:
    """Return the mailbox, or the status of the command after saying why it cannot be opened.

    In `failed`, said before the reason, the name is `{given}`, or `{name}` as Dovecot calls it.
    Raises Fatal for a name that is not UTF-8.
    """
    if not is_utf8(argument):
        yield from queries.panic(b"uni_utf8_str_is_valid(vname)")
    name = argument.decode()
    call.user.acl_list.look_at(canonical_name(name))
    box = None if name_problem(name) else call.user.find_mailbox(name)
    if box is not None and call.user.may("insert", box):
        box.synchronize()
        return box
    status, why = problem = name_problem(name) or _refusal(call, box, canonical_name(name))
    yield from long_names.told(call, name, problem)
    said = failed.format(given=name, name=canonical_name(name))
    yield Log(f"{said}: {why}".encode())
    return status


def _refusal(call: Call, box: Mailbox | None, name: str) -> Problem:
    """Return why nothing can be put into a mailbox: one that is hidden is not there."""
    if box is None:
        return long_names.not_opened(call, name)
    if not call.user.may("lookup", box):
        return missing(name)
    return Status.NOPERM, "Permission denied"


def kept(user: User, box: Mailbox, message: Message) -> Message:
    """Return the message with the flags and keywords that the user may set in a mailbox."""
    if not box.acl:
        return message
    return msgspec.structs.replace(
        message,
        flags=tuple(flag for flag in message.flags if user.may(_RIGHTS.get(flag, "write"), box)),
        keywords=message.keywords if user.may("write", box) else (),
    )


def too_big(
    user: User, mailbox: str, messages: Sequence[Message], *, as_root: bool = False
) -> Iterator[Message]:
    """Yield the messages that the user's quota leaves no room for in a mailbox, one by one."""
    size = count = 0
    for message in messages:
        if has_room(user, mailbox, size + message.virtual_size, count + 1, as_root=as_root):
            size += message.virtual_size
            count += 1
        else:
            yield message
