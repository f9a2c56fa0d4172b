"""Dovecot's dictionaries: which there are, and what speaks against reading or changing them.

The fake has one, and it is behind every URI with a driver that Dovecot knows, and behind the
settings filter that a usual configuration has for it. It is a file of root's.
"""

from __future__ import annotations

import msgspec

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.status import Status

_DRIVERS = frozenset(
    {b"file", b"fs", b"proxy", b"redis", b"memcached", b"memcached_ascii", b"client"}
)
_FILTER = b"acl_sharing_map"
#: What another filter with a dictionary says: it is the dictionary of a user.
_OTHER_FILTERS = {
    b"mail_attribute": (
        b"dict file: dict_file settings: Failed to parse configuration: "
        b"Failed to expand dict_file_path setting variables: Unknown variable 'home'"
    )
}
_PRIVATE, _SHARED = b"priv/", b"shared/"


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Why a command does nothing."""

    status: Status
    text: bytes


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


def obstacle(call: Call) -> Refusal | None:
    """Return what speaks against a change: processes with a user's rights cannot make any."""
    text: bytes | None = None
    # The seconds are a 32-bit number.
    if (call.invocation.number("expire-secs") or 0) & 0xFFFFFFFF:
        text = b"Expiration not supported by dict driver"
    elif call.invocation.command.mail or sockets.unprivileged(call):
        uri = call.invocation.text("dict-uri")
        path = call.directory.encode() + b"/dict" if uri is None else uri.partition(b":")[2]
        text = b"dict-file: file_dotlock_open(%b) failed: Permission denied" % path
    if text is None:
        return None
    return Refusal(Status.TEMPFAIL, b"dict_transaction_commit() failed: " + text)
