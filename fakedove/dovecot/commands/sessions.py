"""Logged-in sessions: `who` and `kick`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fakedove.dovecot import masks
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Row, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.store import LoginSession

_KICK_USAGE = (
    "[-a <anvil socket path>] [-f <passdb field>] [-h <dest host>] <user mask>[|]<ip/bits>"
)


def _who_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    if not invocation.flag("separate-connections"):
        return ("username", "connections", "service", "pids", "ips")
    single = ("username", "service", "pid", "ip")
    return (*single, "dest_ip") if release.who_destination else single


@command(
    "who",
    option("socket-path", "a"),
    flag("separate-connections", "1"),
    option("passdb-field", "f", when="who_destination"),
    positional("mask", Kind.TEXTS, required=False),
    columns=_who_columns,
    flushes="who_flushes",
)
def who(call: Call) -> Output:
    """Print who is logged in, one row a user and service or one a session."""
    _refuse_other_anvil(call)
    chosen = _chosen(call.store.sessions, call.invocation.texts("mask"))
    if call.invocation.flag("separate-connections"):
        yield from (_single(session, call.release) for session in chosen)
    else:
        groups: dict[tuple[str, str], list[LoginSession]] = {}
        for session in chosen:
            groups.setdefault((session.user, session.service), []).append(session)
        yield from (_grouped(group) for group in groups.values())
    return Status.OK


@command(
    "kick",
    option("socket-path", "a"),
    flag("force", "f"),
    positional("mask", Kind.TEXTS, required=False),
    columns=("result",),
    usage=_KICK_USAGE,
    flushes="who_flushes",
)
def kick(call: Call) -> Output:
    """Disconnect the sessions of matching users."""
    wanted = call.invocation.texts("mask")
    if not wanted:
        if call.release.kick_counts:
            raise Fatal(b"Client sent invalid command. Usage: kick %b" % _KICK_USAGE.encode())
        yield Log(b"user and/or ip[/bits] must be specified.", scope=Scope.COMMAND)
        return Status.USAGE
    _refuse_other_anvil(call)
    chosen = _chosen(call.store.sessions, wanted)
    call.store.sessions[:] = [one for one in call.store.sessions if one not in chosen]
    if call.release.kick_counts:
        yield (b"%d" % len(chosen),)
        return Status.OK
    yield from ((name.encode(),) for name in dict.fromkeys(one.user for one in chosen))
    return Status.OK if chosen else Status.NOTFOUND


def _refuse_other_anvil(call: Call) -> None:
    path = call.invocation.text("socket-path")
    if path is not None:
        why = b"No such file or directory"
        raise Fatal(b"net_connect_unix(%b) failed: %b" % (path, why), Scope.COMMAND)


def _chosen(sessions: Iterable[LoginSession], wanted: Sequence[bytes]) -> list[LoginSession]:
    """Return the sessions that match: a user mask, an address or block, or both."""
    users = [mask for mask in wanted if not masks.is_network(mask.decode(errors="replace"))]
    blocks = [mask.decode() for mask in wanted if mask not in users]
    return [
        one
        for one in sessions
        if (not users or any(masks.user_matches(mask, one.user.encode()) for mask in users))
        and (not blocks or any(masks.address_matches(block, one.ip) for block in blocks))
    ]


def _single(session: LoginSession, release: Release) -> Row:
    fields = [session.user, session.service, str(session.pid), session.ip]
    if release.who_destination:
        fields.append(session.ip)
    return tuple(field.encode() for field in fields)


def _grouped(group: Sequence[LoginSession]) -> Row:
    pids = " ".join(str(one.pid) for one in group)
    ips = " ".join(dict.fromkeys(one.ip for one in group))
    fields = (group[0].user, str(len(group)), group[0].service, f"({pids})", f"({ips})")
    return tuple(field.encode() for field in fields)
