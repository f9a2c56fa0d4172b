"""Find out which of the protocol's servers this is, without expecting more than a verdict.

A server that keeps no protocol at all must still get as far as the checks, which say what is
wrong with it; so nothing here is strict, and only what cannot be told apart fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from fakedove.contract.connection import Failed
from fakedove.contract.server import (
    UNKNOWN_COMMAND,
    Facts,
    Server,
    Target,
    plain,
    version,
)

_VERSION = re.compile(rb"VERSION\tdoveadm-client\t1\t([0-9]+)\n")
_VERSION_LINE = re.compile(rb"VERSION\t[^\n]*\n")
#: How many users are tried for one with several mailboxes.
_USERS_TRIED = 20


def probe(server: Server, user: str | None) -> None:
    """Set the server's facts. Raises Failed if it says neither `+` nor `-`."""
    server.facts = _first_words(server)
    # What fails here fails in a check again, and is reported there.
    for look in (_see_starttls, _see_authentication, _see_commands):
        with suppress(Failed):
            look(server)
    if server.facts.login:
        found = user.encode() if user is not None else None
        with suppress(Failed):
            found = found or _find_user(server)
        server.facts = replace(server.facts, user=found)


def unknown(target: Target) -> Facts:
    """Return the facts before anything is known."""
    return Facts(
        minor=0,
        greets_first=False,
        preauthenticated=False,
        has_password=target.password is not None,
        tls_first=target.tls == "yes",
    )


def _first_words(server: Server) -> Facts:
    greeting = server.exchange(b"")
    answer = server.exchange(version(1))
    announced = _VERSION.search(answer)
    verdict = _VERSION_LINE.sub(b"", answer)[:1]
    if verdict not in (b"+", b"-"):
        hint = "" if server.facts.tls_first else ", or one that begins with TLS (--tls yes)"
        raise Failed(f"no + or - comes to a VERSION line: this is no doveadm-server{hint}")
    return replace(
        server.facts,
        minor=int(announced[1]) if announced else 0,
        greets_first=greeting != b"",
        preauthenticated=verdict == b"+",
    )


def _see_starttls(server: Server) -> None:
    facts = server.facts
    if facts.minor < 2 or facts.tls_first or facts.preauthenticated:
        return
    connection = server.hello(0)
    connection.send(b"STARTTLS\n")
    server.start_tls(connection)
    server.facts = replace(facts, starttls=True)


def _see_authentication(server: Server) -> None:
    facts = server.facts
    if facts.preauthenticated:
        server.facts = replace(facts, login=True)
    else:
        answer = server.exchange(version(0) + plain(b"nobody"))
        silent = facts.minor == 0 and len(answer) <= len(facts.opening(0))
        server.facts = replace(facts, silent=silent)
        if facts.has_password:
            server.facts = replace(server.facts, login=_logs_in(server))
    if facts.minor == 0:
        server.facts = replace(server.facts, strict=_is_strict(server))


def _logs_in(server: Server) -> bool:
    try:
        return server.ask(UNKNOWN_COMMAND) != b""
    except Failed:
        return False


def _is_strict(server: Server) -> bool:
    facts = server.facts
    if facts.silent:
        return False
    behind = UNKNOWN_COMMAND if facts.preauthenticated else b"x\n"
    return server.exchange(b"VERSION\tdoveadm-server\t1\n" + behind) == facts.greeting


def _see_commands(server: Server) -> None:
    facts = server.facts
    if not facts.login:
        return
    two = server.ask(UNKNOWN_COMMAND * 2)
    old = facts.minor == 0 and not facts.strict
    nouser = server.ask(server.unknown_user)
    if facts.minor == 0 and facts.strict and nouser == b"":
        server.facts = replace(facts, user_option=True)
        nouser = server.ask(server.unknown_user)
    server.facts = replace(
        server.facts,
        one_command=old and two == b"\n-\n",
        nouser=nouser if _may_be(nouser, facts, old) else facts.nouser,
    )


def _may_be(nouser: bytes, facts: Facts, old: bool) -> bool:
    """Tell whether some release of this minor answers so for an unknown user."""
    if nouser == b"\n-NOUSER\n\n-\n":
        return facts.minor <= 2
    return nouser == b"" and old


def _find_user(server: Server) -> bytes | None:
    """Return a user of several mailboxes, or else of one, whom the server itself names."""
    found = None
    for name in _users(server):
        server.facts = replace(server.facts, user=name)
        mailboxes = server.ask(server.list_mailboxes).count(b"\t")
        if mailboxes > 1:
            return name
        found = found or (name if mailboxes else None)
    return found


def _users(server: Server) -> Iterator[bytes]:
    answer, _, _ = server.ask(b"\t\tuser\t*\n").partition(b"\n")
    try:
        names = json.loads(answer)["userList"]
    except (ValueError, KeyError, TypeError):
        return
    for name in names[:_USERS_TRIED]:
        yield str(name).encode()
