"""Event filters: which are right, and what is said of those that are not."""

from __future__ import annotations

import pytest

from fakedove.dovecot.event_filter import Grammar

OLD = Grammar()
NEW = Grammar("/%", "end of file", "invalid token")
AFTER_AND = "expecting TOKEN or STRING or NOT or '('"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "event=x",
        "a>=1 and not b<2",
        '"a b"="c d" OR event=x*',
        "not (not a=b)",
        "a=and",
        '"never closed',
        "((a=b))",
    ],
)
def test_a_right_filter_has_no_problem(text: str) -> None:
    assert OLD.problem(text) is None
    assert NEW.problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "unexpected $end, expecting '=' or '>' or '<'"),
        ("event=", "unexpected $end"),
        ("event=(", "unexpected '('"),
        ("event=a or", f"unexpected $end, {AFTER_AND}"),
        ("not", f"unexpected $end, {AFTER_AND}"),
        ("()", f"unexpected ')', {AFTER_AND}"),
        ("a=b c=d", "unexpected TOKEN, expecting $end"),
        ("a=b)", "unexpected ')', expecting $end"),
        ("=", "unexpected '=', expecting $end"),
        ("(a=b", "unexpected $end, expecting AND or OR or ')'"),
        ("(a=b c", "unexpected TOKEN, expecting AND or OR or ')'"),
        ("a==b", "unexpected '='"),
        ("event=a/b", "unexpected $undefined, expecting $end"),
        ('a="b', "unexpected $end"),
        ('a=b"c"', "unexpected STRING, expecting $end"),
    ],
)
def test_a_wrong_filter_names_the_token(text: str, words: str) -> None:
    assert OLD.problem(text) == f"event filter: syntax error, {words}"


def test_newer_releases_have_other_words_and_more_tokens() -> None:
    assert NEW.problem("event=a/b%") is None
    assert NEW.problem("event=") == "event filter: syntax error, unexpected end of file"
    found = NEW.problem("#x")
    assert found == ("event filter: syntax error, unexpected invalid token, expecting end of file")


def test_only_fields_have_an_order() -> None:
    found = "event filter: Only fields support inequality comparisons"
    assert OLD.problem("event>1") == found
    assert OLD.problem("category<=x and") == found
    assert OLD.problem("duration>1") is None
