"""What holds for any address header."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.mime.addresses import Address, parse_addresses

_ATOM = st.text("abcxyzAZ019!#$%&'*+-/=?^_`{|}~ä", min_size=1, max_size=6).map(str.encode)
_DOT_ATOM = st.lists(_ATOM, min_size=1, max_size=3).map(b".".join)
_TEXT = st.text('ab "\\()<>@,;:.[]ä', min_size=1, max_size=8).map(str.encode)
_GAP = st.sampled_from([b" ", b"\t", b"\r\n ", b" (a (nested) one) ", b" (a \\) quoted one)"])
_DOMAIN = _DOT_ATOM | st.sampled_from([b"[127.0.0.1]", b"[IPv6:::1]"])
_MAILBOXES = st.builds(Address, st.none() | _TEXT, st.none(), _DOT_ATOM | _TEXT, _DOMAIN)
_PIECES = st.sampled_from(
    [
        *(b"a", b".", b"@", b"<", b">", b",", b";", b":", b" ", b"\n ", b"\0", b"\xc3", b"x@y"),
        *(b'"', b'"q r"', b'"\\"', b"(", b")", b"(c)", b"(c\n", b"[", b"]", b"[1]", b"\\"),
    ]
)
_GARBAGE = st.lists(_PIECES, max_size=20).map(b"".join) | st.binary(max_size=40)


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _written(one: Address, gap: bytes) -> bytes:
    """Return a mailbox as RFC 5322 has it, with gaps wherever they may be."""
    assert one.mailbox is not None
    assert one.domain is not None
    words = [_quoted(one.mailbox), b"@", one.domain]
    if one.name is not None:
        words = [_quoted(one.name), b"<", *words, b">"]
    return gap.join([b"", *words, b""])


@given(st.lists(_MAILBOXES, max_size=4), _GAP)
def test_addresses_are_read_as_they_were_written(addresses: list[Address], gap: bytes) -> None:
    value = b",".join(_written(one, b" " if one.name is None else gap) for one in addresses)
    assert parse_addresses(value, fill_missing=True) == addresses


@given(_ATOM, st.lists(_MAILBOXES, max_size=3))
def test_a_group_is_a_start_its_members_and_an_end(name: bytes, members: list[Address]) -> None:
    value = b"%b: %b; , a@b" % (name, b",".join(_written(one, b" ") for one in members))
    group = [Address(mailbox=name), *members, Address()]
    after = Address(mailbox=b"a", domain=b"b")
    assert parse_addresses(value, fill_missing=True) == [*group, after]


@given(_GARBAGE)
def test_any_header_has_addresses_with_nothing_missing(value: bytes) -> None:
    in_group = False
    for one in parse_addresses(value, fill_missing=True):
        if one.domain is None:
            assert (one.mailbox is None) is in_group
            in_group = not in_group
        else:
            assert one.mailbox is not None
    assert not in_group


@given(_GARBAGE, _GARBAGE, st.booleans())
def test_what_follows_changes_nothing_of_what_ends_with_a_comma(
    value: bytes, more: bytes, fill_missing: bool
) -> None:
    first = parse_addresses(b"a@b,", fill_missing=fill_missing)
    assert parse_addresses(b"a@b," + value + more, fill_missing=fill_missing)[:1] == first


@given(_GARBAGE)
def test_filling_in_changes_no_name(value: bytes) -> None:
    filled = parse_addresses(value, fill_missing=True)
    empty = parse_addresses(value, fill_missing=False)
    assert [one.name for one in filled] == [one.name for one in empty]
