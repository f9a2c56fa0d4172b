"""`quota get` and `quota recalc`."""

from __future__ import annotations

from fakedove.dovecot.registry import Call, Gap, command
from fakedove.dovecot.reply import Output
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_ROOT = b"User quota"


@command(
    "quota get",
    mail=True,
    columns=("root", "type", "value", "limit", "percent"),
    gaps=(Gap("one quota root, `User quota`, without rules for single mailboxes"),),
)
def quota_get(call: Call) -> Output:
    """Print the STORAGE (kB) and MESSAGE usage of a user."""
    user = call.user
    storage = _storage(call, user)
    yield (_ROOT, b"STORAGE", b"%d" % storage, *_limit(storage, user.quota_storage, 1024))
    count = user.message_count
    yield (_ROOT, b"MESSAGE", b"%d" % count, *_limit(count, user.quota_messages, 1))
    return Status.OK


@command("quota recalc", mail=True)
def quota_recalc(call: Call) -> Output:
    """Count the usage anew, which is always right here."""
    yield from ()
    return Status.OK


def _storage(call: Call, user: User) -> int:
    """Return the usage in kB, as the release counts it."""
    if call.release.quota_physical:
        messages = (one for box in user.mailboxes.values() for one in box.messages)
        used = sum(one.physical_size for one in messages)
        return used // 1024
    return -(-user.quota_used // 1024)


def _limit(used: int, limit: int | None, unit: int) -> tuple[bytes, bytes]:
    """Return limit and percentage as printed, `-` and 0 where there is no limit."""
    if not limit:
        return b"-", b"0"
    return b"%d" % (limit // unit), b"%d" % (used * 100 // max(limit // unit, 1))
