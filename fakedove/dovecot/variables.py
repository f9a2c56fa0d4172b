"""Variables in texts, `%u` or `%{user}`, as far as `user -e` can show them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

from fakedove.dovecot import braced_variables
from fakedove.dovecot.braced_state import ExpansionCrash
from fakedove.dovecot.braced_syntax import UnknownVariable
from fakedove.dovecot.user import User

__all__ = ("ExpansionCrash", "UnknownVariable", "expand_braces", "expand_percent")

#: `%u`, `%2.5Ln`, `%{user}`, `%%`, a brace that is never closed, and a `%` at the end.
_PERCENT = re.compile(r"%(-?\d+(?:\.\d+)?)?([ULMRT]*)(\{[^}]*\}|.|\Z)", re.DOTALL)
#: The process id that all of the fake's processes have.
_PID = "4242"
_MODIFIERS: Mapping[str, Callable[[str], str]] = {
    "U": str.upper,
    "L": str.lower,
    "M": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
}


def expand_percent(template: str, user: User, fields: Mapping[str, str]) -> str:
    """Return `template` with `%u` and `%{user}` filled in; raises UnknownVariable.

    `fields` are those of the userdb.
    """
    values = _percent_values(user, fields)
    unknown: list[str] = []

    def fill(match: re.Match[str]) -> str:
        cut, modifiers, name = match.groups()
        if name in ("%", ""):
            return str(name)
        key = name[1:-1] if len(name) > 1 else name
        # A field that the userdb does not give is empty.
        value = values.get(key, "" if key.startswith("userdb:") else None)
        if value is None:
            unknown.append(key)
            return ""
        for modifier in modifiers:
            value = _MODIFIERS.get(modifier, str)(value)
        return _cut(value, cut) if cut else value

    text = _PERCENT.sub(fill, template)
    if unknown:
        # Of several the last one is told, and of `%{passdb:x}` the part before the colon.
        raise UnknownVariable(f"Unknown variable '%{unknown[-1].partition(':')[0]}'")
    return text


def expand_braces(template: str, user: User, fields: Mapping[str, str]) -> str:
    """Return `template` with `%{user | upper}` filled in; raises UnknownVariable.

    `fields` are those of the userdb. Where the real process dies it raises ExpansionCrash, which
    is an UnknownVariable too.
    """
    return braced_variables.expand(template, braced_variables.lookup_of(user, fields))


def _percent_values(user: User, fields: Mapping[str, str]) -> dict[str, str]:
    name, _, domain = user.name.partition("@")
    values = {
        **dict.fromkeys(("u", "user"), user.name),
        **dict.fromkeys(("n", "username"), name),
        **dict.fromkeys(("d", "domain"), domain),
        **dict.fromkeys(("s", "service"), "doveadm"),
        **dict.fromkeys(("h", "home"), user.home),
        **dict.fromkeys(("l", "lip", "r", "rip"), ""),
        **dict.fromkeys(("p", "pid"), _PID),
        **dict.fromkeys(("i", "uid"), str(user.uid)),
        "gid": str(user.gid),
    }
    return values | {f"userdb:{key}": value for key, value in fields.items()}


def _cut(value: str, cut: str) -> str:
    """Return the part of `value` that `offset.width` or `width` names; width 0 is no limit."""
    first, dot, second = cut.partition(".")
    offset, width = (int(first), int(second)) if dot else (0, abs(int(first)))
    return value[offset:][: width or None]
