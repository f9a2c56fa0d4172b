"""Which attributes of a mailbox one side of a sync takes over from the other.

Metadata and Sieve scripts are those of the home directory, which both sides share: of them only
the log can tell that they are to be set. The rights in an ACL are attributes of each side.
"""

from __future__ import annotations

from fakedove.dovecot.change_log import rights_attribute
from fakedove.dovecot.dsync.exporting import Side
from fakedove.dovecot.dsync.state import MailboxState


def taken_over(local: Side, remote: Side, since: MailboxState | None) -> list[str]:
    """Return the names of the attributes that are set on this side."""
    found = [
        rights_attribute(who)
        for who, rights in remote.acl.items()
        if local.acl.get(who) != rights and _wins(who, local, remote)
    ]
    if since is None or not since.modseq:
        return found
    changed = [
        name
        for name, modseq in remote.attributes.items()
        if local.attributes.get(name, 0) <= since.modseq < modseq
    ]
    return [*found, *(name for name in changed if name not in found)]


def _wins(who: str, local: Side, remote: Side) -> bool:
    """Whether the other side's rights count: the newer ones do."""
    return who not in local.acl or _age(who, remote) > _age(who, local)


def _age(who: str, side: Side) -> tuple[int, int, str]:
    modseq = side.attributes.get(rights_attribute(who), 0)
    return side.acl_changed, modseq, " ".join(side.acl[who])
