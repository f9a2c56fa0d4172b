"""Wildcards of users, mailboxes and addresses."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache


def has_wildcard(mask: bytes, wildcards: bytes) -> bool:
    """Whether any of the `wildcards` characters stands in `mask`."""
    return any(character in mask for character in wildcards)


def user_matches(mask: bytes, name: bytes) -> bool:
    """Whether a user name matches a mask: `*` any text, `?` one character, case ignored."""
    return _user_pattern(mask).fullmatch(name) is not None


def mailbox_matches(mask: str, name: str) -> bool:
    """Whether a mailbox name matches an IMAP list pattern: `*` any text, `%` up to a `/`.

    INBOX is the same in any case.
    """
    if name == "INBOX" and mask.isascii() and mask.upper() == "INBOX":
        return True
    return _mailbox_pattern(mask).fullmatch(name) is not None


def address_matches(network: str, address: str) -> bool:
    """Whether an IP address lies in `network`, an address or a CIDR block."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Whether `text` is an IP address or a CIDR block."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _user_pattern(mask: bytes) -> re.Pattern[bytes]:
    pattern = re.escape(mask).replace(rb"\*", b".*").replace(rb"\?", b".")
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=256)
def _mailbox_pattern(mask: str) -> re.Pattern[str]:
    pattern = re.escape(mask).replace(r"\*", ".*").replace("%", "[^/]*")
    return re.compile(pattern, re.DOTALL)
