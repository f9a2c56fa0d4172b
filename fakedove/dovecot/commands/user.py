"""`user`: what the userdb says of users, and which there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain

import msgspec

from fakedove.dovecot import masks, variables
from fakedove.dovecot.auth_conversation import AuthConversation, shown_fields
from fakedove.dovecot.quota_settings import quota_fields
from fakedove.dovecot.registry import (
    DEBUG_GAPS,
    Call,
    Gap,
    Invocation,
    Kind,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope, Speaker, Text
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_WILDCARDS = b"*?"
_NO_ANSWER = b"Internal error occurred. Refer to server log for more information."
_TEMPLATE_GAPS = (
    Gap(
        "`-e` has no environment for `%{env:...}`, Python's regular expressions in"
        " `%{if;...}`, and nothing behind a `{` whose `}` is missing",
        when="percent_variables",
    ),
    Gap(
        "`-e` refuses to `encrypt` and `decrypt`, takes variables without a value for empty"
        " ones, has an empty `env:`, no `dovecot:revision`, and Python's regular expressions",
        when="braced_variables",
    ),
)
_json = msgspec.json.Encoder().encode


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
    gaps=(*DEBUG_GAPS, *_TEMPLATE_GAPS),
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
    auth = AuthConversation(call, "auth-userdb", "auth-master")
    if any(masks.has_wildcard(mask, _WILDCARDS) for mask in wanted):
        return (yield from _list(call, auth, wanted)) if call.release.user_masks else Status.OK
    if call.invocation.flag("userdb-only"):
        raise Fatal(b"killed with signal 11", crash=True)
    status = Status.OK
    for at, name in enumerate(wanted):
        outcome = yield from _look_up(call, auth, name, first=not at)
        status = status if outcome is Status.OK else outcome
    yield Text(b"}")
    yield from auth.close()
    return status


def _look_up(call: Call, auth: AuthConversation, name: bytes, *, first: bool) -> Output:
    """Print one user's entry."""
    scope, request = Scope.USERDB, b"userdb lookup(%b)" % name
    started = auth.tell(request + b": Started userdb lookup", scope, name)
    head = _texts(call, _entry_head(call.release, name, first=first))
    # What stands before the first name is still in the buffer by then.
    yield from chain(head, started)
    yield from auth.reach(request, scope, name)
    if not auth.connected:
        yield from auth.tell(request + b": Userdb lookup failed", scope, name)
        why = auth.failure if auth.met and auth.failure else _NO_ANSWER
        told = b'"error":"userdb lookup: %b"' % why if call.release.user_tells_failure else b""
        yield from _texts(call, _entry_body(call.release, (told,)))
        return Status.TEMPFAIL
    found = call.lookup(name)
    yield from _answer(call, auth, name, found)
    if found is None:
        shown = name.decode(errors="replace")
        error = b'"error":%b' % _json(f"userdb lookup: user {shown} doesn't exist")
        yield from _texts(call, _entry_body(call.release, (error,)))
        return Status.NOUSER
    if call.release.user_marks_log:
        yield Speaker(Scope.PROCESS)
    yield from _texts(call, _entry_body(call.release, _fields(call, name, found)))
    return Status.OK


def _answer(call: Call, auth: AuthConversation, name: bytes, found: User | None) -> Iterator[Log]:
    """Tell what the auth service answers about a user."""
    if not call.invocation.debug:
        return
    scope, request = Scope.USERDB, b"userdb lookup(%b)" % name
    words = [b""]
    if found is not None:
        words = [found.name.encode(), *shown_fields(_auth_fields(found, call.release))]
    shown = b" ".join(words)
    yield from auth.hear(*words, scope=scope, user=name)
    yield from auth.tell(b"%b: auth USER input: %b" % (request, shown), scope, name)
    end = b"Finished userdb lookup (username=%b)" % shown if found else b"Userdb lookup failed"
    yield from auth.tell(b"%b: %b" % (request, end), scope, name)


def _list(call: Call, auth: AuthConversation, wanted: Sequence[bytes]) -> Output:
    """Print the names that masks match."""
    asked = wanted[0] if len(wanted) == 1 else b"*"
    bracket = b":["
    yield from auth.tell(b"userdb list: Started listing users (user_mask=%b)" % asked)
    yield Text(b'{"userList"' if call.release.json_colon_waits else b'{"userList":[')
    yield from auth.reach(b"userdb list")
    opening = bracket if call.release.json_colon_waits else b""
    if not auth.connected:
        return (yield from _no_list(call, auth, opening))
    for name in call.store.names():
        encoded = name.encode()
        if call.release.auth_lists_matches and not masks.user_matches(asked, encoded):
            continue
        yield from auth.hear(encoded)
        yield from auth.tell(b"userdb list: Returned username: " + encoded)
        if any(masks.user_matches(mask, encoded) for mask in wanted):
            yield from _texts(call, (opening, _json(name)))
            opening = b","
    yield from auth.hear(b"")
    yield from auth.tell(b"userdb list: Finished listing users")
    yield Text(b"]}" if opening != bracket else b":[]}")
    yield from auth.close()
    return Status.OK


