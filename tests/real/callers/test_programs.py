"""Real programs behind fakedove's script service, run for a real Dovecot."""

from __future__ import annotations

import re

import pytest

from tests.real.callers.caller import Caller

pytestmark = pytest.mark.real

_MAIL = b"Subject: lines\r\n\r\nfirst\r\n.second\r\n"


def test_a_filter(caller: Caller) -> None:
    user = caller.new_user()
    caller.write_sieve(user, 'require "vnd.dovecot.filter"; filter "upper"; keep;')
    assert caller.deliver(user, _MAIL).startswith("250 ")
    (mail,) = caller.mails(user)
    assert mail.data.endswith(b"\nSUBJECT: LINES\n\nFIRST\n.SECOND\n")
    (invocation,) = caller.invocations("upper", 1)
    assert (invocation.status, invocation.result) == (0, b"+\n")


@pytest.mark.parametrize(("status", "kept"), [(0, 0), (3, 1)])
def test_what_a_program_is_told_and_how_it_ends(caller: Caller, status: int, kept: int) -> None:
    user = caller.new_user()
    caller.write_sieve(user, f'require "vnd.dovecot.pipe"; pipe "told" ["a word", "{status}"];')
    assert caller.deliver(user, _MAIL).startswith("250 ")
    assert len(caller.mails(user)) == kept
    (invocation,) = caller.invocations("told", 1)
    assert (invocation.status, invocation.env["USER"]) == (status, user)
    log = [str(line) for line in caller.fake.log]
    assert log[0] == f"told: Error: {user} heard a word"
    assert log[1:] == (
        [f"told: Error: Script terminated abnormally, exit status {status}"] if status else []
    )


def test_a_program_that_does_not_read_fails_even_if_it_succeeds(caller: Caller) -> None:
    user = caller.new_user()
    caller.write_sieve(user, 'require "vnd.dovecot.pipe"; pipe "deaf";')
    assert caller.deliver(user, _MAIL).startswith("250 ")
    assert len(caller.mails(user)) == 1
    (invocation,) = caller.invocations("deaf", 1)
    assert (invocation.status, invocation.result) == (0, b"+\n")
    (error, *_) = caller.log(user, 1)
    # It depends on who is first.
    assert re.search(
        r"/run/sieve-pipe/deaf: (read\(program stdout\)|write\(program stdin\)) failed: "
        r".*(Connection reset by peer|Broken pipe)$",
        error,
    )
