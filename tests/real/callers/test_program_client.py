"""Our program client beside the real one: asked for the same, both log the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

import fakedove
from fakedove import ScriptStub, Verdict
from fakedove.dovecot.reply import Level
from tests.real import install
from tests.real.callers.caller import Caller, mail_of

pytestmark = pytest.mark.real

_LATE = 0.1

Arm: TypeAlias = Callable[[ScriptStub], object]

_ANSWERS: Mapping[str, Arm] = {
    "success": lambda stub: stub.reply(b"out\n"),
    "failure": lambda stub: stub.reply(b"out\n", exit=1),
    "nothing": lambda stub: stub.reply(result=b""),
    "too short": lambda stub: stub.reply(b"out", result=b""),
    "unexpected": lambda stub: stub.reply(b"out\n", result=b""),
    "unexpected, not printed": lambda stub: stub.reply(b"out\r\n", result=b""),
    # Late enough for the real client to have written its stdin, which follows the header.
    "unread stdin": lambda stub: stub.reply(drain=False, delay=_LATE),
    "unread stdin behind output": lambda stub: stub.reply(
        b"x" * 5000 + b"\n", drain=False, delay=_LATE
    ),
    "unread stdin behind much": lambda stub: stub.reply(b"x" * 9000, drain=False, delay=_LATE),
    "no end": lambda stub: stub.hang(b"out"),
}

_PROGRAMS = {
    "success": "cat >/dev/null",
    "exit status": "cat >/dev/null; exit 3",
    "signal": "cat >/dev/null; kill -9 $$",
    "unread stdin": "exit 0",
}

_PIPE = 'require "vnd.dovecot.pipe"; pipe "prog" ["a b"];'
_EXECUTE = 'require "vnd.dovecot.execute"; execute :pipe "program"; discard;'

#: What Sieve's programs may take, in seconds, as the configurations have it.
_SECONDS = 1.0

_MAIL = b"Subject: x\r\n\r\nbody\r\n"
#: More than a pipe holds.
_BIG_MAIL = mail_of(80_000)


def real_lines(caller: Caller, user: str, target: str, *, fails: bool) -> list[str]:
    """Return what the real client logged, once Sieve has said what became of the mail."""
    lines = caller.log(user, 2 if fails else 1)
    found = [re.search(r"(Info|Error): (?:sieve: )?((?:program|execute) .*)", one) for one in lines]
    return [steady(f"{one[1]}: {one[2]}") for one in found if one is not None and target in one[2]]


def our_lines(done: fakedove.Execution) -> list[str]:
    """Return what ours logged in the same form."""
    told = [one for one in done.log if one.prefix and one.level is not Level.DEBUG]
    return [steady(f"{one.level.name.title()}: {(one.prefix + one.text).decode()}") for one in told]


def steady(line: str) -> str:
    return re.sub(r"\(\d+\)", "(PID)", line)


def delivered(caller: Caller, script: str, mail: bytes) -> str:
    """Deliver a mail to a new user with a script; return who it is."""
    user = caller.new_user()
    caller.write_sieve(user, script)
    caller.deliver(user, mail)
    return user


@pytest.mark.parametrize("release", install.RELEASES)
@pytest.mark.parametrize("name", _ANSWERS)
def test_a_service(name: str, release: str, caller_of: Callable[[str], Caller]) -> None:
    caller = caller_of(release)
    _ANSWERS[name](caller.fake.script("sieve-pipe"))
    target = f"unix:{caller.fake.path('sieve-pipe')}"
    user = delivered(caller, _PIPE, _MAIL)
    done = fakedove.execute(
        target, ["a b"], stdin=_MAIL, output=False, timeout=_SECONDS, dovecot=release
    )
    fails = done.verdict is not Verdict.SUCCESS
    assert bool(caller.mails(user)) == fails
    assert our_lines(done) == real_lines(caller, user, target, fails=fails)


@pytest.mark.parametrize("release", install.RELEASES)
@pytest.mark.parametrize("name", _PROGRAMS)
def test_a_program(name: str, release: str, caller_of: Callable[[str], Caller]) -> None:
    caller = caller_of(release)
    folder = caller.folder / "bin"
    folder.mkdir(exist_ok=True)
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{_PROGRAMS[name]}\n")
    path.chmod(0o755)
    user = delivered(caller, _EXECUTE, _BIG_MAIL)
    done = fakedove.execute(
        f"fork:{path}", stdin=_BIG_MAIL, output=False, timeout=_SECONDS, dovecot=release
    )
    # An action `execute` is content with a failure.
    fails = done.verdict is Verdict.INTERNAL_FAILURE
    assert bool(caller.mails(user)) == fails
    assert our_lines(done) == real_lines(caller, user, f"exec:{path}", fails=fails)