def _no_list(call: Call, auth: AuthConversation, opening: bytes) -> Output:
    if not auth.met and not call.release.user_tells_failure:
        raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True)
    if auth.failure:
        yield Log(
            b"auth-master: userdb list: User listing failed: %b" % auth.failure, scope=Scope.LIBRARY
        )
    yield from auth.tell(b"userdb list: Listing users failed")
    yield Log(b"user listing failed", scope=Scope.COMMAND)
    yield Text(opening + b"]}")
    return Status.DATAERR


def userdb_fields(user: User, release: Release) -> dict[str, str]:
    """Return what a userdb lookup gives, in order."""
    fields = {"uid": str(user.uid), "gid": str(user.gid), "home": user.home}
    if release.userdb_settings:
        fields["mail_path"] = f"{user.home}/mdbox"
    else:
        fields["mail"] = "mdbox:~/mdbox:ALT=~/alt"
    return fields | _auth_fields(user, release)


def _auth_fields(user: User, release: Release) -> dict[str, str]:
    """Return what the auth service gives of it; the rest comes from the settings."""
    fields = {"uid": str(user.uid), "gid": str(user.gid), "home": user.home}
    return fields | quota_fields(user.quota_roots, release) | dict(user.userdb)


def _texts(call: Call, pieces: Sequence[bytes]) -> Sequence[Text]:
    """Return what is written: each piece where the release does so, else all at once."""
    if call.release.user_json_pieces:
        return [Text(piece) for piece in pieces if piece]
    return (Text(b"".join(pieces)),)


def _entry_head(release: Release, name: bytes, *, first: bool) -> Sequence[bytes]:
    """Return what is written of an entry before the user is looked up."""
    opening = b"" if release.json_colon_waits else b":{"
    return (b"{" if first else b",", *_quoted(name.decode(errors="replace")), opening)


def _entry_body(release: Release, fields: Iterable[bytes]) -> Sequence[bytes]:
    """Return what is written after that."""
    return (b":{" if release.json_colon_waits else b"", *fields, b"}")


def _fields(call: Call, name: bytes, found: User) -> Iterable[bytes]:
    fields = userdb_fields(found, call.release)
    template = call.invocation.text("expand-field")
    if template is not None:
        return (_expanded(call, template, found, fields),)
    if name != found.name.encode():
        # The auth service found it by another name, in lower case.
        fields = {"user": found.name} | fields
    only = call.invocation.text("field")
    if only is None and not call.release.user_json_pieces:
        return (_json(fields)[1:-1],)
    return _pieces(fields, only, commas=call.release.user_json_commas)


def _pieces(fields: Mapping[str, str], only: bytes | None, *, commas: bool) -> Iterator[bytes]:
    """Yield the fields as they are written; `commas`: those are, too, of what is not wanted."""
    separator = b""
    for key, value in fields.items():
        wanted = only is None or key.encode() == only
        if wanted or commas:
            yield separator
            separator = b","
        if wanted:
            yield from (b'"', _inner(key), b'":"', _inner(value), b'"')


def _expanded(call: Call, template: bytes, user: User, fields: dict[str, str]) -> bytes:
    """Return the entry of `template` with its variables filled in, as the release has them."""
    shown = template.decode(errors="replace")
    store = call.store
    around = variables.Surroundings(
        call.hostname, call.release.number, store.clock.now(), store.random
    )
    try:
        if call.release.percent_variables:
            text = variables.expand_percent(template, user, fields, around).decode(errors="replace")
        else:
            text = variables.expand_braces(shown, user, fields, around)
    except variables.ExpansionCrash:
        raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True) from None
    except variables.UnknownVariable as problem:
        return b'"error":%b' % _json(f"Failed to expand field: {problem}")
    return b"%b:%b" % (_json(shown), _json(text))


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


def _quoted(text: str) -> tuple[bytes, ...]:
    return b'"', _inner(text), b'"'


@lru_cache(maxsize=1024)
def _inner(text: str) -> bytes:
    return _json(text)[1:-1]
