"""Quota warnings of a real Dovecot, which wants no result and waits for none."""

from __future__ import annotations

import pytest

from fakedove import Invocation
from tests.real.callers.caller import Caller, mail_of

pytestmark = pytest.mark.real

#: The limit is 100 kB: bytes of a mail that crosses 20 %, and of one that crosses 90 % too.
_SOME, _MUCH = 30_000, 95_000


def warning(invocation: Invocation, *arguments: str) -> None:
    """Assert that a warning was called as real ones are."""
    lines = "".join(f"{one}\n" for one in arguments)
    assert invocation.raw_header == f"VERSION\tscript\t4\t0\nnoreply\n{lines}\n".encode()
    assert (invocation.args, invocation.env) == (arguments, {})
    assert (invocation.stdin, invocation.stdin_eof) == (b"", True)
    assert (invocation.status, invocation.result) == (0, None)


@pytest.mark.parametrize(("size", "limit"), [(_SOME, "20"), (_MUCH, "90")])
def test_only_the_highest_limit_that_is_crossed_warns(
    caller: Caller, size: int, limit: str
) -> None:
    user = caller.new_user()
    assert caller.deliver(user, mail_of(size)).startswith("250 ")
    (invocation,) = caller.invocations("quota-warning", 1)
    warning(invocation, limit, user)


def test_a_limit_warns_when_it_is_crossed_and_not_above_it(caller: Caller) -> None:
    user = caller.new_user()
    for _ in range(2):
        caller.deliver(user, mail_of(_SOME))
    caller.doveadm("expunge", "-u", user, "mailbox", "INBOX", "all")
    over, under = caller.invocations("quota-warning", 2)
    warning(over, "20", user)
    warning(under, "below", user)


def test_delivery_waits_for_no_answer(caller: Caller) -> None:
    user = caller.new_user()
    caller.fake.script("quota-warning").reply([3600.0])
    assert caller.deliver(user, mail_of(_SOME)).startswith("250 ")
    (invocation,) = caller.invocations("quota-warning", 1)
    assert (invocation.args, invocation.status) == (("20", user), None)


def test_delivery_minds_no_failure(caller: Caller) -> None:
    user = caller.new_user()
    caller.fake.script("quota-warning").reply(b"too late\n", exit=3)
    assert caller.deliver(user, mail_of(_SOME)).startswith("250 ")
    (invocation,) = caller.invocations("quota-warning", 1)
    assert invocation.status == 3
    assert len(caller.mails(user)) == 1


def test_a_quota_flag_that_is_wrong(caller: Caller) -> None:
    """The last argument is what the flag says."""
    user = caller.new_user()
    caller.configure("over", "quota", "quota-over")
    assert not caller.status(user, "over").errors
    (invocation,) = caller.invocations("quota-warning", 1)
    warning(invocation, "mismatch", user, "TRUE")


def test_a_service_named_by_its_whole_path(caller: Caller) -> None:
    user = caller.new_user()
    caller.configure("absolute", "quota-absolute")
    saved = caller.doveadm("save", "-u", user, configuration="absolute", stdin=mail_of(_SOME))
    assert (saved.status, saved.errors) == (0, "")
    (invocation,) = caller.invocations("quota-warning", 1)
    warning(invocation, "20", user)
