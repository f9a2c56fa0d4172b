"""`sis find` and `sis deduplicate`: attachments that are stored once.

No mail here has its attachments stored apart, so there is nothing to find or to join.
"""

from __future__ import annotations

import errno
import os

from fakedove.dovecot import texts
from fakedove.dovecot.files import Files
from fakedove.dovecot.registry import Call, Gap, Invocation, command, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Output, Scope
from fakedove.dovecot.status import Status

_GAPS = (Gap("no attachment is stored apart, so none is found"),)
#: Shorter beginnings of a hash are not looked for.
_SHORTEST_HASH = 4


def _check_hash(invocation: Invocation, release: Release) -> None:
    hash_ = invocation.text("hash") or b""
    if len(hash_) < _SHORTEST_HASH:
        raise texts.misused(release, invocation.command.usage_in(release), Scope.COMMAND)
    if b"/" in hash_:
        raise Fatal(b"Invalid hash in filename: %b" % hash_, Scope.COMMAND)


@command(
    "sis find",
    positional("root-dir"),
    positional("hash"),
    columns=("path",),
    usage="<root dir> <hash>",
    reads_options=True,
    gaps=_GAPS,
    check=_check_hash,
)
def sis_find(call: Call) -> Output:
    """Print the paths of attachments whose hash begins as given."""
    yield from ()
    root, hash_ = (call.invocation.text(name) or b"" for name in ("root-dir", "hash"))
    match _error(call, root):
        case errno.ENOENT:
            raise Fatal(b"Attachment dir doesn't exist: %b" % root, Scope.COMMAND)
        case errno.ENOTDIR:
            place = b"%b/%b/%b" % (root, hash_[:2], hash_[2:4])
            raise Fatal(_failed(b"opendir", place, errno.ENOTDIR), Scope.COMMAND)
        case _:
            return Status.OK


@command(
    "sis deduplicate",
    positional("root-dir"),
    positional("queue-dir"),
    usage="<root dir> <queue dir>",
    reads_options=True,
    gaps=_GAPS,
)
def sis_deduplicate(call: Call) -> Output:
    """Join attachments that a queue of files names."""
    yield from ()
    root, queue = (call.invocation.text(name) or b"" for name in ("root-dir", "queue-dir"))
    if _error(call, root) == errno.ENOENT:
        raise Fatal(_failed(b"stat", root, errno.ENOENT), Scope.COMMAND)
    problem = _error(call, queue)
    if problem:
        raise Fatal(_failed(b"opendir", queue, problem), Scope.COMMAND)
    return Status.OK


def _error(call: Call, path: bytes) -> int:
    """Return the system's error code for `path` as a directory, 0 if it is one."""
    if not path:
        return errno.ENOENT
    try:
        Files(call).read(path.decode(errors="surrogateescape"))
    except IsADirectoryError:
        return 0
    except OSError as error:
        return error.errno or errno.ENOENT
    return errno.ENOTDIR


def _failed(what: bytes, path: bytes, code: int) -> bytes:
    return b"%b(%b) failed: %b" % (what, path, os.strerror(code).encode())
