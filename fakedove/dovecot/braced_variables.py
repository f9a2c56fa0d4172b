"""What `%{user | upper}` becomes: variables and functions as Dovecot 2.4 has them.

Measured on 2.4.1. A value that is binary is shown as hex digits in the end.
"""

from __future__ import annotations

from collections.abc import Mapping

from fakedove.dovecot.braced_functions import FUNCTIONS
from fakedove.dovecot.braced_state import ExpansionCrash, Lookup, State
from fakedove.dovecot.braced_syntax import Pipeline, UnknownVariable, parse
from fakedove.dovecot.user import User
from fakedove.wire.tabescape import c_string


def expand(template: str, lookup: Lookup) -> str:
    """Fill in `template`; raises UnknownVariable. So does `lookup`, which gives variables."""
    parts = parse(template)
    return "".join(one if isinstance(one, str) else _run(one, lookup) for one in parts)


def _run(pipeline: Pipeline, lookup: Lookup) -> str:
    state = State(lookup)
    for at, step in enumerate(pipeline):
        function = FUNCTIONS.get(step.name)
        if function is None and at:
            raise UnknownVariable(f"No such function '{step.name}'")
        before = state.problem
        try:
            if function is None:
                state.value = lookup(step.name)
            else:
                function(state, step)
                state.problem = None
        except ExpansionCrash:
            raise
        except UnknownVariable as problem:
            if before is not None:
                raise UnknownVariable(before) from None
            prefix = "" if function is None else f"{step.name}: "
            state.value, state.problem = None, f"{prefix}{problem}"
    if state.problem is not None:
        raise UnknownVariable(state.problem)
    value = state.value or b""
    return value.hex() if state.binary else c_string(value).decode(errors="replace")


def lookup_of(user: User, fields: Mapping[str, str]) -> Lookup:
    """Return what gives the variables of `user`; `fields` are those of the userdb."""
    values = {
        **dict.fromkeys(("user", "auth_user", "owner_user", "event:user"), user.name),
        **dict.fromkeys(("service", "protocol", "event:service"), "doveadm"),
        **dict.fromkeys(("local_ip", "remote_ip", "local_port", "remote_port"), ""),
        **dict.fromkeys(("local_name", "master_user"), ""),
        "home": user.home,
        "process:pid": "4242",
        "process:uid": "0",
        "process:gid": "0",
        "dovecot:name": "Dovecot",
        "dovecot:support-url": "https://www.dovecot.org/",
        "dovecot:support-email": "dovecot@dovecot.org",
        "system:os": "Linux",
    }

    def find(name: str) -> bytes:
        prefix, colon, key = name.partition(":")
        if name in values:
            return values[name].encode("utf-8", "surrogateescape")
        if not colon:
            raise UnknownVariable(f"Unknown variable '{name}'")
        if prefix == "env" and key:
            return b""
        if prefix == "userdb":
            key = key.partition(":")[0]
            return fields.get(key, "").encode("utf-8", "surrogateescape")
        raise UnknownVariable(
            _PREFIXES.get(prefix, "Unsupported prefix '{prefix}'").format(prefix=prefix, key=key)
        )

    return find


#: What is said of a name behind each prefix that has none such.
_PREFIXES = {
    "env": "env: Missing field",
    "event": "event: No such field '{key}' in event",
    **{name: f"{name}: Unsupported field '{{key}}'" for name in ("system", "process", "dovecot")},
    **{name: f"{name}: Unsupported key '{{key}}'" for name in ("generate", "date", "time")},
}
