"""Recorded deliveries, made again: a real Dovecot meets fakedove and does as it was seen to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakedove import Invocation
from tests.real.callers.answers import arm
from tests.real.callers.caller import Caller
from tests.real.callers.left_out import ELSEWHERE, LEFT_OUT
from tests.real.callers.recorded import Connection, Recorded, load, steady
from tests.real.callers.test_execute_blocks import recordings
from tests.replay.scripts import records, text

pytestmark = pytest.mark.real

_RECORDED = [pytest.param(one, id=f"{one.dovecot}-{one.id}") for one in load()]


@pytest.mark.parametrize("recorded", _RECORDED)
def test_a_recorded_delivery(recorded: Recorded, caller_of: Callable[[str], Caller]) -> None:
    caller = caller_of(recorded.dovecot)
    caller.write_sieve(recorded.user, recorded.script)
    for connection in recorded.connections:
        if connection.service.startswith("sieve"):
            arm(caller.fake.script(connection.service), recorded.id, connection)

    answer = caller.deliver(recorded.user, recorded.mail, *recorded.options)

    assert steady(answer, caller) == steady(recorded.answer, caller)
    assert stored(recorded, caller) == [steady_mail(one, caller) for one in recorded.mails]
    log = caller.log(recorded.user, len(recorded.log))
    assert [steady(line, caller) for line in log] == [steady(line, caller) for line in recorded.log]
    for service in {one.service for one in recorded.connections}:
        expected = [one for one in recorded.connections if one.service == service]
        found = caller.invocations(service, len(expected))
        for connection, invocation in zip(expected, found, strict=True):
            compare(connection, invocation, caller)


def steady_mail(mail: tuple[str, int, str], caller: Caller) -> tuple[str, int, str]:
    folder, size, end = mail
    return folder, size, steady(end, caller)


def stored(recorded: Recorded, caller: Caller) -> list[tuple[str, int, str]]:
    """Return the mails that there are now, as far as recordings show them."""
    ends = [len(end) for _, _, end in recorded.mails] or [0]
    return [
        (one.folder, len(one.data), steady(one.data.decode("latin-1")[-ends[0] :], caller))
        for one in caller.mails(recorded.user)
    ]


def compare(connection: Connection, invocation: Invocation, caller: Caller) -> None:
    """Compare what the client sent."""
    sent = (invocation.raw_header + invocation.stdin).decode("latin-1")
    header = steady(sent.partition("\n\n")[0], caller)
    if connection.did("recv"):
        assert header == steady(connection.header, caller)
    if connection.heard is not None:
        assert steady(sent, caller) == steady(connection.heard, caller)
    if connection.did("eof") and not connection.did("error"):
        assert invocation.stdin_eof


def test_every_recording_is_made_again_or_named() -> None:
    made = {one.id for one in load()} | {text(one, "id") for one in recordings()}
    named = LEFT_OUT.keys() | ELSEWHERE.keys()
    assert not made & named
    assert made | named == {text(one, "id") for one in records("script-clients.jsonl.xz")}
