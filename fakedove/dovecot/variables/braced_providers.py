"""The variables that `%{user}` and `%{system:os}` can name in 2.4; measured on 2.4.1."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random

import msgspec

from fakedove.dovecot.user import User
from fakedove.dovecot.variables.braced_state import Lookup
from fakedove.dovecot.variables.braced_syntax import UnknownVariable
from fakedove.dovecot.variables.revisions import REVISIONS

#: The process id that all of the fake's processes have.
_PID = "4242"
_CLOCK = {
    "date": {"year": "%Y", "month": "%m", "day": "%d"},
    "time": {
        "hour": "%H",
        **dict.fromkeys(("min", "minute"), "%M"),
        **dict.fromkeys(("sec", "second"), "%S"),
    },
}
_MICROSECONDS = ("us", "usec")


class Surroundings(msgspec.Struct, frozen=True):
    """What a template can tell beside the user: the server's name, number, time and chance."""

    hostname: str
    #: The release's number.
    version: str
    now: datetime
    random: Random
    #: The environment of the process.
    environment: Mapping[str, str] = {}

    def session(self) -> str:
        """Return a session id, as one is made for each look-up."""
        return b64encode(self.random.randbytes(16)).decode().rstrip("=")


def lookup_of(user: User, fields: Mapping[str, str], around: Surroundings) -> Lookup:
    """Return what gives the variables of `user`; `fields` are those of the userdb."""
    values = {
        **dict.fromkeys(("user", "auth_user", "owner_user", "event:user"), user.name),
        **dict.fromkeys(("service", "protocol", "event:service"), "doveadm"),
        **dict.fromkeys(("local_ip", "remote_ip", "local_port", "remote_port"), ""),
        **dict.fromkeys(("local_name", "master_user"), ""),
        **dict.fromkeys(("home", "owner_home"), user.home),
        **dict.fromkeys(("hostname", "system:hostname"), around.hostname),
        "process:pid": _PID,
        "process:uid": "0",
        "process:gid": "0",
        "dovecot:name": "Dovecot",
        "dovecot:version": around.version,
        "dovecot:revision": REVISIONS.get(around.version, ""),
        "dovecot:support-url": "https://www.dovecot.org/",
        "dovecot:support-email": "dovecot@dovecot.org",
        "system:os": "Linux",
        "system:os-version": "6.1.0",
        "system:cpu_count": "1",
    }

    def find(name: str) -> bytes:
        prefix, colon, key = name.partition(":")
        if name in ("session", "event:session"):
            return around.session().encode()
        if name in values:
            return values[name].encode("utf-8", "surrogateescape")
        if not colon:
            raise UnknownVariable(f"Unknown variable '{name}'")
        if prefix == "userdb":
            key = key.partition(":")[0]
            return fields.get(key, "").encode("utf-8", "surrogateescape")
        return _provided(prefix, key, around).encode()

    return find


def _provided(prefix: str, key: str, around: Surroundings) -> str:
    match prefix:
        case "env" if key:
            return around.environment.get(key, "")
        case "env":
            raise UnknownVariable("env: Missing field")
        case "event":
            raise UnknownVariable(f"event: No such field '{key}' in event")
        case "system" | "process" | "dovecot":
            raise UnknownVariable(f"{prefix}: Unsupported field '{key}'")
        case "date" | "time":
            return _moment(prefix, key, around.now)
        case "generate":
            return _generated(key, around)
    raise UnknownVariable(f"Unsupported prefix '{prefix}'")


def _moment(prefix: str, key: str, now: datetime) -> str:
    if prefix == "time" and key in _MICROSECONDS:
        return str(now.microsecond)
    if key not in _CLOCK[prefix]:
        raise UnknownVariable(f"{prefix}: Unsupported key '{key}'")
    return now.strftime(_CLOCK[prefix][key])


#: UUIDs of version 4 are written so.
_UUIDS: Mapping[str, Callable[[str], str]] = {
    "": lambda uuid: uuid,
    ":record": lambda uuid: uuid,
    ":compact": lambda uuid: uuid.replace("-", ""),
    ":microsoft": lambda uuid: f"{{{uuid}}}",
}


def _generated(key: str, around: Surroundings) -> str:
    number = around.random.getrandbits(128)
    if key == "guid":
        return f"{number >> 64:016x}.{int(_PID):x}.{around.hostname}"
    if key == "guid128":
        return f"{number:032x}"
    form = key.removeprefix("uuid")
    if form == key or form not in _UUIDS:
        raise UnknownVariable(f"generate: Unsupported key '{form}'")
    digits = f"{number:032x}"
    variant = "89ab"[number & 3]
    parts = digits[:8], digits[8:12], "4" + digits[13:16], variant + digits[17:20], digits[20:]
    return _UUIDS[form]("-".join(parts))
