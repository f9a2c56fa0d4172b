"""Expectations of script services, and what is said of those that are not met."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import fakedove
from fakedove.errors import ExpectationError, StubError, UnknownNameError
from fakedove.patterns import exactly


@pytest.fixture
def fake() -> Iterator[fakedove.FakeDovecot]:
    """Run a fake with a service that runs a program, and one without."""
    with fakedove.FakeDovecot(script={"warn": {"executable": ["/bin/echo"]}, "other": {}}) as one:
        yield one


def call(fake: fakedove.FakeDovecot, script: str, *args: str) -> bytes:
    """Call a script service; return what is printed."""
    return fakedove.execute(f"unix:{fake.path(script)}", args=args).output


def complaint(fake: fakedove.FakeDovecot) -> str:
    """Return what is told of the one thing that is wrong, without the test's folder."""
    with pytest.raises(ExpectationError) as caught:
        fake.check()
    text = str(caught.value)
    assert len(text.splitlines()) <= 20
    # It is told once.
    fake.check()
    return re.sub(r"\S*(test_script_expectations\.py):\d+", r"\1:N", text)


def test_what_was_expected_came(fake: fakedove.FakeDovecot) -> None:
    expected = fake.expect_script("warn", args=["80", "t*"], times=1)
    assert call(fake, "warn", "80", "tss") == b"80 tss\n"
    fake.verify()
    assert [one.args for one in expected.calls] == [("80", "tss")]
    assert isinstance(expected, fakedove.ScriptExpectation)


def test_an_expectation_answers_if_it_is_armed(fake: fakedove.FakeDovecot) -> None:
    fake.script("warn", args=["80", ...]).reply(b"older\n")
    expected = fake.expect_script("warn").reply(b"armed\n")
    assert call(fake, "warn", "80", "tss") == b"armed\n"
    expected.remove()
    fake.expect_script("warn", args=[...], times=2)
    assert call(fake, "warn", "80", "tss") == b"older\n"
    assert call(fake, "warn", "90") == b"90\n"
    fake.check()


def test_what_never_came_beside_the_closest(fake: fakedove.FakeDovecot) -> None:
    fake.expect_script("warn", args=["80" | exactly("90"), "tss"])
    call(fake, "warn", "95", "tss")
    call(fake, "other", "80", "tss")
    call(fake, "warn")
    with pytest.raises(ExpectationError, match="it never came"):
        fake.verify()
    assert complaint(fake) == (
        "test_script_expectations.py:N: expected at least once: "
        "script 'warn', args=[('80' | '90'), 'tss']\n"
        "it never came\n"
        "closest of 3 invocations:\n"
        "             expected                 sent (connection 3)\n"
        "    script   'warn'                   'warn'\n"
        "  > args     [('80' | '90'), 'tss']   []"
    )


def test_nothing_came_at_all(fake: fakedove.FakeDovecot) -> None:
    fake.expect_script("other", times=2)
    assert complaint(fake) == (
        "test_script_expectations.py:N: expected 2 times: script 'other'\n"
        "it never came\nno script was run"
    )


def test_it_came_too_often(fake: fakedove.FakeDovecot) -> None:
    fake.expect_script("other", times=1)
    for number in range(12):
        call(fake, "other", str(number))
    lines = complaint(fake).splitlines()
    assert lines[1:4] == [
        "it came 12 times",
        "  ... 4 more",
        "  other ['4'] (connection 5)",
    ]


def test_the_end_checks_it_too() -> None:
    with (
        pytest.raises(ExpectationError, match="it never came"),
        fakedove.FakeDovecot(script={"warn": {}}) as fake,
    ):
        fake.expect_script("warn")


def test_a_reset_forgets_expectations(fake: fakedove.FakeDovecot) -> None:
    fake.expect_script("warn")
    with pytest.raises(ExpectationError):
        fake.reset()
    fake.expect_script("warn")
    fake.forget_stubs()
    fake.check()


def test_what_cannot_be_expected(fake: fakedove.FakeDovecot) -> None:
    with pytest.raises(UnknownNameError, match='did you mean "warn"'):
        fake.expect_script("wran")
    with pytest.raises(StubError, match="times must be a whole number, 1 or more"):
        fake.expect_script("warn", times=0)
    with pytest.raises(StubError, match="args must be a sequence of texts"):
        fake.expect_script("warn", args="80")
