from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.names import mailbox_name, to_mutf7
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
