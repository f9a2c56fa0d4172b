from __future__ import annotations

import re
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.masks import (
    address_matches,
    has_wildcard,
    is_network,
    mailbox_matches,
    user_matches,
)


@pytest.mark.parametrize(
    ("mask", "name", "matches"),
    [
        (b"tss", b"tss", True),
        (b"TSS", b"tss", True),
        (b"t?s", b"tss", True),
        (b"t?s", b"ts", False),
        (b"*", b"", True),
        (b"*@example.com", b"joe@example.com", True),
        (b"*@example.com", b"joe@example.org", False),
        (b"t*", b"a\ntss", False),
        (b"a*", b"a\nb", True),
        (b"a.c", b"abc", False),
        (b"[a]", b"a", False),
        (b"a\\*", b"a\\b", True),
        (b"", b"", True),
        (b"", b"a", False),
    ],
)
def test_users(mask: bytes, name: bytes, matches: bool) -> None:
    assert user_matches(mask, name) is matches


@pytest.mark.parametrize(
    ("mask", "name", "matches"),
    [
        ("INBOX", "INBOX", True),
        ("inbox", "INBOX", True),
        ("InBox", "INBOX", True),
        ("inb*/x", "INBOX/x", True),
        ("inb*/X", "INBOX/x", False),
        ("*i*", "INBOX/x", True),
        ("%nbox/%", "INBOX/x", True),
        ("inb%", "INBOX/x", False),
        ("inb*", "INBOXES", False),
        ("INBOX", "inbox", False),
        ("\u0131nbox", "INBOX", False),
        ("sent", "Sent", False),
        ("*", "Archive/2024", True),
        ("%", "Archive", True),
        ("%", "Archive/2024", False),
        ("%/%", "Archive/2024", True),
        ("Arch*", "Archive/2024", True),
        ("A%/2*", "Archive/2024/x", True),
        ("?", "a", False),
        ("Ty\u00f6/*", "Ty\u00f6/\u00c4\u00e4ni \u20ac", True),
        ("a.b", "axb", False),
    ],
)
def test_mailboxes(mask: str, name: str, matches: bool) -> None:
    assert mailbox_matches(mask, name) is matches


names = st.text(alphabet="ab/*%?.[\\\n", max_size=8)


@given(names)
def test_every_name_matches_itself(name: str) -> None:
    assert mailbox_matches(name, name)
    assert user_matches(name.encode(), name.encode())


@given(names, names)
def test_a_percent_is_a_star_that_stops_at_a_slash(mask: str, name: str) -> None:
    if mailbox_matches(mask, name):
        assert mailbox_matches(mask.replace("%", "*"), name)


@given(st.text(alphabet="ab?*", max_size=6), st.text(alphabet="abAB", max_size=6))
def test_users_match_as_file_names_do(mask: str, name: str) -> None:
    expected = re.match(translate(mask.lower()), name.lower()) is not None
    assert user_matches(mask.encode(), name.encode()) is expected


@pytest.mark.parametrize(
    ("mask", "wildcards", "has"),
    [(b"a*", b"*?", True), (b"a?", b"*?", True), (b"a?", b"*%", False), (b"", b"*?", False)],
)
def test_wildcards(mask: bytes, wildcards: bytes, has: bool) -> None:
    assert has_wildcard(mask, wildcards) is has


@pytest.mark.parametrize(
    ("network", "address", "matches"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.0/8", "127.1.2.3", True),
        ("127.0.0.1/8", "127.1.2.3", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("::1", "::1", True),
        ("::/0", "127.0.0.1", False),
        ("fe80::/10", "fe80::1", True),
        ("nonsense", "127.0.0.1", False),
        ("127.0.0.1", "", False),
    ],
)
def test_addresses(network: str, address: str, matches: bool) -> None:
    assert address_matches(network, address) is matches


@pytest.mark.parametrize(
    ("text", "network"),
    [("127.0.0.1", True), ("10.1.2.3/8", True), ("::1", True), ("tss", False), ("", False)],
)
def test_networks(text: str, network: bool) -> None:
    assert is_network(text) is network


@given(st.text(max_size=12))
def test_any_text_is_a_network_or_not(text: str) -> None:
    assert is_network(text) or not address_matches(text, "127.0.0.1")


def test_inbox_is_matched_in_any_case_by_patterns_too() -> None:
    # Both 2.3.19.1 and 2.4.1 list INBOX for `inb*`.
    assert mailbox_matches("inb*", "INBOX")
    assert not mailbox_matches("sen*", "Sent")


@given(
    mask=st.text("ab/*%?", max_size=8),
    text=st.text("ab/", max_size=8),
)
def test_many_wildcards_match_as_few_do(mask: str, text: str) -> None:
    pattern = re.escape(mask).replace(r"\*", ".*").replace("%", "[^/]*")
    expected = re.fullmatch(pattern, text, re.DOTALL) is not None
    assert mailbox_matches(mask, text) == expected


def test_a_mask_of_a_thousand_wildcards_is_no_trap() -> None:
    assert not mailbox_matches("*a" * 1000 + "b", "a" * 255)
    assert not user_matches(b"*a" * 1000 + b"b", b"a" * 255)
