"""What releases before 2.3.17 make of LFs in a log text (measured on 2.2.33 to 2.3.16)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.sessions.log_lines import overlapping_lines
from tests.sessions.talk import Talk


@pytest.mark.parametrize(
    ("text", "lines", "endless"),
    [
        (b"no\nsuch mailbox", [b"no", b"such mailbox"], None),
        (b"no such\nbox", [b"no such", b"boxsuch"], b"boxsuch"),
        (b"no box\n", [b"no box"], b"no box"),
        (b"Mailbox a\nb: none: a\nb", [b"Mailbox a", b"b: none: a", b"b: none: a"], b"b: none: a"),
    ],
)
def test_lines_of_a_text(text: bytes, lines: list[bytes], endless: bytes | None) -> None:
    assert overlapping_lines(text) == (lines, endless)


@given(st.text("ab\n", min_size=1, max_size=30).map(str.encode))
def test_it_ends_where_all_was_told(text: bytes) -> None:
    lines, endless = overlapping_lines(text)
    assert lines[0] == text.partition(b"\n")[0]
    if endless is None:
        assert b"\n".join(lines) == text
    else:
        assert b"\n" not in endless


def test_a_short_beginning_is_told_once_and_the_answer_follows() -> None:
    talk = Talk("2.3.16")
    talk.hello(1)
    said = talk.say(b"\ttss\tmailbox rename\t-s\ta\x01nb\tINBOX\n")
    assert said.count(b"b to INBOX: Target mailbox already exists\n") == 1
    assert said.endswith(b"\n-DATAERR\n\0\0\0\0\x03\n-\n")
