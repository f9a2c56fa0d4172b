"""How a sync writes the names of mailboxes, and what it takes them for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.dsync.names import Names
from fakedove.dovecot.rules import NameEscapes

_texts = st.text(st.sampled_from("%24a/ä\udcff"), max_size=12)


def near(rule: NameEscapes) -> Names:
    return Names(rule, master=True)


@pytest.mark.parametrize(
    ("rule", "name", "sent"),
    [
        # Up to 2.3.18 names are not escaped; 2.3.19.1; 2.4.1.
        (NameEscapes.NONE, "x%41", "x%41"),
        (NameEscapes.LISTED, "x%2541", "x%41"),
        (NameEscapes.LISTED, "%25u/%2525", "%u/%25"),
        (NameEscapes.SENT, "%u/x%41", "%u/xA"),
        (NameEscapes.SENT, "x%2fy", "x_y"),
        (NameEscapes.SENT, "%c3%A4%", "ä%"),
        (NameEscapes.SENT, "a%00b", "a"),
    ],
)
def test_the_other_side_is_told_what_a_name_is_taken_for(
    rule: NameEscapes, name: str, sent: str
) -> None:
    assert near(rule).sent(name) == sent


@given(_texts)
def test_a_name_that_is_listed_means_the_mailbox_and_is_sent_as_it_is(name: str) -> None:
    names = near(NameEscapes.LISTED)
    assert names.meant(names.listed(name)) == name
    assert names.sent(names.listed(name)) == name


@given(_texts.filter(lambda name: "%" not in name), st.sampled_from(NameEscapes), st.booleans())
def test_a_name_without_percent_is_always_the_same(
    name: str, rule: NameEscapes, master: bool
) -> None:
    names = Names(rule, master=master)
    ways = (names.listed, names.opened, names.sent, names.meant)
    assert [way(name) for way in ways] == [name] * 4


def test_only_the_other_side_of_2_4_opens_a_mailbox_under_an_escaped_name() -> None:
    opened = [Names(NameEscapes.SENT, master=master).opened("%u") for master in (True, False)]
    assert opened == ["%u", "%25u"]
