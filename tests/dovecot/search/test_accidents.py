"""What `expunge` and `move` demand of a query; answers of the real servers."""

from __future__ import annotations

import pytest

from tests.dovecot.search.users import query


@pytest.mark.parametrize(
    "text",
    [
        "mailbox INBOX all",
        "mailbox INBOX ( seen )",
        "not mailbox INBOX uid 1",
        "( mailbox A all ) or ( mailbox B all )",
        "( mailbox A or mailbox B ) all",
        "mailbox-guid x all",
        "x-mailbox INBOX uid 1",
        "inthread refs mailbox INBOX",
        "inthread refs ( mailbox INBOX all )",
        "mailbox INBOX oldestonly",
    ],
)
def test_narrow_queries(text: str) -> None:
    assert query(text).accident() is None


@pytest.mark.parametrize(
    "text",
    [
        "all",
        "mailbox A or all",
        "mailbox A or seen",
        "( mailbox A all ) or all",
        "all ( mailbox A or seen )",
        "( mailbox A or mailbox B ) ( seen or flagged )",
        "( mailbox A or mailbox B ) or ( all )",
    ],
)
def test_queries_without_a_mailbox_in_all_branches(text: str) -> None:
    problem = query(text).accident()
    assert problem == "search query must contain MAILBOX in all search branches"


@pytest.mark.parametrize(
    "text",
    [
        "mailbox A",
        "not mailbox A",
        "mailbox-guid x",
        "mailbox A or mailbox B",
        "( mailbox A or all ) mailbox B",
        "( mailbox A ) or ( mailbox B all )",
        "mailbox A ( mailbox B or mailbox C )",
        "mailbox A ( mailbox B or seen )",
    ],
)
def test_queries_for_nothing_but_mailboxes(text: str) -> None:
    problem = query(text).accident()
    assert problem is not None
    assert problem.startswith("each branch in search query must contain something else")
