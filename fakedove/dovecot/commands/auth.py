"""Commands that ask the auth service: `user` and `auth cache *`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from fakedove.dovecot import masks, sockets, variables
from fakedove.dovecot.quota_settings import quota_fields
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope, Speaker, Text
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_WILDCARDS = b"*?"
_AUTH_MASTER, _AUTH_USERDB = "auth-master", "auth-userdb"
_ANVIL_GREETING = b"Auth server sent invalid version line: VERSION\tanvil-server\t2\t0"
#: Sockets of processes that hang up on whoever asks them such things.
_OTHERS = frozenset({"anvil", "auth-userdb", "doveadm-server"})
_NO_ANSWER = b"userdb lookup: Internal error occurred. Refer to server log for more information."
_GAPS = (Gap("nothing is ever cached, as where the cache is switched off"),)
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


@command(
    "user",
    option("socket-path", "a"),
    option("auth-info", "x", Kind.TEXTS),
    option("field", "f"),
    option("expand-field", "e"),
    flag("userdb-only", "u"),
    positional("user-mask", Kind.TEXTS, required=False),
    usage=(
        "[-a <userdb socket path>] [-x <auth info>] [-f field] [-e <value>] [-u] <user mask> [...]"
    ),
    gaps=(Gap("what `-x` says is checked, but no look-up goes by it"),),
)
def user(call: Call) -> Output:
    """Print users' userdb fields as JSON, or the names that masks match."""
    for argument in call.invocation.texts("auth-info"):
        _check_auth_info(argument)
    wanted = call.invocation.texts("user-mask")
    problem = _problem(call.invocation)
    if problem is not None:
        yield Log(problem, scope=Scope.COMMAND)
        return Status.USAGE
    why = _no_auth(call, _AUTH_MASTER, _AUTH_USERDB)
    if any(masks.has_wildcard(mask, _WILDCARDS) for mask in wanted):
        if call.release.user_masks and why is not None:
            return (yield from _no_list(call, why))
        if call.release.user_masks:
            yield from _texts(call, _user_list(call, wanted))
        return Status.OK
    if call.invocation.flag("userdb-only"):
        raise Fatal(b"killed with signal 11", crash=True)
    status = Status.OK
    yield from _texts(call, iter((b"{",)))
    for at, name in enumerate(wanted):
        separator = b"," if at else b""
        if why is not None:
            status = Status.TEMPFAIL
            text = b"auth-master: userdb lookup(%b): %b" % (name, why)
            yield Log(text, scope=Scope.USERDB, user=name)
            yield from _texts(call, _failed_entry(call, name, separator=separator))
            continue
        found = call.lookup(name)
        if found is None:
            status = Status.NOUSER
        elif call.release.user_marks_log:
            yield Speaker(Scope.PROCESS)
        yield from _texts(call, _entry(call, name, found, separator=separator))
    yield Text(b"}")
    return status


def userdb_fields(user: User, release: Release) -> dict[str, str]:
    """Return what a userdb lookup gives, in order."""
    fields = {"uid": str(user.uid), "gid": str(user.gid), "home": user.home}
    if release.userdb_settings:
        fields["mail_path"] = f"{user.home}/mdbox"
    else:
        fields["mail"] = "mdbox:~/mdbox:ALT=~/alt"
    return fields | quota_fields(user.quota_roots, release) | dict(user.userdb)


def _texts(call: Call, pieces: Iterator[bytes]) -> Iterator[Text]:
    """Yield what is written: each piece where the release does so, else all at once."""
    if call.release.user_json_pieces:
        yield from (Text(piece) for piece in pieces if piece)
    else:
        yield Text(b"".join(pieces))


def _user_list(call: Call, wanted: tuple[bytes, ...]) -> Iterator[bytes]:
    yield b'{"userList":['
    first = True
    for name in call.store.names():
        if any(masks.user_matches(mask, name.encode()) for mask in wanted):
            if not first:
                yield b","
            first = False
            yield _json(name)
    yield b"]}"


def _no_list(call: Call, why: bytes) -> Output:
    yield Log(b"auth-master: userdb list: " + why, scope=Scope.LIBRARY)
    if not call.release.user_tells_failure:
        raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True)
    yield Log(b"user listing failed", scope=Scope.COMMAND)
    yield from _texts(call, iter((b'{"userList":[', b"]}")))
    return Status.DATAERR


def _failed_entry(call: Call, name: bytes, *, separator: bytes) -> Iterator[bytes]:
    yield separator
    yield from _quoted(name.decode(errors="replace"))
    told = b'"error":"%b"' % _NO_ANSWER if call.release.user_tells_failure else b""
    yield b":{%b}" % told


