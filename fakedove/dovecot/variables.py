"""Variables in texts, `%u` or `%{user}`, as far as `user -e` can show them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

from fakedove.dovecot.user import User

#: `%u`, `%2.5Ln`, `%{user}`, `%%`, a brace that is never closed, and a `%` at the end.
_PERCENT = re.compile(r"%(-?\d+(?:\.\d+)?)?([ULMRT]*)(\{[^}]*\}|.|\Z)", re.DOTALL)
_BRACES = re.compile(r"%\{([^}]*)\}")
_OPEN_BRACE = re.compile(r"%\{[^}]*\Z")
_NOT_CLOSED = "syntax error, unexpected end of file, expecting CCBRACE or PIPE or NAME"
#: The process id that all of the fake's processes have.
_PID = "4242"
_MODIFIERS: Mapping[str, Callable[[str], str]] = {
    "U": str.upper,
    "L": str.lower,
    "M": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
}
_FILTERS: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "username": lambda text: text.partition("@")[0],
    "domain": lambda text: text.partition("@")[2],
}


class UnknownVariable(Exception):
    """A text that cannot be expanded, with the reason in Dovecot's words."""


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

    `fields` are those of the userdb.
    """
    if _OPEN_BRACE.search(template):
        raise UnknownVariable(_NOT_CLOSED)

    def fill(match: re.Match[str]) -> str:
        name, *filters = (part.strip() for part in match[1].split("|"))
        value = _brace_value(name, user, fields)
        for one in filters:
            if one not in _FILTERS:
                raise UnknownVariable(f"No such function '{one}'")
            value = _FILTERS[one](value)
        return value

    return _BRACES.sub(fill, template)


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


def _brace_value(name: str, user: User, fields: Mapping[str, str]) -> str:
    prefix, colon, key = name.partition(":")
    if colon and prefix == "userdb":
        return fields.get(key, "")
    if colon:
        raise UnknownVariable(f"Unsupported prefix '{prefix}'")
    if name in ("username", "domain"):
        raise UnknownVariable(f"{name}: No value to get {name} from")
    values = {"user": user.name, "home": user.home, "service": "doveadm", "": ""}
    if name not in values:
        raise UnknownVariable(f"Unknown variable '{name}'")
    return values[name]


def _cut(value: str, cut: str) -> str:
    """Return the part of `value` that `offset.width` or `width` names; width 0 is no limit."""
    first, dot, second = cut.partition(".")
    offset, width = (int(first), int(second)) if dot else (0, abs(int(first)))
    return value[offset:][: width or None]
