"""`quota get` and `quota recalc`."""

from __future__ import annotations

from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.registry import Call, command
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Output
from fakedove.dovecot.status import Status


@command(
    "quota get",
    mail=True,
    columns=("root", "type", "value", "limit", "percent"),
)
def quota_get(call: Call) -> Output:
    """Print the STORAGE (kB) and MESSAGE usage of each quota root of a user."""
    call.user.acl_list.look_at_all()
    call.user.open_all()
    for root in call.user.quota_roots:
        storage, count = _usage(call, root)
        name, limit = root.name.encode(), _kilobytes(call.release, root.storage or 0)
        yield (name, b"STORAGE", b"%d" % storage, *_limit(storage, limit))
        yield (name, b"MESSAGE", b"%d" % count, *_limit(count, root.messages))
    return Status.OK


@command("quota recalc", mail=True)
def quota_recalc(call: Call) -> Output:
    """Count the usage anew, which is always right here."""
    yield from ()
    call.user.open_all()
    call.user.acl_list.look_at_all()
    return Status.OK


def _usage(call: Call, root: QuotaRoot) -> tuple[int, int]:
    """Return kB and messages, as the release counts them."""
    used, count = call.user.usage_of(root, physical=call.release.quota_physical)
    return _kilobytes(call.release, used), count


def _kilobytes(release: Release, size: int) -> int:
    """Return a size in kB, as the release rounds it."""
    return size // 1024 if release.quota_physical else -(-size // 1024)


def _limit(used: int, limit: int | None) -> tuple[bytes, bytes]:
    """Return limit and percentage as printed, `-` and 0 where there is no limit."""
    if not limit:
        return b"-", b"0"
    return b"%d" % limit, b"%d" % (used * 100 // limit)
