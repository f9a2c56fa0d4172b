"""`oldstats dump` and `oldstats reset`, which once were `stats dump` and `stats reset`.

Nobody has logged in, so there is a row of the whole server at most.
"""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import Call, Gap, Invocation, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Level, Log, Output, Row, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("nothing is counted: one row, of zeros, for the whole server"),)
_EMPTY_TYPES = (b"command", b"session", b"user", b"domain", b"ip")
_TIMES = ("user_cpu", "sys_cpu", "clock_time")
_GLOBAL_COLUMNS = (
    *("reset_timestamp", "last_update", "num_logins", "num_cmds", "num_connected_sessions"),
    *_TIMES,
    *("min_faults", "maj_faults", "vol_cs", "invol_cs", "disk_input", "disk_output"),
    *("read_count", "read_bytes", "write_count", "write_bytes"),
    *("mail_lookup_path", "mail_lookup_attr"),
    *("mail_read_count", "mail_read_bytes", "mail_cache_hits"),
    *("auth_successes", "auth_master_successes", "auth_failures", "auth_db_tempfails"),
    *("auth_cache_hits", "auth_cache_misses"),
)
_USAGE = "[-s <stats socket path>]"


def columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    """Return the columns that the old statistics name themselves."""
    return _GLOBAL_COLUMNS if invocation.text("type") == b"global" else ()


@command(
    "oldstats dump",
    option("socket-path", "s"),
    positional("type", required=False),
    positional("filter", required=False),
    columns=columns,
    usage=f"{_USAGE} <type> [<filter>]",
    gaps=_GAPS,
)
def dump(call: Call) -> Output:
    """Print statistics of one type."""
    wanted = call.invocation.text("type")
    if wanted is None:
        yield Log(b"Missing type parameter", scope=Scope.COMMAND)
        return Status.USAGE
    socket = call.release.old_stats_socket
    sockets.connect(call, socket)
    if wanted == b"global":
        yield _global_row(call)
    elif wanted in _EMPTY_TYPES:
        yield Log(b"no statistics available", Level.INFO, Scope.COMMAND)
    else:
        path = sockets.own_path(call, socket)
        raise Fatal(b"read(%b) unexpectedly disconnected" % path, Scope.COMMAND)
    return Status.OK


@command("oldstats reset", option("socket-path", "s"), usage=_USAGE)
@command("stats reset", option("socket-path", "s"), usage=_USAGE)
def reset(call: Call) -> Output:
    """Forget all statistics."""
    sockets.connect(call, call.release.old_stats_socket)
    yield Log(b"Stats reset", Level.INFO, Scope.COMMAND)
    return Status.OK


def _global_row(call: Call) -> Row:
    now = b"%d" % call.store.clock.now().timestamp()
    values = {"reset_timestamp": now, "last_update": b"0.000000", **dict.fromkeys(_TIMES, b"0.0")}
    return tuple(values.get(key, b"0") for key in _GLOBAL_COLUMNS)
