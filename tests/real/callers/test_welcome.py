"""The welcome plugin of a real Dovecot: who waits hears how it ended, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from fakedove import ScriptStub
from tests.real.callers.caller import Caller

pytestmark = pytest.mark.real

Arm: TypeAlias = Callable[[ScriptStub], object]

#: What a service may answer.
_ANSWERS: Mapping[str, Arm] = {
    "success": lambda stub: stub.reply(),
    "late success": lambda stub: stub.reply(delay=0.3),
    "failure": lambda stub: stub.reply(exit=3),
    "output": lambda stub: stub.reply(b"out\n"),
    "no code": lambda stub: stub.close(),
    "code without LF": lambda stub: stub.reply(result=b"+"),
    "unknown code": lambda stub: stub.reply(result=b"X\n"),
}

#: What Dovecot says to that on stderr, behind the service's name, in the release that has a
#: client of its own for this, which reads once, and in the one that has not.
_ERRORS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "2.3.19.1": {
        "failure": ("Script returned error",),
        "output": ("Script returned error",),
        "no code": ("Only 0 bytes read",),
        "code without LF": ("Only 1 bytes read",),
        "unknown code": ("Script returned error",),
    },
    "2.4.1": {
        "failure": ("Execution failed: 0",),
        "no code": ("No result code received from remote", "Execution failed: -1"),
        "code without LF": ("Received too short result code from remote", "Execution failed: -1"),
        "unknown code": ("Unexpected result code 'X'", "Execution failed: -1"),
    },
}

_NAMED = {"2.3.19.1": "{{dir}}/run/welcome failed: ", "2.4.1": "execute unix:{{dir}}/run/welcome: "}


@pytest.mark.parametrize("answer", _ANSWERS)
def test_who_waits_hears_how_it_ended(caller: Caller, answer: str) -> None:
    user = caller.new_user()
    _ANSWERS[answer](caller.fake.script("welcome"))

    said = caller.status(user)

    prefix = f"doveadm({user}): Error: welcome: {caller.filled(_NAMED[caller.release])}"
    errors = _ERRORS[caller.release].get(answer, ())
    assert said.errors.splitlines() == [f"{prefix}{text}" for text in errors]
    # The mailbox is there whatever the service said.
    assert (said.status, said.output) == (0, "INBOX messages=0\n")
    (invocation,) = caller.invocations("welcome", 1)
    assert invocation.raw_header == f"VERSION\tscript\t4\t0\n-\nhello\n{user}\n\n".encode()
    assert (invocation.stdin, invocation.env) == (b"", {})


def test_who_does_not_wait(caller: Caller) -> None:
    user = caller.new_user()
    caller.configure("no-wait", "quota", "welcome-no-wait")
    caller.fake.script("welcome").reply([3600.0], exit=3)
    said = caller.status(user, "no-wait")
    assert (said.status, said.output, said.errors) == (0, "INBOX messages=0\n", "")
    (invocation,) = caller.invocations("welcome", 1)
    assert invocation.raw_header == f"VERSION\tscript\t4\t0\nnoreply\nhello\n{user}\n\n".encode()
    assert invocation.status is None


def test_a_user_is_welcomed_once(caller: Caller) -> None:
    user = caller.new_user()
    for _ in range(2):
        caller.status(user)
    assert len(caller.invocations("welcome", 1)) == 1


def test_2_3_waits_for_half_a_minute(caller_of: Callable[[str], Caller]) -> None:
    """Its client has a limit of its own; 2.4 waits as long as the service takes."""
    caller = caller_of("2.3.19.1")
    user = caller.new_user()
    caller.fake.script("welcome").hang()
    words = ("mailbox", "status", "-u", user, "messages", "INBOX")
    said = caller.doveadm(*words, patience=45)
    problem = caller.filled("read({{dir}}/run/welcome) failed: Interrupted system call")
    assert said.errors == f"doveadm({user}): Error: welcome: {problem}\n"
    assert (said.status, said.output) == (0, "INBOX messages=0\n")
