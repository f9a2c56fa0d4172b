"""Mailbox names as arguments: UTF-8 on the wire, modified UTF-7 on request."""

from __future__ import annotations

import base64
import re

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Scope
from fakedove.errors import StoreError

#: Longest mailbox name and longest part of it between separators, in bytes.
_LONGEST_NAME, _LONGEST_LEVEL = 4096, 255

#: What no part of a name may be: a mailbox's own directory is called so.
_RESERVED = "dbox-Mails"

#: Longest name in the prefix of a log line, in bytes.
_LONGEST_LOGGED = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: What modified UTF-7 cannot write as it is.
_FOREIGN = re.compile(r"([^ -~]+)")


def mailbox_name(argument: bytes) -> str:
    """Return the name; raise Fatal if it is not UTF-8, as the real process dies of it."""
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise Fatal(b"Mailbox name not valid UTF-8: %b" % argument) from None


def is_utf8(argument: bytes) -> bool:
    """Whether `argument` is UTF-8, as the mail library wants mailbox names to be."""
    try:
        argument.decode()
    except UnicodeDecodeError:
        return False
    return True


def utf8_or_crash(argument: bytes) -> str:
    """Return the mailbox name; raise Fatal if it is not UTF-8, as the mail library crashes."""
    try:
        return argument.decode()
    except UnicodeDecodeError:
        text = b"assertion failed: (uni_utf8_str_is_valid(vname))"
        raise Fatal(text, Scope.MAIL, crash=True) from None


def canonical_name(name: str) -> str:
    """Return `name` as Dovecot calls it: INBOX, also above others, is so in any case."""
    first, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if first.lower() == "inbox" else name


def logged_name(name: str) -> str:
    """Return the mailbox's name as it prefixes log lines: cut, and without control characters."""
    shown = _CONTROL.sub("?", name).encode()
    if len(shown) > _LONGEST_LOGGED:
        return shown[: _LONGEST_LOGGED - 3].decode(errors="ignore") + "..."
    return shown.decode()


def existing_name_problem(name: str) -> str | None:
    """Return why no mailbox is called `name`, or None."""
    invalid = "Invalid mailbox name: "
    if not name:
        return invalid + "Name is empty"
    if name.startswith("/"):
        return invalid + "Begins with hierarchy separator"
    if "//" in name:
        return invalid + "Has adjacent hierarchy separators"
    if name.endswith("/"):
        return invalid + "Ends with hierarchy separator"
    if name.startswith("~"):
        return invalid + "Begins with '~'"
    for part in name.split("/"):
        if part in (".", ".."):
            return invalid + f"Contains '{part}' part"
        if part == _RESERVED:
            return invalid + "Contains reserved name"
    return None


def new_name_problem(name: str, release: Release) -> str | None:
    """Return why no new mailbox can be called `name`, or None."""
    problem = existing_name_problem(name)
    if problem is not None:
        return problem
    for character in name:
        if character < " " or (character == "\x7f" and release.delete_is_control):
            return release.control_name_text.format(ord(character))
    too_long = any(len(level.encode()) > _LONGEST_LEVEL for level in name.split("/"))
    if too_long or len(name.encode()) > _LONGEST_NAME:
        return "Mailbox name too long"
    return None


def check_mailbox_name(name: str) -> None:
    """Raise StoreError if a store can have no mailbox `name`."""
    levels = name.split("/")
    if not all(levels):
        fault = "it has an empty level"
    elif any(char < " " for char in name):
        fault = "it has a control character"
    elif any(level in (".", "..") for level in levels):
        fault = "no level can be . or .."
    elif name.startswith("~"):
        fault = "it begins with ~"
    elif any(len(level.encode(errors="surrogateescape")) > _LONGEST_LEVEL for level in levels):
        fault = f"a level is longer than {_LONGEST_LEVEL} bytes"
    else:
        return
    shown = name if name.isprintable() else repr(name)[1:-1]
    raise StoreError(f'"{shown}" is no mailbox name: {fault}')


def is_mutf7(argument: bytes) -> bool:
    """Whether `argument` is modified UTF-7, written as it must be."""
    return from_mutf7(argument) is not None


def from_mutf7(argument: bytes) -> str | None:
    """Return the name, or None if `argument` is not modified UTF-7 as it must be written."""
    try:
        name = _from_mutf7(argument.decode("ascii"))
        return name if to_mutf7(name) == argument else None
    except ValueError:
        return None


def _from_mutf7(text: str) -> str:
    """Undo `to_mutf7`; what was badly written comes out as anything, or raises ValueError."""
    plain, *shifted = text.split("&")
    decoded = [plain]
    for piece in shifted:
        bits, dash, rest = piece.partition("-")
        padded = bits.replace(",", "/") + "=" * (-len(bits) % 4)
        name = base64.b64decode(padded, validate=True).decode("utf-16-be") if bits else "&"
        decoded.append(name + rest if dash else "&")
    return "".join(decoded)


def to_mutf7(name: str) -> bytes:
    """Return `name` in IMAP's modified UTF-7 (RFC 3501 section 5.1.3)."""
    return b"".join(map(_in_mutf7, _FOREIGN.split(name)))


def _in_mutf7(piece: str) -> bytes:
    if _FOREIGN.fullmatch(piece) is None:
        return piece.replace("&", "&-").encode()
    bits = base64.b64encode(piece.encode("utf-16-be")).rstrip(b"=")
    return b"&%b-" % bits.replace(b"/", b",")
