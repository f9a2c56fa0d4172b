"""Where a user's mailboxes lie on the server's disk, by what is asked for.

The storage is mdbox in the user's home, with an alternative storage beside it.
"""

from __future__ import annotations

from fakedove.dovecot.names import to_mutf7
from fakedove.dovecot.user import User

_MAILS = "dbox-Mails"
#: Types of paths: root below the home, and whether the mailbox's own directory is meant.
_TYPES = {
    "dir": ("mdbox", False),
    "alt-dir": ("alt", False),
    "mailbox": ("mdbox", True),
    "alt-mailbox": ("alt", True),
    "control": ("mdbox", True),
    "index": ("mdbox", True),
    "index-cache": ("mdbox", True),
}


def mailbox_path(user: User, name: str, kind: str = "index") -> bytes | None:
    """Return the path of a `kind` for the mailbox `name`, which need not exist, or None."""
    found = _TYPES.get(kind)
    if found is None:
        return None
    root, inner = found
    folder = storage_name(name)
    path = b"%b/%b/mailboxes/%b" % (_encoded(user.home), root.encode(), folder)
    return b"%b/%b" % (path, _MAILS.encode()) if inner else path


def directory(user: User, name: str) -> bytes:
    """Return the directory that the mailbox `name` and its children lie in."""
    return b"%b/mdbox/mailboxes/%b" % (_encoded(user.home), storage_name(name))


def storage_name(name: str) -> bytes:
    """Return what the mailbox is called on disk."""
    return to_mutf7("INBOX" if name.upper() == "INBOX" else name)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
