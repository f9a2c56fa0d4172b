from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.double.patterns import Texts, pattern
from fakedove.errors import StubError
from fakedove.patterns import Pattern, exactly, like, regex

texts = st.text("ab*?", max_size=4)
plain = st.text("ab", max_size=4)
patterns = st.recursive(
    st.one_of(texts.map(like), texts.map(exactly), plain.map(regex)),
    lambda inner: st.one_of(
        st.builds(lambda one, other: one & other, inner, inner),
        st.builds(lambda one, other: one | other, inner, inner),
        inner.map(lambda one: ~one),
    ),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("meant", "text", "matches"),
    [
        ("mailbox *", "mailbox list", True),
        ("mailbox *", "mailbox", False),
        ("ann@*", "ANN@example.com", True),
        ("ann", "Ann", False),
        (exactly("a*"), "a*", True),
        (exactly("a*"), "ab", False),
        (regex("a+"), "aaa", True),
        (regex("a+"), "aab", False),
        (like("mailbox *") & ~exactly("mailbox list"), "mailbox list", False),
        (like("mailbox *") & ~exactly("mailbox list"), "mailbox status", True),
        ("who" | regex("k.ck"), "kick", True),
        ("a*" & like("*b"), "a-b", True),
    ],
)
def test_what_a_pattern_means(meant: Texts, text: str, matches: bool) -> None:
    assert pattern(meant).matches(text) is matches


def test_how_patterns_are_shown() -> None:
    assert repr(like("a*") & ~exactly("ab") | regex("c")) == "(('a*' & ~'ab') | regex('c'))"


@given(patterns, patterns, plain)
def test_joining_is_what_the_words_say(one: Pattern, other: Pattern, text: str) -> None:
    assert (one & other).matches(text) == (one.matches(text) and other.matches(text))
    assert (one | other).matches(text) == (one.matches(text) or other.matches(text))
    assert (~one).matches(text) == (not one.matches(text))


@given(patterns, plain)
def test_a_literal_is_the_one_text_that_is_meant(one: Pattern, text: str) -> None:
    if one.literal is not None:
        assert one.matches(text) == (one.literal == text)


def test_what_is_no_pattern() -> None:
    with pytest.raises(StubError, match=r"^must be a text or a pattern such as like"):
        pattern(7)  # type: ignore[arg-type]
    with pytest.raises(StubError, match=r"^'\(' is no regular expression: "):
        regex("(")
