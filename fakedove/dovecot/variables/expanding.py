"""Variables in texts, `%u` or `%{user}`, as far as `user -e` can show them."""

from __future__ import annotations

from collections.abc import Mapping

from fakedove.dovecot.user import User
from fakedove.dovecot.variables import braces
from fakedove.dovecot.variables.braced_providers import Surroundings, lookup_of
from fakedove.dovecot.variables.braced_state import ExpansionCrash
from fakedove.dovecot.variables.braced_syntax import UnknownVariable
from fakedove.dovecot.variables.percent import PercentVariables

__all__ = ("ExpansionCrash", "Surroundings", "UnknownVariable", "expand_braces", "expand_percent")

#: The process id that all of the fake's processes have.
_PID = "4242"
#: The letters that stand for variables before 2.4.
_LETTERS = {
    **{"u": "user", "n": "username", "d": "domain", "s": "service", "h": "home"},
    **{"l": "lip", "r": "rip", "p": "pid", "i": "uid"},
}


def expand_percent(
    template: bytes, user: User, fields: Mapping[str, str], around: Surroundings
) -> bytes:
    """Return `template` with `%u` and `%{user}` filled in; raises UnknownVariable.

    `fields` are those of the userdb. Where the real process dies it raises ExpansionCrash.
    """
    values = _values(user, around)
    short = {letter: values[name] for letter, name in _LETTERS.items()}
    named = PercentVariables(
        _encoded(short), _encoded(values), _encoded(fields), _encoded(around.environment)
    )
    return named.expand(template)


def expand_braces(
    template: str, user: User, fields: Mapping[str, str], around: Surroundings
) -> str:
    """Return `template` with `%{user | upper}` filled in; raises UnknownVariable.

    `fields` are those of the userdb. Where the real process dies it raises ExpansionCrash, which
    is an UnknownVariable too.
    """
    return braces.expand(template, lookup_of(user, fields, around), around.random)


def _values(user: User, around: Surroundings) -> dict[str, str]:
    name, _, domain = user.name.partition("@")
    return {
        **dict.fromkeys(("user", "auth_user"), user.name),
        **dict.fromkeys(("username", "auth_username"), name),
        **dict.fromkeys(("domain", "auth_domain"), domain),
        **dict.fromkeys(("lip", "local_ip", "rip", "remote_ip"), ""),
        "service": "doveadm",
        "session": around.session(),
        "hostname": around.hostname,
        "home": user.home,
        "pid": _PID,
        "uid": str(user.uid),
        "gid": str(user.gid),
    }


def _encoded(values: Mapping[str, str]) -> dict[bytes, bytes]:
    return {
        key.encode(errors="surrogateescape"): value.encode(errors="surrogateescape")
        for key, value in values.items()
    }
