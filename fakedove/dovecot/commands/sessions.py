"""Logged-in sessions: `who` and `kick`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fakedove.dovecot import masks, sockets
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Row, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.store import LoginSession
from fakedove.dovecot.texts import misused

WHO_USAGE = "[-a <anvil socket path>] [-1] [-f <passdb field>] [<user mask>] [<ip/bits>]"
KICK_USAGE = "[-a <anvil socket path>] [-f <passdb field>] [-h <dest host>] <user mask>[|]<ip/bits>"
_SEVERAL_USERS = b"Multiple username masks not supported"
_SEVERAL_NETWORKS = b"Multiple network masks not supported"
_FIELD_WITHOUT_USER = b"Username must be given with passdb-field parameter"
_ANVIL = "anvil"
_FIELDS = Gap("sessions have no other user names, so `-f` finds nobody", when="who_destination")


class _Filter:
    """What the masks of a command line ask for: user masks and an address or block."""

    def __init__(self, wanted: Sequence[bytes]) -> None:
        blocks = [mask for mask in wanted if not mask.isdigit() and _is_network(mask)]
        self.users = [mask for mask in wanted if mask not in blocks]
        self.blocks = [mask.decode() for mask in blocks]

    def user(self, name: str) -> bool:
        """Whether the user name matches."""
        encoded = name.encode()
        return not self.users or any(masks.user_matches(one, encoded) for one in self.users)

    def address(self, ip: str) -> bool:
        """Whether the address lies in the block."""
        return not self.blocks or masks.address_matches(self.blocks[0], ip)

    def session(self, session: LoginSession) -> bool:
        """Whether one session matches."""
        return self.user(session.user) and self.address(session.ip)


def _is_network(mask: bytes) -> bool:
    return masks.is_network(mask.decode(errors="replace"))


def _mask_problem(invocation: Invocation, release: Release) -> bytes | None:
    """Return why the masks cannot be used; then no columns are announced either."""
    wanted = _Filter(invocation.texts("mask"))
    if len(wanted.blocks) > 1:
        return _SEVERAL_NETWORKS
    if len(wanted.users) > 1 and not release.several_user_masks:
        return _SEVERAL_USERS
    # who looks at this only if there is any mask.
    if invocation.text("passdb-field") is not None and not wanted.users:
        return _FIELD_WITHOUT_USER
    return None


def who_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    """Return the columns of who."""
    if _who_problem(invocation, release) is not None:
        return ()
    if not invocation.flag("separate-connections"):
        return ("username", "connections", "service", "pids", "ips")
    single = ("username", "service", "pid", "ip")
    return (*single, "dest_ip") if release.who_destination else single


def _who_problem(invocation: Invocation, release: Release) -> bytes | None:
    return _mask_problem(invocation, release) if invocation.texts("mask") else None


@command(
    "who",
    option("socket-path", "a"),
    flag("separate-connections", "1"),
    option("passdb-field", "f", when="who_destination"),
    positional("mask", Kind.TEXTS, required=False),
    columns=who_columns,
    usage=WHO_USAGE,
    gaps=(_FIELDS,),
    flushes="who_flushes",
)
def who(call: Call) -> Output:
    """Print who is logged in, one row a user and service or one a session."""
    problem = _who_problem(call.invocation, call.release)
    if problem is not None:
        yield Log(problem, scope=Scope.COMMAND)
        return Status.USAGE
    sockets.connect(call, _ANVIL)
    wanted = _Filter(call.invocation.texts("mask"))
    if not call.invocation.flag("separate-connections"):
        yield from _groups(call.store.sessions, wanted)
    elif call.invocation.text("passdb-field") is None:
        # No session has other user names than its own.
        chosen = filter(wanted.session, tuple(call.store.sessions))
        yield from (_single(session, call.release) for session in chosen)
    return Status.OK


def kick_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    """Return the columns of kick."""
    unasked = not release.kick_counts and not invocation.texts("mask")
    return () if unasked or _mask_problem(invocation, release) is not None else ("result",)


@command(
    "kick",
    option("socket-path", "a"),
    flag("force", "f", when="kick_forces"),
    option("passdb-field", "f", when="kick_counts"),
    option("dest-host", "h", when="kick_counts"),
    positional("mask", Kind.TEXTS, required=False),
    columns=kick_columns,
    usage=KICK_USAGE,
    gaps=(_FIELDS, Gap("the sessions are taken from the store; no connection is closed")),
    flushes="kick_flushes",
)
def kick(call: Call) -> Output:
    """Disconnect the sessions of matching users."""
    if call.release.kick_counts:
        return (yield from _kick_by_anvil(call))
    return (yield from _kick_by_signal(call))


def _kick_by_signal(call: Call) -> Output:
    """Kill the processes of matching sessions, with all that they serve."""
    masks_given = call.invocation.texts("mask")
    if not masks_given:
        yield Log(b"user and/or ip[/bits] must be specified.", scope=Scope.COMMAND)
        return Status.USAGE
    problem = _mask_problem(call.invocation, call.release)
    if problem is not None:
        yield Log(problem, scope=Scope.COMMAND)
        return Status.USAGE
    sockets.connect(call, _ANVIL)
    wanted = _Filter(masks_given)
    pids = {one.pid for one in call.store.sessions if wanted.session(one)}
    kicked = _remove(call, [one for one in call.store.sessions if one.pid in pids])
    yield from ((name,) for name in sorted({one.user.encode() for one in kicked}))
    return Status.OK if kicked else Status.NOTFOUND


def _kick_by_anvil(call: Call) -> Output:
    """Let anvil tell the processes; the answer is how many sessions that were."""
    release, masks_given = call.release, call.invocation.texts("mask")
    host = _destination(call)
    if not masks_given and host is None:
        more = " [<user mask> [...]]" if release.several_user_masks else ""
        raise misused(release, f"kick {KICK_USAGE}{more}", Scope.COMMAND)
    problem = _mask_problem(call.invocation, release)
    if problem is not None and not release.several_user_masks:
        raise Fatal(b"killed with signal 11", crash=True)
    if problem is not None:
        yield Log(problem, scope=Scope.COMMAND)
        return Status.USAGE
    wanted = _Filter(masks_given)
    literal = host is None and not wanted.blocks and not _wild(wanted.users)
    why = sockets.obstacle(call, _ANVIL)
    if why is not None and literal:
        yield _cannot_connect(call, why)
        return Status.TEMPFAIL
    if not literal:
        sockets.connect(call, _ANVIL)
    if call.invocation.text("passdb-field") is not None:
        chosen: list[LoginSession] = []
    elif literal:
        chosen = [one for one in call.store.sessions if one.user.encode() in wanted.users]
    else:
        chosen = [
            one for one in call.store.sessions if wanted.session(one) and host in (None, one.ip)
        ]
    yield (b"%d" % len(_remove(call, chosen)),)
    return Status.OK


def _destination(call: Call) -> str | None:
    host = call.invocation.text("dest-host")
    if host is None:
        return None
    address = host.decode(errors="replace")
    if not masks.is_address(address):
        raise Fatal(b"dest-host isn't a valid IP address", Scope.COMMAND)
    return address


def _wild(users: Iterable[bytes]) -> bool:
    return any(masks.has_wildcard(mask, b"*?") for mask in users)


def _cannot_connect(call: Call, why: bytes) -> Log:
    path = sockets.path(call, _ANVIL)
    whom = b"conn unix:%b" % path if path else b"conn"
    text = b"%b: net_connect_unix(%b) failed: %b" % (whom, path, why)
    return Log(text, scope=Scope.LIBRARY)


def _remove(call: Call, sessions: list[LoginSession]) -> list[LoginSession]:
    call.store.sessions[:] = [one for one in call.store.sessions if one not in sessions]
    return sessions


def _single(session: LoginSession, release: Release) -> Row:
    fields = [session.user, session.service, str(session.pid), session.ip]
    if release.who_destination:
        fields.append(session.ip)
    return tuple(field.encode() for field in fields)


def _groups(sessions: Iterable[LoginSession], wanted: _Filter) -> Iterator[Row]:
    """Yield a row for each user and service of which any address matches."""
    groups: dict[tuple[str, str], list[LoginSession]] = {}
    for session in sessions:
        groups.setdefault((session.user, session.service), []).append(session)
    for group in groups.values():
        if wanted.user(group[0].user) and any(wanted.address(one.ip) for one in group):
            yield _grouped(group)


def _grouped(group: Sequence[LoginSession]) -> Row:
    pids = " ".join(dict.fromkeys(str(one.pid) for one in group))
    ips = " ".join(dict.fromkeys(one.ip for one in group))
    fields = (group[0].user, str(len(group)), group[0].service, f"({pids})", f"({ips})")
    return tuple(field.encode() for field in fields)
