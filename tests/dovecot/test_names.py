from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.names import (
    canonical_name,
    existing_name_problem,
    logged_name,
    mailbox_name,
    new_name_problem,
    to_mutf7,
)
from fakedove.dovecot.releases import NEWEST
from fakedove.dovecot.reply import Fatal

#: Text as mailbox names have it: any characters but lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    alphabet="a&-,/+ \u00f6\u20ac\U0001f4ec\0\x7f", max_size=12
)


def from_mutf7(encoded: bytes) -> str:
    """Undo modified UTF-7 by Python's UTF-7: `&` for `+`, a comma for a slash."""

    def plain(match: re.Match[str]) -> str:
        bits = match[1].replace(",", "/")
        return f"+{bits}-".encode().decode("utf-7") if bits else "&"

    return re.sub(r"&([^-]*)-", plain, encoded.decode("ascii"))


def test_names_are_utf_8() -> None:
    assert mailbox_name("Ty\u00f6".encode()) == "Ty\u00f6"
    with pytest.raises(Fatal) as caught:
        mailbox_name(b"Ty\xf6")
    assert caught.value.text == b"Mailbox name not valid UTF-8: Ty\xf6"


# RFC 3501 section 5.1.3 has the last two.
@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("", b""),
        ("INBOX", b"INBOX"),
        ("A&B", b"A&-B"),
        ("&", b"&-"),
        ("Ty\u00f6/\u00c4\u00e4ni \u20ac", b"Ty&APY-/&AMQA5A-ni &IKw-"),
        ("\u00f6&", b"&APY-&-"),
        ("\0", b"&AAA-"),
        ("\U0001f4ec", b"&2D3c7A-"),
        (
            "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e",
            b"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
        ),
    ],
)
def test_modified_utf_7(name: str, encoded: bytes) -> None:
    assert to_mutf7(name) == encoded
    assert from_mutf7(encoded) == name


@given(texts)
def test_every_name_can_be_read_back(name: str) -> None:
    assert from_mutf7(to_mutf7(name)) == name


@given(texts)
def test_modified_utf_7_is_printable(name: str) -> None:
    assert re.fullmatch(rb"(?:[ -%'-~]|&-|&[A-Za-z0-9+,]+-)*", to_mutf7(name))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a/dbox-Mails/b", "Contains reserved name"),
        ("dbox-Mails/..", "Contains reserved name"),
        ("../dbox-Mails", "Contains '..' part"),
        ("~//x", "Has adjacent hierarchy separators"),
        ("~/", "Ends with hierarchy separator"),
        ("~/..", "Begins with '~'"),
        ("/~", "Begins with hierarchy separator"),
    ],
)
def test_the_first_fault_of_a_name_is_told(name: str, why: str) -> None:
    assert existing_name_problem(name) == f"Invalid mailbox name: {why}"


def test_only_new_names_can_be_too_long() -> None:
    for name in ("x" * 256, "x/" * 2048 + "x"):
        assert existing_name_problem(name) is None
        assert new_name_problem(name, NEWEST) == "Mailbox name too long"


def test_inbox_is_inbox_in_any_case_also_above_others() -> None:
    names = ("inbox", "InBox/Sub", "inboxes", "a/inbox", "\u0131nbox")
    canonical = ["INBOX", "INBOX/Sub", "inboxes", "a/inbox", "\u0131nbox"]
    assert list(map(canonical_name, names)) == canonical


def test_names_in_log_prefixes_are_cut_at_128_bytes_between_characters() -> None:
    assert logged_name("a\tb\x7f") == "a?b?"
    assert logged_name("\u00e4" * 64) == "\u00e4" * 64
    assert logged_name("\u00e4" * 65) == "\u00e4" * 62 + "..."
    assert logged_name("x" * 129) == "x" * 125 + "..."
