"""Answers of a program that make a real LMTP server die: it does so as recorded, and goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from fakedove import ScriptStub
from tests.real.callers.caller import Caller
from tests.real.callers.recorded import connections, log_lines, steady
from tests.replay.scripts import Step, records, text

pytestmark = pytest.mark.real

_MAIL = b"Subject: subj\r\n\r\nbody line\r\n"
_EXECUTE = 'require ["vnd.dovecot.execute", "variables"]; execute :output "o" "prog"; keep;'
_FILTER = 'require "vnd.dovecot.filter"; filter "prog"; keep;'
_TWO_PIPES = """require ["vnd.dovecot.pipe", "vnd.dovecot.execute", "copy"];
pipe :copy "prog" ["1"]; execute "prog" ["2"]; pipe "prog" ["3"];
"""

#: By recording: the Sieve script, and what the service does.
_CASES: Mapping[str, tuple[str, Callable[[ScriptStub], object]]] = {
    "more-filter-hang-no-output": (_FILTER, lambda stub: stub.hang(read_stdin=True)),
    "more-execute-hang": (_EXECUTE, lambda stub: stub.hang(b"part")),
    "thr-execute-output-8200": (_EXECUTE, lambda stub: stub.reply(b"x" * 8200)),
    "thr-execute-output-16384": (_EXECUTE, lambda stub: stub.reply(b"x" * 16384)),
    "more-pipe-two-commands": (_TWO_PIPES, lambda stub: stub.reply()),
}

_RECORDED = [
    pytest.param(one, id=f"{one['dovecot']}-{one['id']}")
    for one in records("script-clients.jsonl.xz")
    if one["id"] in _CASES
]

#: The log process may know by then whom the process has served, or not.
_KILLED = re.compile(r"lmtp\(.*(: Fatal: master: .*) child \d+ (killed with signal \d+).*")


@pytest.mark.parametrize("recording", _RECORDED)
def test_a_crash(recording: Step, caller_of: Callable[[str], Caller]) -> None:
    caller = caller_of(text(recording, "dovecot"))
    logged = log_lines(recording)
    (user,) = {*re.findall(r"lmtp\((\w+)\)", logged[0])}
    script, arm = _CASES[text(recording, "id")]
    caller.write_sieve(user, script)
    called = [one for one in connections(recording) if one.service.startswith("sieve")]
    for connection in called:
        arm(caller.fake.script(connection.service))
    start = len(caller.lines())

    assert caller.deliver(user, _MAIL) == ""

    assert not caller.mails(user)
    assert _told(caller.crash_log(start), user, caller) == _told(logged, user, caller)
    for connection in called:
        (invocation,) = caller.invocations(connection.service, 1)
        header = invocation.raw_header.decode("latin-1").removesuffix("\n\n")
        assert steady(header, caller) == steady(connection.header, caller)
    # The next delivery meets a new process.
    other = caller.new_user()
    assert caller.deliver(other, _MAIL).startswith("250 ")
    assert len(caller.mails(other)) == 1


def _told(lines: list[str], user: str, caller: Caller) -> list[str]:
    """Return what is told of a user's delivery and of the crash, but for the backtrace."""
    found = [_KILLED.sub(r"lmtp\1 \2", steady(line, caller)) for line in lines]
    return [
        re.sub(r"iostream in \S+", "iostream in {{tmp}}", line)
        for line in found
        if "Raw backtrace" not in line and line.startswith((f"lmtp({user})", "lmtp: Fatal: "))
    ]
