"""`user`: what the userdb says of users, and which there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from fakedove.dovecot import masks, sockets, texts, variables
from fakedove.dovecot.auth_conversation import AuthConversation, shown_fields
from fakedove.dovecot.commands import user_entry
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
from fakedove.dovecot.reply import Fatal, Level, Log, Output, Scope, Speaker, Text
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User
from fakedove.dovecot.userdb import Account, auth_fields, userdb_fields
from fakedove.dovecot.variables.environment import environment

_WILDCARDS = b"*?"
_NO_ANSWER = b"Internal error occurred. Refer to server log for more information."
_TEMPLATE_GAPS = (
    Gap("`-e` has nothing behind a `{` whose `}` is missing", when="percent_variables"),
    Gap("`-e` has the functions of 2.4.1, no more", when="braced_variables"),
    Gap(
        "`%{env:...}` tells of the service, not of the process or what the master was started with"
    ),
)


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
    asked = _asked(call.invocation)
    if asked.problem is not None:
        yield Log(asked.problem, scope=Scope.COMMAND)
        return Status.USAGE
    auth = AuthConversation(call, "auth-userdb", "auth-master")
    if asked.masks:
        if not call.release.user_masks:
            return (yield from _list_nowhere(auth))
        return (yield from _list(call, auth, asked.names))
    if asked.crashes:
        raise Fatal(b"killed with signal 11", crash=True)
    status, names = Status.OK, asked.names
    for at, name in enumerate(names, 1):
        outcome = yield from _look_up(call, auth, asked, name, first=at == 1, last=at == len(names))
        status = status if outcome is Status.OK else outcome
    yield from auth.close()
    return status


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """What the arguments mean."""

    names: tuple[bytes, ...]
    #: Whether the names are masks.
    masks: bool
    only: bytes | None
    template: bytes | None
    #: Whether only the userdb is asked, which knows no mail user.
    bare: bool
    #: Whether the process dies of being asked so.
    crashes: bool
    #: Why the arguments do not go together.
    problem: bytes | None


@lru_cache(maxsize=256)
def _asked(invocation: Invocation) -> _Asked:
    for argument in invocation.texts("auth-info"):
        _check_auth_info(argument)
    names = invocation.texts("user-mask")
    return _Asked(
        names,
        any(masks.has_wildcard(name, _WILDCARDS) for name in names),
        invocation.text("field"),
        invocation.text("expand-field"),
        invocation.flag("userdb-only"),
        invocation.flag("userdb-only") and not _names_service(invocation),
        _problem(invocation),
    )


def _look_up(
    call: Call, auth: AuthConversation, asked: _Asked, name: bytes, *, first: bool, last: bool
) -> Output:
    """Print one user's entry."""
    release, lead = call.release, user_entry.head(call.release, name, first=first)
    if auth.tells or not auth.connected:
        yield from _reach(call, auth, asked, name, lead)
        lead = ()
        if not auth.connected:
            told = _failure(call, auth, asked)
            yield from user_entry.body(release, (told,), lead, last=last)
            return Status.TEMPFAIL
    found = call.lookup(name)
    if call.invocation.debug:
        yield from user_entry.texts(release, lead)
        lead = ()
        yield from _answer(call, auth, asked, name, found)
    if found is None:
        shown = "" if asked.bare else f" {name.decode(errors='replace')}"
        error = user_entry.error(f"userdb lookup: user{shown} doesn't exist")
        yield from user_entry.body(release, error, lead, last=last)
        return Status.NOUSER
    if asked.bare:
        account = Account.of(found)
        yield from user_entry.body(
            release, user_entry.bare(release, account, asked.only), lead, last=last
        )
        return Status.OK
    if release.user_marks_log:
        yield Speaker(Scope.PROCESS)
    if asked.template is not None:
        try:
            fields = _expanded(call, asked.template, found)
        except variables.ExpansionCrash as crash:
            yield from user_entry.texts(release, lead)
            if crash.panics:
                yield texts.backtrace(Scope.COMMAND)
            raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True) from None
        yield from user_entry.body(release, fields, lead, last=last)
    else:
        account = Account.of(found)
        yield from user_entry.found(release, account, name, asked.only, lead, last)
    return Status.OK


def _scope(asked: _Asked) -> Scope:
    return Scope.LIBRARY if asked.bare else Scope.USERDB


def _failure(call: Call, auth: AuthConversation, asked: _Asked) -> bytes:
    """Return what an entry says when nobody answers."""
    if asked.bare:
        return b'"error":"userdb lookup failed"'
    why = auth.failure if auth.met and auth.failure else _NO_ANSWER
    return b'"error":"userdb lookup: %b"' % why if call.release.user_tells_failure else b""


