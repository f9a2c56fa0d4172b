"""Mailbox names as arguments: UTF-8 on the wire, modified UTF-7 on request."""

from __future__ import annotations

import base64
import re

from fakedove.dovecot.reply import Fatal

#: What modified UTF-7 cannot write as it is.
_FOREIGN = re.compile(r"([^ -~]+)")


def mailbox_name(argument: bytes) -> str:
    """Return the name; raise Fatal if it is not UTF-8, as the real process dies of it."""
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise Fatal(b"Mailbox name not valid UTF-8: %b" % argument) from None


def to_mutf7(name: str) -> bytes:
    """Return `name` in IMAP's modified UTF-7 (RFC 3501 section 5.1.3)."""
    return b"".join(map(_in_mutf7, _FOREIGN.split(name)))


def _in_mutf7(piece: str) -> bytes:
    if _FOREIGN.fullmatch(piece) is None:
        return piece.replace("&", "&-").encode()
    bits = base64.b64encode(piece.encode("utf-16-be")).rstrip(b"=")
    return b"&%b-" % bits.replace(b"/", b",")
