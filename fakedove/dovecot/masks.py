"""Wildcards of users, mailboxes and addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

#: In a mailbox mask: any text, and any text up to a `/`.
MAILBOX_WILDCARDS = b"*%"


def has_wildcard(mask: bytes, wildcards: bytes) -> bool:
    """Whether any of the `wildcards` characters stands in `mask`."""
    return len(mask.translate(None, wildcards)) < len(mask)


def user_matches(mask: bytes, name: bytes) -> bool:
    """Whether a user name matches a mask: `*` any text, `?` one character, case ignored."""
    if mask == b"*":
        return True
    return _matcher(mask.lower().decode("latin-1"), "*?")(name.lower().decode("latin-1"))


def text_matches(mask: bytes, text: bytes) -> bool:
    """Whether a text matches a mask: `*` any text, `?` one byte, case counts."""
    return _matcher(mask.decode("latin-1"), "*?")(text.decode("latin-1"))


def mailbox_matches(mask: str, name: str) -> bool:
    """Whether a mailbox name matches an IMAP list pattern: `*` any text, `%` up to a `/`.

    INBOX is the same in any case, also above other names.
    """
    if mask == "*":
        return True
    if name == "INBOX" or name.startswith("INBOX/"):
        return any(_matcher(one, "*%")(name) for one in _inbox_spellings(mask))
    return _matcher(mask, "*%")(name)


@lru_cache(maxsize=256)
def mailbox_test(masks: tuple[str, ...]) -> Callable[[str], bool]:
    """Return the test whether one of several masks means a mailbox name.

    Those without wildcards are names as they are, INBOX too.
    """
    if "*" in masks:
        return lambda _: True
    patterns = [mask for mask in masks if has_wildcard(mask.encode(), MAILBOX_WILDCARDS)]
    names = frozenset(masks) - frozenset(patterns)
    return lambda name: name in names or any(mailbox_matches(mask, name) for mask in patterns)


def address_matches(network: str, address: str) -> bool:
    """Whether an IP address lies in `network`, an address or a CIDR block."""
    block = _network(network)
    try:
        return block is not None and ipaddress.ip_address(address) in block
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Whether `text` is an IP address or a CIDR block."""
    return _network(text) is not None


def is_address(text: str) -> bool:
    """Whether `text` is an IP address."""
    return "/" not in text and _network(text) is not None


@lru_cache(maxsize=256)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the block, where IPv4 addresses may lack numbers in the middle (`10.1`)."""
    address, slash, bits = text.partition("/")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    numbers = address.split(".")
    if len(numbers) < 4 and all(one.isdecimal() and one.isascii() for one in numbers):
        *leading, last = (int(one) for one in numbers)
        if last >= 256 ** (4 - len(leading)) or any(one > 255 for one in leading):
            return None
        value = sum(one << (24 - 8 * at) for at, one in enumerate(leading)) + last
        address = str(ipaddress.IPv4Address(value))
    if slash and not (bits.isdecimal() and bits.isascii()):
        return None
    try:
        return ipaddress.ip_network(f"{address}{slash}{bits}", strict=False)
    except ValueError:
        return None


_CAPITALS = str.maketrans("inbox", "INBOX")


@lru_cache(maxsize=256)
def _inbox_spellings(mask: str) -> tuple[str, ...]:
    """Return `mask` with more and more of what may stand for INBOX in capitals."""
    plain = [place for place, character in enumerate(mask, 1) if character not in "*%"]
    ends = (0, *plain[: len("INBOX")])
    return tuple(dict.fromkeys(mask[:end].translate(_CAPITALS) + mask[end:] for end in ends))


@lru_cache(maxsize=256)
def _matcher(mask: str, wildcards: str) -> Callable[[str], bool]:
    """Return the test whether a text matches `mask`."""
    if sum(mask.count(one) for one in wildcards) > _MOST_BACKTRACKING:
        return lambda text: _matches(mask, text, wildcards)
    parts = [_PATTERNS[one] if one in wildcards else re.escape(one) for one in mask]
    pattern = re.compile("".join(parts), re.DOTALL)
    return lambda text: pattern.fullmatch(text) is not None


#: With more wildcards a regular expression can take longer than anyone waits.
_MOST_BACKTRACKING = 2
_PATTERNS = {"*": ".*", "%": "[^/]*", "?": "."}


def _matches(mask: str, text: str, wildcards: str) -> bool:
    """Match by following all ways at once: steps as many as mask times text, at most."""
    places = _reached(mask, {0}, wildcards)
    for character in text:
        after = set()
        for place in places:
            expected = mask[place] if place < len(mask) else ""
            if expected not in wildcards or not expected:
                if expected == character:
                    after.add(place + 1)
            elif expected == "?":
                after.add(place + 1)
            elif expected == "*" or character != "/":
                after.add(place)
        places = _reached(mask, after, wildcards)
    return len(mask) in places


def _reached(mask: str, places: set[int], wildcards: str) -> set[int]:
    """Return `places` and those behind wildcards there, which may stand for nothing."""
    reached = set(places)
    for place in places:
        while place < len(mask) and mask[place] in wildcards and mask[place] != "?":
            place += 1
            reached.add(place)
    return reached
