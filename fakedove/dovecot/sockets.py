"""The sockets of the other processes, which a command must be able to connect to.

They lie in base_dir. In some releases a process that has opened a user's mail has that
user's rights from then on and cannot reach them any more; and an option may name any path.
"""

from __future__ import annotations

import posixpath
from functools import lru_cache

from fakedove.dovecot.files import Files, reason
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Fatal, Scope

#: What the system says to a process without the rights.
PERMISSION_DENIED = b"Permission denied"
_NO_SUCH_FILE = b"No such file or directory"
#: What is no socket, an empty path included.
_NOBODY_LISTENS = b"Connection refused"


def unprivileged(call: Call) -> bool:
    """Whether the process has no more than the rights of a user it was busy with."""
    return call.release.drops_privileges and call.opened is not None


def path(call: Call, name: str) -> bytes:
    """Return the path of the socket `name` in base_dir, or what the command's option says."""
    given = call.invocation.text("socket-path")
    return own_path(call, name) if given is None else given


def own_path(call: Call, name: str) -> bytes:
    """Return the path of `name` in base_dir."""
    return _joined(call.base_dir, name)


def leads_to(call: Call, name: str) -> str:
    """Return the name in base_dir, where the process is, of what the option's path leads to.

    Paths that lead elsewhere are returned as they are.
    """
    option = call.invocation.text("socket-path")
    if option is None:
        return name
    given = option.decode(errors="surrogateescape")
    return _below(call.base_dir, given) or given


def obstacle(call: Call, name: str, *, exists: bool = True) -> bytes | None:
    """Return why the process cannot connect to the socket, in the system's words."""
    place = leads_to(call, name)
    if exists and place == name:
        return PERMISSION_DENIED if unprivileged(call) else None
    return _elsewhere(call, place)


def _elsewhere(call: Call, path: str) -> bytes:
    try:
        is_there = not path or Files(call).exists(path)
    except OSError as error:
        return reason(error)
    return _NOBODY_LISTENS if is_there else _NO_SUCH_FILE


def connect(call: Call, name: str, *, exists: bool = True) -> None:
    """Raise Fatal where the real process dies of not being able to connect.

    `exists`: a single server has this socket.
    """
    given = path(call, name)
    if b"/" not in given:
        text = b"Lookup of host %b failed: Name or service not known" % given
        raise Fatal(text, Scope.COMMAND)
    why = obstacle(call, name, exists=exists)
    if why is not None:
        raise Fatal(b"net_connect_unix(%b) failed: %b" % (given, why), Scope.COMMAND)


@lru_cache(maxsize=256)
def _joined(base_dir: str, name: str) -> bytes:
    return posixpath.join(base_dir, name).encode(errors="surrogateescape")


@lru_cache(maxsize=256)
def _below(base_dir: str, path: str) -> str | None:
    """Return the name of what `path` leads to in base_dir, None for what lies elsewhere."""
    folder, last = posixpath.split(posixpath.normpath(posixpath.join(base_dir, path)))
    return last if path and folder == posixpath.normpath(base_dir) else None
