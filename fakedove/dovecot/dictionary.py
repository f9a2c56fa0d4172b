"""Dovecot's dictionaries: which there are, and what speaks against reading or changing them.

The store's is the file `dict` in the server's directory, and stands behind the settings filter
that a usual configuration has for it. URIs may name other files; what other drivers would
reach is not there, but those that keep keys in files are taken for the store's. All files
are root's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec

from fakedove.dovecot import sockets
from fakedove.dovecot.files import Files, reason
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.status import Status
from fakedove.wire import tabescape

_DRIVERS = frozenset({b"file", b"fs", b"proxy", b"redis", b"memcached", b"memcached_ascii"})
#: How long an answer of the dict service took.
_TIMES = b"(reply took 0.000 secs (0.000 in dict wait, 0.000 in other ioloops, 0.000 in locks))"
_TIME = b"(reply took 0.000 secs)"
_DICT_FILE = "dict"
_FILTER = b"acl_sharing_map"
#: What another filter with a dictionary says: it is the dictionary of a user.
_OTHER_FILTERS = {
    b"mail_attribute": (
        b"dict file: dict_file settings: Failed to parse configuration: "
        b"Failed to expand dict_file_path setting variables: Unknown variable 'home'"
    )
}
_PRIVATE, _SHARED = b"priv/", b"shared/"


_NOT_COMMITTED = b"dict_transaction_commit() failed"


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Why a command does nothing."""

    status: Status
    text: bytes
    #: What the library says of it before.
    below: bytes | None = None


def refusal(invocation: Invocation, release: Release, key: bytes) -> Refusal | None:
    """Return what speaks against a key, or a prefix of keys, or against the dictionary."""
    if key.startswith(_PRIVATE):
        if not invocation.command.mail and not invocation.text("user"):
            return Refusal(Status.USAGE, b"-u must be specified for priv/ keys")
    elif not key.startswith(_SHARED):
        return Refusal(Status.USAGE, b"Key must begin with 'priv/' or 'shared/': %b" % key)
    problem = _unknown_filter(invocation) if release.filter_names else _unknown_driver(invocation)
    return None if problem is None else Refusal(Status.TEMPFAIL, problem)


def _unknown_filter(invocation: Invocation) -> bytes | None:
    name = invocation.text("filter-name") or b""
    if name == _FILTER:
        return None
    why = _OTHER_FILTERS.get(name, b"dict { .. } named list filter is missing")
    return b"dict_init() failed: %b" % why


def _unknown_driver(invocation: Invocation) -> bytes | None:
    uri = invocation.text("dict-uri") or b""
    driver, colon, _ = uri.partition(b":")
    if not colon:
        return b"dict_init(%b) failed: Dictionary URI is missing ':': %b" % (uri, uri)
    if driver not in _DRIVERS:
        return b"dict_init(%b) failed: Unknown dict module: %b" % (uri, driver)
    return None


def unreachable(call: Call) -> bytes | None:
    """Return why the dict service that a URI names does not answer."""
    driver, _, rest = (call.invocation.text("dict-uri") or b"").partition(b":")
    if driver != b"proxy":
        return None
    place = rest.partition(b":")[0]
    if not place:
        return b"Connection closed " + _TIMES
    path = posixpath.join(call.base_dir.encode(errors="surrogateescape"), place)
    return b"net_connect_unix(%b) failed: No such file or directory %b" % (path, _TIMES)


def uncommitted(call: Call) -> Refusal | None:
    """Return what is said of a change that the dict service does not hear of."""
    why = unreachable(call)
    if why is None:
        return None
    if call.release.dict_tells_why:
        return Refusal(Status.TEMPFAIL, _NOT_COMMITTED + b": " + why)
    heard = b"may have failed" if why.startswith(b"Connection closed") else b"failed"
    below = b"dict-client: Commit %b: %b" % (heard, why.replace(_TIMES, _TIME))
    return Refusal(Status.TEMPFAIL, _NOT_COMMITTED, below)


def entries(call: Call) -> Mapping[str, str]:
    """Return the keys and values; a file that cannot be read has none."""
    path = _other_file(call)
    if path is None:
        return call.store.dict
    try:
        lines = Files(call).read(path).split(b"\n") if path else []
    except OSError:
        return {}
    texts = [_text(tabescape.unescape(line)) for line in lines]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def change(call: Call, key: str, value: str | None) -> bytes | None:
    """Give a key a value, None to remove it; return why the file cannot be replaced."""
    changed = {**entries(call), key: value}
    path = _other_file(call)
    if path is None:
        call.store.dict.clear()
        call.store.dict.update({key: text for key, text in changed.items() if text is not None})
        return None
    pairs = [(key, text) for key, text in changed.items() if text is not None]
    data = b"".join(tabescape.escape(_bytes(text)) + b"\n" for pair in pairs for text in pair)
    try:
        Files(call).write(path, data)
    except OSError as error:
        return reason(error)
    return None


def _other_file(call: Call) -> str | None:
    """Return the path of the dictionary if that is a file but not the store's."""
    driver, _, rest = (call.invocation.text("dict-uri") or b"").partition(b":")
    if driver != b"file":
        return None
    # The process is in base_dir.
    path = posixpath.normpath(posixpath.join(call.base_dir, _text(rest))) if rest else ""
    return None if path == posixpath.join(call.directory, _DICT_FILE) else path


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def obstacle(call: Call) -> Refusal | None:
    """Return what speaks against a change: processes with a user's rights cannot make any."""
    text: bytes | None = None
    # The seconds are a 32-bit number.
    if (call.invocation.number("expire-secs") or 0) & 0xFFFFFFFF:
        text = b"Expiration not supported by dict driver"
    elif call.invocation.command.mail or sockets.unprivileged(call):
        uri = call.invocation.text("dict-uri")
        driver, _, rest = uri.partition(b":") if uri is not None else (b"file", b":", b"")
        path = call.directory.encode() + b"/dict" if uri is None else rest
        if driver == b"file":
            why = b"file_dotlock_open(%b) failed: Permission denied" % path
            if not call.release.dict_tells_why:
                return Refusal(Status.TEMPFAIL, _NOT_COMMITTED, b"file dict commit: " + why)
            text = b"dict-file: " + why
    if text is None:
        return None
    return Refusal(Status.TEMPFAIL, _NOT_COMMITTED + b": " + text)
