"""How a sync writes the names of mailboxes, and what it takes them for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.dsync.names import Names, name_digest
from fakedove.dovecot.names import check_mailbox_name
from fakedove.dovecot.rules import NameEscapes

_texts = st.text(st.sampled_from("%24a/ä"), max_size=12)


def near(rule: NameEscapes) -> Names:
    return Names(rule, master=True)


@pytest.mark.parametrize(
    ("rule", "name", "sent", "taken"),
    [
        # Up to 2.3.18 names are not escaped; 2.3.19.1; 2.4.1.
        (NameEscapes.NONE, "x%41", ("x%41",), "x%41"),
        (NameEscapes.LISTED, "x%2541", ("x%41",), "x%41"),
        (NameEscapes.LISTED, "%25u/%2525", ("%u", "%25"), "%u/%25"),
        (NameEscapes.LISTED, "%252fz", ("%2fz",), "_%2fz"),
        (NameEscapes.LISTED, "a/%252e%252e/b", ("a", "%2e%2e", "b"), "a/_%2e%2e/b"),
        (NameEscapes.LISTED, "a%252f", ("a%2f",), name_digest("a%2f")),
        (NameEscapes.SENT, "%u/x%41", ("%u", "xA"), "%u/xA"),
        (NameEscapes.SENT, "x%2fy", ("x/y",), "x_y"),
        (NameEscapes.SENT, "%c3%A4%", ("ä%",), "ä%"),
        (NameEscapes.SENT, "a%00b", ("a",), "a"),
        (NameEscapes.SENT, "a%0ab", ("a\nb",), "a_b"),
        (NameEscapes.SENT, "a%ff", ("a\udcff",), "a\ufffd"),
        (NameEscapes.SENT, "%7ex/~y", ("~x", "~y"), "_~x/~y"),
        (NameEscapes.SENT, "a/%2e%2e/b", ("a", "..", "b"), "a/_../b"),
    ],
)
def test_the_other_side_is_told_what_a_name_is_taken_for(
    rule: NameEscapes, name: str, sent: tuple[str, ...], taken: str
) -> None:
    assert near(rule).sent(name) == sent
    assert near(rule).taken(sent) == taken


@given(st.lists(st.text(min_size=1), min_size=1), st.sampled_from(NameEscapes))
def test_whatever_is_told_a_mailbox_can_be_made_for_it(parts: list[str], rule: NameEscapes) -> None:
    names = near(rule)
    taken = names.taken(parts)
    assert not names.problem(taken)
    check_mailbox_name(names.meant(taken)[:80])


@given(_texts)
def test_a_name_that_is_listed_means_the_mailbox_and_is_sent_as_it_is(name: str) -> None:
    names = near(NameEscapes.LISTED)
    assert names.meant(names.listed(name)) == name
    assert "/".join(names.sent(names.listed(name))) == name


@given(_texts.filter(lambda name: "%" not in name), st.sampled_from(NameEscapes), st.booleans())
def test_a_name_without_percent_is_always_the_same(
    name: str, rule: NameEscapes, master: bool
) -> None:
    names = Names(rule, master=master)
    ways = (names.listed, names.opened, names.meant)
    assert [way(name) for way in ways] == [name] * 3
    assert names.sent(name) == tuple(name.split("/"))


def test_only_the_other_side_of_2_4_opens_a_mailbox_under_an_escaped_name() -> None:
    opened = [Names(NameEscapes.SENT, master=master).opened("%u") for master in (True, False)]
    assert opened == ["%u", "%25u"]
