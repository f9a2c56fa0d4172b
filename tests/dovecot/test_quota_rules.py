from __future__ import annotations

import pytest

from fakedove.dovecot.quota_roots import QuotaRoot, checked_roots
from fakedove.dovecot.quota_rules import Extra, QuotaRule
from fakedove.errors import StoreError


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("10M", Extra(10485760)),
        ("+10M", Extra(10485760)),
        ("-1K", Extra(-1024)),
        (5, Extra(5)),
        (-5, Extra(-5)),
        ("10%", Extra(percent=10)),
        ("+150%", Extra(percent=150)),
        (None, Extra()),
    ],
)
def test_extras(text: str | int | None, extra: Extra) -> None:
    assert QuotaRule.of("Trash", storage=text).storage == extra


@pytest.mark.parametrize("text", ["", "x", "-10%", "+", "1X", "10 %%", "--1"])
def test_what_is_no_extra_of_storage(text: str) -> None:
    with pytest.raises(StoreError):
        QuotaRule.of("Trash", storage=text)


@pytest.mark.parametrize("text", ["", "x", "1K", "-10%", "1.5", "\u0661"])
def test_what_is_no_extra_of_messages(text: str) -> None:
    with pytest.raises(StoreError, match="is no extra"):
        QuotaRule.of("Trash", messages=text)


@pytest.mark.parametrize("mask", ["", "*", "**"])
def test_a_rule_is_for_some_mailboxes(mask: str) -> None:
    with pytest.raises(StoreError, match="for some mailboxes"):
        QuotaRule.of(mask, ignore=True)


@pytest.mark.parametrize(
    ("mask", "name", "matches"),
    [
        ("Trash", "Trash", True),
        ("Trash", "trash", False),
        ("inbox", "INBOX", True),
        ("Arch*", "Archive/2024", True),
        ("Archive/????", "Archive/2024", True),
        ("Archive/???", "Archive/2024", False),
    ],
)
def test_masks(mask: str, name: str, matches: bool) -> None:
    assert QuotaRule.of(mask).matches(name) is matches


def test_the_first_rule_that_matches_counts() -> None:
    rules = [QuotaRule.of("Arch*", storage="10%"), QuotaRule.of("Archive", ignore=True)]
    root = QuotaRoot.of("User quota", 1000, 10, rules=rules)
    assert root.limits_in("Archive") == (1100, 10)
    assert root.limits_in("INBOX") == (1000, 10)
    assert root.counts("Archive")


def test_what_is_left_out_has_no_limit() -> None:
    root = QuotaRoot.of("User quota", 1000, 10, rules=[QuotaRule.of("Spam", ignore=True)])
    assert not root.counts("Spam")
    assert root.has_room(5000, 50, "Spam")
    assert not root.has_room(1001, 1, "INBOX")
    assert not root.has_room(1, 11, "INBOX")


def test_a_limit_below_one_is_none() -> None:
    rule = QuotaRule.of("Trash", storage=-1000, messages=-9)
    assert QuotaRoot.of("User quota", 1000, 10, rules=[rule]).limits_in("Trash") == (None, 1)


@pytest.mark.parametrize("what", ["storage", "messages"])
def test_an_extra_needs_a_limit(what: str) -> None:
    root = QuotaRoot("User quota", rules=(QuotaRule.of("Trash", **{what: 5}),))  # type: ignore[arg-type]  # both take a number
    with pytest.raises(StoreError, match=f"has no limit for {what}"):
        checked_roots([root])
