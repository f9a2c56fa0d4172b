"""Which mailboxes of a user others may see: a list of them, and the dict made from it.

Some releases keep the list beside the mail. They make it anew when an ACL that matters for it
has changed by a command, or when they come across a mailbox whose ACL is not of the time that
is listed: it was deleted, say, and is there again. Whatever is shared then is entered in the
dict. The recordings' server may not write that, and says so each time.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from fakedove.dovecot import acl
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope
from fakedove.dovecot.status import Status

_DICT_FAILED = (
    b"acl: dict commit failed: dict-file: file_dotlock_open(%b) failed: Permission denied"
)


def list_shared(call: Call) -> Iterator[Item]:
    """Make the list and the dict anew."""
    if not call.release.acl_sharing_map:
        return
    boxes = call.user.mailboxes.values()
    call.user.acl_list.become(box.name for box in boxes if acl.is_shared(box.acl, call.owner))
    yield from enter_shared(call)


def enter_shared(call: Call) -> Iterator[Item]:
    """Enter in the dict who shares mailboxes of the user, which fails if anybody does."""
    if not call.release.acl_sharing_map:
        return
    if any(acl.is_shared(box.acl, call.owner) for box in call.user.mailboxes.values()):
        path = posixpath.join(posixpath.dirname(call.base_dir), "dict")
        yield Log(_DICT_FAILED % path.encode(errors="surrogateescape"), scope=Scope.STORAGE)


def verify_listed(call: Call, name: str) -> Iterator[Item]:
    """Read the ACL of a mailbox, and make the list anew if that shows that it is wrong."""
    call.user.acl_list.look_at(name)
    yield from _made_right(call)


def watching(call: Call, output: Output) -> Output:
    """Do a command's work, and make the list anew as soon as it is found to be wrong."""
    try:
        while True:
            item = next(output)
            yield from _made_right(call)
            yield item
    except StopIteration as end:
        yield from _made_right(call)
        status: Status = end.value
        return status
    except Fatal:
        yield from _made_right(call)
        raise


def _made_right(call: Call) -> Iterator[Item]:
    if call.user.acl_list.is_wrong:
        yield from list_shared(call)
