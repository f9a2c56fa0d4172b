"""Which mailboxes of a user others may see: a list of them, and the dict made from it.

Some releases keep the list beside the mail, with the time of each mailbox's ACL, and make it
anew when an ACL that matters for it has changed by a command, or when they come across a
mailbox whose ACL is not of the time that is listed: it was deleted, say, and is there again.
Whatever is shared then is entered in the dict. The recordings' server may not write that, and
says so each time.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from fakedove.dovecot import acl, masks
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Log, Output, Scope

_DICT_FAILED = (
    b"acl: dict commit failed: dict-file: file_dotlock_open(%b) failed: Permission denied"
)

#: Commands that do not bring an INBOX back that was renamed away.
_WITHOUT_INBOX = frozenset(
    (
        *("acl add", "acl debug", "acl get", "acl recalc", "acl rights", "acl set"),
        *("mail fs copy", "mail fs delete", "mail fs get", "mail fs iter", "mail fs iter-dirs"),
        *("mail fs metadata", "mail fs put", "mail fs stat", "mailbox cache purge"),
        *("mailbox path", "mailbox subscribe", "mailbox unsubscribe", "purge"),
        *("sieve get", "sieve list", "sieve put"),
    )
)


def list_shared(call: Call) -> Iterator[Item]:
    """Make the list and the dict anew."""
    if not call.release.acl_sharing_map:
        return
    user = call.user
    user.listed_acls = {
        box.name: box.acl_changed
        for box in user.mailboxes.values()
        if acl.is_shared(box.acl, call.owner)
    }
    yield from enter_shared(call)


def enter_shared(call: Call) -> Iterator[Item]:
    """Enter in the dict who shares mailboxes of the user, which fails if anybody does."""
    if not call.release.acl_sharing_map:
        return
    if any(acl.is_shared(box.acl, call.owner) for box in call.user.mailboxes.values()):
        path = posixpath.join(posixpath.dirname(call.base_dir), "dict")
        yield Log(_DICT_FAILED % path.encode(errors="surrogateescape"), scope=Scope.STORAGE)


def verify_listed(call: Call, name: str) -> Iterator[Item]:
    """Make the list anew if the mailbox `name` is in it with another ACL than it has now."""
    listed = call.user.listed_acls.get(name)
    box = call.user.existing_mailbox(name)
    if listed is not None and listed != (box.acl_changed if box and box.acl else None):
        yield from list_shared(call)


def behind_new_inbox(call: Call, output: Output) -> Output:
    """Do the command's work, but first what comes of it that it brings a lost INBOX back."""
    if call.user.existing_mailbox("INBOX") is None and _brings_inbox_back(call):
        yield from verify_listed(call, "INBOX")
    return (yield from output)


def _brings_inbox_back(call: Call) -> bool:
    invocation = call.invocation
    if invocation.command.name != "mailbox list":
        return invocation.command.name not in _WITHOUT_INBOX
    names = invocation.texts("mailbox-mask")
    one = len(names) == 1 and not masks.has_wildcard(names[0], masks.MAILBOX_WILDCARDS)
    return not one and not invocation.flag("subscriptions")