def _entry(call: Call, name: bytes, found: User | None, *, separator: bytes) -> Iterator[bytes]:
    shown = name.decode(errors="replace")
    yield separator
    yield from _quoted(shown)
    yield b":{"
    if found is None:
        yield b'"error":%b' % _json(f"userdb lookup: user {shown} doesn't exist")
    else:
        yield from _fields(call, name, found)
    yield b"}"


def _fields(call: Call, name: bytes, found: User) -> Iterator[bytes]:
    fields = userdb_fields(found, call.release)
    template = call.invocation.text("expand-field")
    if template is not None:
        yield _expanded(template.decode(errors="replace"), found, fields, call.release)
        return
    if name != found.name.encode():
        # The auth service found it by another name, in lower case.
        fields = {"user": found.name} | fields
    only = call.invocation.text("field")
    separator = b""
    for key, value in fields.items():
        wanted = only is None or key.encode() == only
        if wanted or call.release.user_json_commas:
            yield separator
            separator = b","
        if wanted:
            yield from (b'"', _inner(key), b'":"', _inner(value), b'"')


def _expanded(template: str, user: User, fields: dict[str, str], release: Release) -> bytes:
    """Return the entry of `template` with its variables filled in, as the release has them."""
    expand = variables.expand_percent if release.percent_variables else variables.expand_braces
    try:
        return b"%b:%b" % (_json(template), _json(expand(template, user, fields)))
    except variables.UnknownVariable as problem:
        return b'"error":%b' % _json(f"Failed to expand field: {problem}")


def _problem(invocation: Invocation) -> bytes | None:
    """Return why the arguments do not go together."""
    if not invocation.texts("user-mask"):
        return b"No user(s) specified"
    if invocation.flag("expand-field"):
        for option_name, letter in (("userdb-only", b"u"), ("field", b"f")):
            if invocation.flag(option_name):
                return b"-e can't be used with -%b" % letter
    return None


def _check_auth_info(argument: bytes) -> None:
    """Raise Fatal for an `-x` argument that the real process dies of."""
    key, _, value = argument.decode(errors="replace").partition("=")
    if key in ("lip", "rip") and b"=" in argument:
        if not masks.is_address(value):
            raise Fatal(f"{key}: Invalid ip".encode(), Scope.COMMAND)
    elif key in ("lport", "rport") and b"=" in argument:
        if not (value.isascii() and value.isdecimal() and 0 < int(value) < 65536):
            raise Fatal(f"{key}: Invalid port number".encode(), Scope.COMMAND)
    elif not argument.startswith(b"service="):
        raise Fatal(b"Unknown -x argument: %b" % argument, Scope.COMMAND)


@command(
    "auth cache flush",
    option("socket-path", "a"),
    positional("user", Kind.TEXTS, required=False),
    columns=("entries",),
    usage="[-a <master socket path>] [<user> [...]]",
    gaps=_GAPS,
)
def auth_cache_flush(call: Call) -> Output:
    """Forget cached users and print how many entries that were: the fake caches nothing."""
    if not call.invocation.texts("user") and not call.release.auth_cache_flush_all:
        raise Fatal(b"Missing user parameter", Scope.COMMAND)
    why = _no_auth(call, _AUTH_MASTER)
    if why is not None:
        yield _cannot_flush(call, why)
    yield (b"0",)
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


def _no_auth(call: Call, *names: str) -> bytes | None:
    """Return why nobody answers who can: `names` are the sockets of those."""
    place = sockets.leads_to(call, names[-1])
    if place in names and (len(names) > 1 or not sockets.unprivileged(call)):
        return None
    if place == "anvil" and call.release.anvil_greets:
        return _ANVIL_GREETING
    if place in _OTHERS:
        return b"Disconnected unexpectedly"
    why = sockets.obstacle(call, names[-1])
    return None if why is None else b"connect(%b) failed: %b" % (sockets.path(call, names[-1]), why)


def _cannot_flush(call: Call, why: bytes) -> Log:
    path = sockets.path(call, _AUTH_MASTER)
    text = b"auth-master: auth cache flush: " + why
    user = call.store.lookup((call.opened or b"").decode(errors="surrogateescape"))
    if user is not None and why.endswith(sockets.PERMISSION_DENIED):
        text += b" (euid=%d(<unknown>) egid=%d(<unknown>) missing +r perm: %b" % (
            user.uid,
            user.gid,
            path,
        )
        text += b", dir owned by 0:0 mode=0755)"
    return Log(text, scope=Scope.LIBRARY)


def _quoted(text: str) -> Iterator[bytes]:
    yield from (b'"', _inner(text), b'"')


@lru_cache(maxsize=1024)
def _inner(text: str) -> bytes:
    return _json(text)[1:-1]


def _json(text: str) -> bytes:
    return _ENCODE(text).encode()
