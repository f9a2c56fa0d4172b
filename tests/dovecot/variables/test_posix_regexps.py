"""Regular expressions of `%{user | regexp(...)}`, as glibc has them (measured on 2.4.1)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.variables.posix_regexps import InvalidExpression, compiled


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (rb"[[:alpha:]]+", b"tss"),
        (rb"s|ss", b"ss"),
        (rb"t**", b"t"),
        (rb"t+*", b"t"),
        (rb"t{2}?", b""),
        (rb"t{,2}", b"t"),
        (rb"()", b""),
        (rb"a||b", b""),
        (rb"\<t", b"t"),
        (rb"\w+", b"tss"),
        (rb"[^t]", b"s"),
        (rb"[]t]", b"t"),
        (rb"[--s]", b"s"),
        (rb"s$", b"s"),
        (rb".", b"t"),
        (rb"(s)\1", b"ss"),
        *((pattern, None) for pattern in (rb")", rb"(t)\1", rb"\d", rb"\s", rb"$s", rb"[a-]")),
        (rb"[[.a.]]", None),
    ],
)
def test_what_is_found(pattern: bytes, found: bytes | None) -> None:
    match = compiled(pattern).search(b"tss")
    assert (match and match[0]) == found


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (rb"(", r"Unmatched ( or \("),
        *(
            (pattern, "Invalid preceding regular expression")
            for pattern in (rb"*t", rb"+", rb"a|*b", rb"(*b)", rb"(?:t)", rb"^*t", rb"{1}")
        ),
        *(
            (pattern, "Unmatched [, [^, [:, [., or [=")
            for pattern in (rb"[a", rb"[]", rb"[a-", rb"[[:alpha:]", rb"[[:alpha", rb"[[.a")
        ),
        (rb"[", "Invalid regular expression"),
        (rb"[^", "Invalid regular expression"),
        (rb"[[:foo:]]", "Invalid character class name"),
        (rb"[b-a]", "Invalid range end"),
        (rb"[a-[:alpha:]]", "Invalid range end"),
        *(
            (pattern, r"Invalid content of \{\}")
            for pattern in (rb"a{3,1}", rb"a{x}", rb"a{}", rb"a{1,2,3}", rb"a{1,2,3")
        ),
        *((pattern, r"Unmatched \{") for pattern in (rb"a{", rb"a{1", rb".t{^1")),
        (rb"a{99999}", "Regular expression too big"),
        (b"\\", "Trailing backslash"),
        (rb"\1", "Invalid back reference"),
    ],
)
def test_what_is_wrong(pattern: bytes, words: str) -> None:
    with pytest.raises(InvalidExpression) as raised:
        compiled(pattern)
    assert str(raised.value) == words


@given(
    st.lists(st.sampled_from([*"ts()[]{}^$.*+?|\\,1-:", "[[:alpha:]]", "\\w", "\\1"]), max_size=12),
    st.text("tsa\n", max_size=6),
)
def test_any_pattern_finds_or_is_refused(parts: list[str], value: str) -> None:
    with contextlib.suppress(InvalidExpression):
        compiled("".join(parts).encode()).search(value.encode())
