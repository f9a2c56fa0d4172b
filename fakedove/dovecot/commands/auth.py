"""`auth cache flush`."""

from __future__ import annotations

from fakedove.dovecot.auth_conversation import AuthConversation
from fakedove.dovecot.registry import DEBUG_GAPS, Call, Gap, Kind, command, option, positional
from fakedove.dovecot.reply import Fatal, Log, Output, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("nothing is ever cached, as where the cache is switched off"),)


@command(
    "auth cache flush",
    option("socket-path", "a"),
    positional("user", Kind.TEXTS, required=False),
    columns=("entries",),
    usage="[-a <master socket path>] [<user> [...]]",
    gaps=(*DEBUG_GAPS, *_GAPS),
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
    elif auth.failure:
        yield from auth.tell(b"auth cache flush: Cache flush failed")
        yield Log(b"Cache flush failed", scope=Scope.COMMAND)
        return Status.TEMPFAIL
    yield from auth.tell(b"auth cache flush: Finished cache flush")
    yield (b"0",)
    yield from auth.close()
    return Status.OK
