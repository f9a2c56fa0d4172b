"""`auth cache flush` and `auth cache status`."""

from __future__ import annotations

from fakedove.dovecot.auth_conversation import AuthConversation
from fakedove.dovecot.registry import DEBUG_GAP, Call, Gap, Kind, command, flag, option, positional
from fakedove.dovecot.reply import Fatal, Output, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("nothing is ever cached, as where the cache is switched off"),)


@command(
    "auth cache flush",
    option("socket-path", "a"),
    positional("user", Kind.TEXTS, required=False),
    columns=("entries",),
    usage="[-a <master socket path>] [<user> [...]]",
    gaps=(DEBUG_GAP, *_GAPS),
)
def auth_cache_flush(call: Call) -> Output:
    """Forget cached users and print how many entries that were: the fake caches nothing."""
    if not call.invocation.texts("user") and not call.release.auth_cache_flush_all:
        raise Fatal(b"Missing user parameter", Scope.COMMAND)
    auth = AuthConversation(call, "auth-master")
    yield from auth.tell(b"auth cache flush: Started cache flush")
    yield from auth.reach(b"auth cache flush")
    if auth.connected:
        yield from auth.hear(b"0")
    yield from auth.tell(b"auth cache flush: Finished cache flush")
    yield (b"0",)
    yield from auth.close()
    return Status.OK


@command(
    "auth cache status",
    option("socket-path", "a"),
    flag("reset", ""),
    columns=(
        *("hits", "misses", "hit_ratio_percent", "pos_entries", "neg_entries"),
        *("pos_size", "neg_size", "used_size", "max_size"),
    ),
    gaps=_GAPS,
    usage="[-a <master socket path>] [--reset]",
)
def auth_cache_status(call: Call) -> Output:
    """Print how the cache fares: one that is switched off, as it is by default."""
    yield (b"0", b"0", b"100", *[b"0"] * 6)
    return Status.OK