def _reach(
    call: Call, auth: AuthConversation, asked: _Asked, name: bytes, lead: user_entry.Pieces
) -> Iterator[Text | Log]:
    """Connect, and tell of the request that will be sent."""
    scope, request = _scope(asked), b"userdb lookup(%b)" % name
    # What stands before the first name is still in the buffer by then.
    yield from user_entry.texts(call.release, lead)
    yield from auth.tell(request + b": Started userdb lookup", scope, name)
    yield from auth.reach(request, scope, name)
    if not auth.connected:
        yield from auth.tell(request + b": Userdb lookup failed", scope, name)


def _answer(
    call: Call, auth: AuthConversation, asked: _Asked, name: bytes, found: User | None
) -> Iterator[Log]:
    """Tell what the auth service answers about a user."""
    scope, request = _scope(asked), b"userdb lookup(%b)" % name
    words = [b""]
    if found is not None:
        fields = shown_fields(auth_fields(Account.of(found), call.release))
        words = [found.name.encode(), *fields]
    shown = b" ".join(words)
    if not call.release.debugs_auth:
        yield Log(b"auth USER input: " + shown, Level.DEBUG, scope, name)
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
    if sockets.unprivileged(call):
        text = b"auth-master: userdb list: User listing returned failure"
        yield Log(text, scope=Scope.LIBRARY)
        status = yield from _no_list(call, auth, opening)
        yield from auth.close()
        return status
    for name in call.store.names():
        encoded = name.encode()
        if call.release.auth_lists_matches and not masks.user_matches(asked, encoded):
            continue
        yield from auth.hear(encoded)
        yield from auth.tell(b"userdb list: Returned username: " + encoded)
        if any(masks.user_matches(mask, encoded) for mask in wanted):
            yield from user_entry.texts(call.release, (opening, user_entry.json(name)))
            opening = b","
    yield from auth.hear(b"")
    yield from auth.tell(b"userdb list: Finished listing users")
    yield Text(b"]}" if opening != bracket else b":[]}")
    yield from auth.close()
    return Status.OK


def _list_nowhere(auth: AuthConversation) -> Output:
    """Print names where the client does not see them, as releases did that had no masks here."""
    yield from auth.reach(b"userdb list")
    if not auth.connected:
        raise Fatal(b"user listing failed", Scope.COMMAND)
    return Status.OK


def _no_list(call: Call, auth: AuthConversation, opening: bytes) -> Output:
    dies = call.release.names_auth and not call.release.user_tells_failure
    if not auth.met and dies:
        raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True)
    if auth.failure:
        yield Log(
            b"auth-master: userdb list: User listing failed: %b" % auth.failure, scope=Scope.LIBRARY
        )
    yield from auth.tell(b"userdb list: Listing users failed")
    yield Log(b"user listing failed", scope=Scope.COMMAND)
    yield Text(opening + b"]}")
    return Status.DATAERR


def _expanded(call: Call, template: bytes, user: User) -> user_entry.Pieces:
    """Return the entry of `template` with its variables filled in, as the release has them."""
    shown = template.decode(errors="replace")
    release, clock = call.release, call.store.clock
    fields = userdb_fields(Account.of(user), release)
    around = variables.Surroundings(
        *(call.hostname, release.number, clock.now(), call.store.random),
        environment(release, call.base_dir, call.directory, call.hostname),
    )
    try:
        if release.percent_variables:
            text = variables.expand_percent(template, user, fields, around).decode(errors="replace")
        else:
            text = variables.expand_braces(shown, user, fields, around)
    except variables.ExpansionCrash:
        raise
    except variables.UnknownVariable as problem:
        return user_entry.error(f"Failed to expand field: {problem}")
    return (b"%b:%b" % (user_entry.json(shown), user_entry.json(text)),)


def _problem(invocation: Invocation) -> bytes | None:
    """Return why the arguments do not go together."""
    if not invocation.texts("user-mask"):
        return b"No user(s) specified"
    if invocation.flag("expand-field"):
        for option_name, letter in (("userdb-only", b"u"), ("field", b"f")):
            if invocation.flag(option_name):
                return b"-e can't be used with -%b" % letter
    return None


def _names_service(invocation: Invocation) -> bool:
    """Whether a service is named: `-u` looks it up, and dies where there is none."""
    return any(argument.startswith(b"service=") for argument in invocation.texts("auth-info"))


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
