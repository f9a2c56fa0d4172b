"""`quota get` and `quota recalc`."""

from __future__ import annotations

from fakedove.dovecot.registry import Call, Gap, command
from fakedove.dovecot.reply import Output
from fakedove.dovecot.status import Status

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
    used, count = user.usage
    storage = _storage(call, used)
    yield (_ROOT, b"STORAGE", b"%d" % storage, *_limit(storage, user.quota_storage, 1024))
    yield (_ROOT, b"MESSAGE", b"%d" % count, *_limit(count, user.quota_messages, 1))
    return Status.OK


@command("quota recalc", mail=True)
def quota_recalc(call: Call) -> Output:
    """Count the usage anew, which is always right here."""
    yield from ()
    return Status.OK


def _storage(call: Call, used: int) -> int:
    """Return the usage in kB, of which the virtual bytes are `used`, as the release counts it."""
    if not call.release.quota_physical:
        return -(-used // 1024)
    messages = (one for box in call.user.mailboxes.values() for one in box.messages)
    return sum(one.physical_size for one in messages) // 1024


def _limit(used: int, limit: int | None, unit: int) -> tuple[bytes, bytes]:
    """Return limit and percentage as printed, `-` and 0 where there is no limit."""
    if not limit:
        return b"-", b"0"
    return b"%d" % (limit // unit), b"%d" % (used * 100 // max(limit // unit, 1))
