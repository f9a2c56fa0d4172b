"""The state of a sync; the texts are those of a real 2.3.19.1 and 2.4.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.dsync.state import InvalidStateError, MailboxState, parsed, printed

BOB = b"AQAAAAIAYm9iAAAAAAAAAAAAAADo9FNlAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAvI5o+A=="
EMPTY = b"AQAAAHm4+Jk="

words = st.integers(0, (1 << 32) - 1)
states = st.builds(
    MailboxState,
    guid=st.binary(min_size=16, max_size=16).map(bytes.hex),
    uidvalidity=words,
    uid=words,
    modseq=st.integers(0, (1 << 64) - 1),
    messages=words,
)


def test_a_state_is_that_of_the_real_server() -> None:
    inbox = MailboxState("0200626f620000000000000000000000", 1700001000, modseq=1)
    assert printed([inbox]) == BOB
    assert parsed(BOB) == {inbox.guid: inbox}
    assert printed([]) == EMPTY


@given(st.lists(states, unique_by=lambda one: one.guid, max_size=5))
def test_what_is_printed_can_be_given_again(some: list[MailboxState]) -> None:
    assert parsed(printed(some)) == {one.guid: one for one in some}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"x", "Invalid base64 data"),
        (b"AQAAAA==", "Input too small"),
        (b"AQAAAAAAAAA=", "CRC32 mismatch"),
        (b"AQAAAAAAAAAAAA==", "Invalid input size"),
        (BOB.replace(b"AEAAAAA", b"AFAAAAA"), "CRC32 mismatch"),
    ],
)
def test_what_is_no_state_is_refused_as_the_real_server_does(text: bytes, why: str) -> None:
    with pytest.raises(InvalidStateError, match=f"^{why}$"):
        parsed(text)


@pytest.mark.parametrize("text", [b"AAAAAA==", EMPTY])
def test_an_empty_state_knows_no_mailbox(text: bytes) -> None:
    assert parsed(text) == {}
