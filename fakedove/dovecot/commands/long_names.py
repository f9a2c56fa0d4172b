"""Mailbox names that the file system does not take, as a part of them is too long.

A command that has to read such a mailbox's ACL is told of it in the log and fails; for all
others there just is no such mailbox.
"""

from __future__ import annotations

from collections.abc import Iterator

from fakedove.dovecot.commands.mailbox_checks import Problem, last_problem, missing
from fakedove.dovecot.names import canonical_name
from fakedove.dovecot.paths import mailbox_path, storage_name
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Log, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

#: What such a failure becomes where nobody asks for its reason.
UNKNOWN = "BUG: Unknown internal error"
#: Bytes of a file's name.
_MOST = 255


def not_there(call: Call, name: str, why: str = UNKNOWN) -> Problem:
    """Return why the command cannot have a mailbox that is not there; `why` if it is too long."""
    return (Status.TEMPFAIL, why) if _is_too_long(call.user, name) else missing(name)


def not_opened(call: Call, name: str, why: str = UNKNOWN) -> Problem:
    """Return why the command cannot open a mailbox that is not there."""
    problem = not_there(call, name, why)
    return last_problem(call.user, problem) if problem[0] is Status.NOTFOUND else problem


def told(call: Call, name: str, problem: Problem) -> Iterator[Log]:
    """Say before such a problem what the file system said."""
    if problem[0] is Status.TEMPFAIL:
        path = mailbox_path(call.user, canonical_name(name)) or b""
        text = b"%bopen(%b/dovecot-acl) failed: File name too long"
        yield Log(text % (call.release.acl_log_prefix, path), scope=Scope.STORAGE)


def _is_too_long(user: User, name: str) -> bool:
    """Whether the system comes to the part that is too long before one that is not there."""
    above = ""
    for part, stored in zip(name.split("/"), storage_name(name).split(b"/"), strict=True):
        if len(stored) > _MOST:
            return True
        above = f"{above}/{part}" if above else part
        if not user.is_taken(above):
            return False
    return False
