"""Which mailboxes a query looks into, and how often; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.dovecot.search.users import fatal, flagged_user, found, query

#: All messages of a mailbox, in the order of the listing.
SENT: list[tuple[str, int]] = []
ARCHIVE = [("Archive/2024", 7), ("Archive/2024", 9)]
INBOX = [("INBOX", 1), ("INBOX", 2), ("INBOX", 3), ("INBOX", 4)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", SENT + ARCHIVE + INBOX),
        ("mailbox INBOX", INBOX),
        ("mailbox inbox", INBOX),
        ("mailbox *", ARCHIVE + INBOX),
        ("mailbox %", INBOX),
        ("mailbox i*x", INBOX),
        ("mailbox Arch*", ARCHIVE),
        ("mailbox Sent", []),
        ("mailbox nope", []),
        ("mailbox Archive", []),
        ("not mailbox INBOX", ARCHIVE),
        ("not mailbox inbox", ARCHIVE),
        ("x-mailbox inbox", INBOX),
        ("x-mailbox Arch*", ARCHIVE),
        ("mailbox INBOX mailbox Archive/2024", []),
        ("mailbox INBOX or mailbox Archive/2024", ARCHIVE + INBOX),
        ("mailbox inbox or mailbox Archive/2024", ARCHIVE),
        ("mailbox inbox or answered", [ARCHIVE[1], *INBOX]),
        ("mailbox INBOX or mailbox nope", INBOX),
    ],
)
def test_which_mailboxes_are_looked_into(text: str, expected: list[tuple[str, int]]) -> None:
    assert found(flagged_user(), text) == expected


def test_a_name_in_small_letters_is_no_inbox_where_mailboxes_are_listed() -> None:
    assert found(flagged_user(), "mailbox inbox mailbox *") == []
    assert found(flagged_user(), "mailbox INBOX mailbox *") == INBOX


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("mailbox INBOX all", 1),
        ("all mailbox INBOX", 1),
        ("( mailbox INBOX all )", 1),
        ("mailbox INBOX mailbox inbox", 2),
        ("( all mailbox INBOX )", 2),
        ("( ( all mailbox INBOX ) )", 2),
        ("( all all mailbox INBOX )", 3),
        ("( mailbox INBOX mailbox INBOX )", 3),
        ("( all ( all mailbox INBOX ) )", 4),
        ("inthread refs ( all mailbox INBOX )", 2),
    ],
)
def test_a_named_mailbox_is_opened_each_time_a_list_names_it(text: str, times: int) -> None:
    assert found(flagged_user(), text) == INBOX * times


def test_a_negated_list_opens_what_it_names() -> None:
    assert found(flagged_user(), "not ( mailbox INBOX )") == []
    assert found(flagged_user(), "not ( mailbox INBOX seen )") == INBOX[2:]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mailbox nope", ["nope"]),
        ("mailbox nope mailbox INBOX", ["nope", "INBOX"]),
        ("mailbox Archive all", ["Archive"]),
        ("mailbox nope not all", ["nope"]),
        ("mailbox nope*", []),
        ("not mailbox nope", ["Sent", "Archive/2024", "INBOX"]),
    ],
)
def test_mailboxes_that_are_not_there(text: str, names: list[str]) -> None:
    assert [place.name for place in query(text).places(flagged_user())] == names


def test_a_simplified_query_may_forget_its_mailbox() -> None:
    simple = query("mailbox nope seen unseen")
    simple.simplify()
    assert [place.name for place in simple.places(flagged_user())] == [
        "Sent",
        "Archive/2024",
        "INBOX",
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "Invalid mailbox name: Name is empty"),
        ("../x", "Invalid mailbox name: Contains '..' part"),
        ("INBOX/", "Invalid mailbox name: Ends with hierarchy separator"),
        ("INBOX", None),
    ],
)
def test_names_that_no_mailbox_can_have(name: str, fault: str | None) -> None:
    (place,) = query("mailbox", name.encode()).places(flagged_user())
    assert place.fault == fault


def test_mailboxes_by_guid() -> None:
    user = flagged_user()
    guid = user.mailbox("INBOX").guid
    assert found(user, f"mailbox-guid {guid}") == INBOX
    assert found(user, f"not mailbox-guid {guid}") == ARCHIVE
    assert found(user, f"mailbox-guid {guid.upper()}x") == []


def test_lists_that_name_a_mailbox_without_end() -> None:
    text = "( all " * 40 + "mailbox INBOX" + " )" * 40
    assert fatal(text) == b"the real server does not come to an end here"
