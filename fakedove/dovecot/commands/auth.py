"""Commands that ask the auth service: `user`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fakedove.dovecot import masks
from fakedove.dovecot.registry import Call, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope, Text
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_WILDCARDS = b"*?"


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
)
def user(call: Call) -> Output:
    """Print users' userdb fields as JSON, or the names that masks match."""
    wanted = call.invocation.texts("user-mask")
    if not wanted:
        yield Log(b"No user(s) specified", scope=Scope.COMMAND)
        return Status.USAGE
    if call.invocation.flag("userdb-only"):
        raise Fatal(b"killed with signal 11", crash=True)
    if any(masks.has_wildcard(mask, _WILDCARDS) for mask in wanted):
        if call.release.user_masks:
            yield from map(Text, _user_list(call, wanted))
        return Status.OK
    status = Status.OK
    for at, name in enumerate(wanted):
        yield Text(b"," if at else b"{")
        found = call.store.lookup(name.decode(errors="surrogateescape"))
        if found is None:
            status = Status.NOUSER
        yield from map(Text, _entry(call, name, found))
    yield Text(b"}")
    return status


def userdb_fields(user: User, release: Release) -> dict[str, str]:
    """Return what a userdb lookup gives, in order."""
    fields = {"uid": str(user.uid), "gid": str(user.gid), "home": user.home}
    if release.userdb_settings:
        fields["mail_path"] = f"{user.home}/mdbox"
    else:
        fields["mail"] = "mdbox:~/mdbox:ALT=~/alt"
    return fields | dict(user.userdb)


def _user_list(call: Call, wanted: tuple[bytes, ...]) -> Iterator[bytes]:
    yield b'{"userList":['
    first = True
    for name in call.store.names():
        if any(masks.user_matches(mask, name.encode()) for mask in wanted):
            yield b"%b%b" % (b"" if first else b",", _json(name))
            first = False
    yield b"]}"


def _entry(call: Call, name: bytes, found: User | None) -> Iterator[bytes]:
    yield b"%b:{" % _json(name.decode(errors="replace"))
    if found is None:
        problem = f"userdb lookup: user {name.decode(errors='replace')} doesn't exist"
        yield b'"error":%b' % _json(problem)
    else:
        yield from _fields(call, name, found)
    yield b"}"


def _fields(call: Call, name: bytes, found: User) -> Iterator[bytes]:
    fields = userdb_fields(found, call.release)
    if name != found.name.encode():
        # The auth service found it by another name, in lower case.
        fields = {"user": found.name} | fields
    template = call.invocation.text("expand-field")
    if template is not None:
        text = template.decode(errors="replace")
        yield b"%b:%b" % (_json(text), _json(_expanded(text, found, call.release)))
        return
    only = call.invocation.text("field")
    separator = b""
    for key, value in fields.items():
        if only is None or key.encode() == only:
            yield b"%b%b:%b" % (separator, _json(key), _json(value))
            separator = b","
        elif call.release.user_json_commas:
            yield b","


def _expanded(template: str, user: User, release: Release) -> str:
    """Return `template` with its variables filled in, as the release writes them."""
    name, _, domain = user.name.partition("@")
    if release.percent_variables:
        values = {"%u": user.name, "%n": name, "%d": domain, "%h": user.home}
    else:
        values = {"%{user}": user.name, "%{home}": user.home}
    for variable, value in values.items():
        template = template.replace(variable, value)
    return template


def _json(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()
