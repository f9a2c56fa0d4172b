"""Expectations, and what is said of those that are not met."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import fakedove
from fakedove.client import Client
from fakedove.errors import ExpectationError
from fakedove.patterns import exactly


@pytest.fixture
def fake() -> Iterator[fakedove.FakeDovecot]:
    """Run a fake with the demo store."""
    with fakedove.FakeDovecot() as running:
        yield running


def ask(fake: fakedove.FakeDovecot, command: str, *args: str, user: str = "ann") -> bytes:
    """Send a command; return its status."""
    with Client.connect(fake.path()) as client:
        return client.command(command, user=user, args=args).status


def complaint(fake: fakedove.FakeDovecot) -> str:
    """Return what is told of the one thing that is wrong, without the test's folder."""
    with pytest.raises(ExpectationError) as caught:
        fake.check()
    text = str(caught.value)
    assert len(text.splitlines()) <= 20
    # It is told once.
    fake.check()
    return re.sub(r"\S*(test_expectations\.py):\d+", r"\1:N", text)


def test_what_was_expected_came(fake: fakedove.FakeDovecot) -> None:
    expected = fake.expect("mailbox list", user="ann", args=["INBOX"])
    assert ask(fake, "mailbox list", "INBOX") == b"+"
    fake.verify()
    fake.check()
    assert [call.command for call in expected.calls] == ["mailbox list"]


def test_what_never_came_beside_the_closest(fake: fakedove.FakeDovecot) -> None:
    fake.expect("mailbox list", user="ann" | exactly("bob"), args=["INBOX", ...])
    ask(fake, "quota get")
    ask(fake, "mailbox list", "Sent", user="bob@example.com")
    ask(fake, "who")
    with pytest.raises(ExpectationError, match="it never came"):
        fake.verify()
    assert complaint(fake) == (
        "test_expectations.py:N: expected at least once: "
        "'mailbox list', user=('ann' | 'bob'), args=['INBOX', ...]\n"
        "it never came\n"
        "closest of 3 commands:\n"
        "             expected          sent (connection 2)\n"
        "    command  'mailbox list'    'mailbox list'\n"
        "  > user     ('ann' | 'bob')   'bob@example.com'\n"
        "  > args     ['INBOX', ...]    ['Sent']"
    )


def test_nothing_came_at_all(fake: fakedove.FakeDovecot) -> None:
    fake.expect("who", times=1)
    assert complaint(fake) == (
        "test_expectations.py:N: expected once: 'who'\nit never came\nno command was sent"
    )


def test_it_came_too_often(fake: fakedove.FakeDovecot) -> None:
    fake.expect("quota get", times=1)
    for _ in range(12):
        ask(fake, "quota get")
    lines = complaint(fake).splitlines()
    assert lines[:3] == [
        "test_expectations.py:N: expected once: 'quota get'",
        "it came 12 times",
        "  ... 4 more",
    ]
    assert lines[3:] == [
        f"  'quota get' of user 'ann' (connection {number})" for number in range(5, 13)
    ]


def test_what_must_not_come(fake: fakedove.FakeDovecot) -> None:
    fake.expect("mailbox delete", times=0)
    ask(fake, "quota get")
    fake.check()
    fake.expect("quota get", user="ann", times=0)
    ask(fake, "quota get")
    assert complaint(fake) == (
        "test_expectations.py:N: expected never: 'quota get', user='ann'\n"
        "it came once\n"
        "  'quota get' of user 'ann' (connection 2)"
    )


def test_an_expectation_can_be_armed(fake: fakedove.FakeDovecot) -> None:
    expected = fake.expect("quota get", times=2).fail("TEMPFAIL").then.passthrough()
    assert [ask(fake, "quota get"), ask(fake, "quota get")] == [b"-TEMPFAIL", b"+"]
    assert expected.met


def test_an_older_stub_answers_what_is_only_expected(fake: fakedove.FakeDovecot) -> None:
    stub = fake.on("quota get").fail("NOPERM")
    expected = fake.expect("quota *")
    assert ask(fake, "quota get") == b"-NOPERM"
    assert (len(stub.calls), len(expected.calls)) == (1, 1)


def test_an_unmet_expectation_fails_at_the_end() -> None:
    with pytest.raises(ExpectationError, match="it never came"), fakedove.FakeDovecot() as fake:
        fake.expect("who")


def test_a_test_that_failed_half_way_need_not_hear_of_it() -> None:
    def test() -> None:
        with fakedove.FakeDovecot() as fake:
            fake.expect("who")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        test()


def test_reset_tells_and_forgets(fake: fakedove.FakeDovecot) -> None:
    fake.expect("who")
    with pytest.raises(ExpectationError):
        fake.reset()
    fake.reset()


def test_what_nothing_matches_can_be_an_error() -> None:
    with fakedove.FakeDovecot(unmatched="fail") as fake:
        fake.on("quota get", user="bob@example.com").reply()
        fake.expect("mailbox list")
        assert ask(fake, "mailbox list") == b"+"
        assert ask(fake, "quota get") == b"-TEMPFAIL"
        assert complaint(fake) == (
            "nothing matches 'quota get' of user 'ann'\n"
            "closest is that of test_expectations.py:N:\n"
            "             expected            sent (connection 2)\n"
            "    command  'quota get'         'quota get'\n"
            "  > user     'bob@example.com'   'ann'\n"
            "    args     any                 []"
        )


def test_without_any_stub_everything_is_an_error_then() -> None:
    with fakedove.FakeDovecot(unmatched="fail") as fake:
        assert ask(fake, "who") == b"-TEMPFAIL"
        assert complaint(fake) == (
            "nothing matches 'who' of user 'ann'\nthere is no stub and no expectation"
        )
