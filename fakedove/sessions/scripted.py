"""One answer of a script service that stands in for a program's."""

from __future__ import annotations

import math
from collections import deque

from fakedove.double import handling
from fakedove.double.invocations import Invocation
from fakedove.double.script_reply import Answer, Handling, ScriptEnd, ScriptReply, replied
from fakedove.plan import (
    SILENCE,
    Call,
    Called,
    Close,
    Event,
    HalfClose,
    Plan,
    Reset,
    Step,
    Wait,
    Waited,
)
from fakedove.sessions.script_ending import ScriptEnding
from fakedove.sessions.script_stream import ScriptStream

_ALARM_SIGNAL = 14


class Scripted:
    """Says what a stub was told to say, piece by piece, and keeps what the client sends."""

    def __init__(
        self,
        answer: Answer,
        invocation: Invocation,
        stream: ScriptStream,
        ending: ScriptEnding,
        alarm: int,
    ) -> None:
        """Answer for `invocation`; `alarm` is in seconds, 0: never."""
        self._answer = answer
        self._invocation = invocation
        self._stream = stream
        self._ending = ending
        self._until_alarm = float(alarm or math.inf)
        self._reply = ScriptReply()
        self._left: deque[bytes | float] = deque()
        #: What is waited for is the alarm.
        self._rings = False
        self._drains = False

    @property
    def owes_result(self) -> bool:
        """Whether there would have been a result code if the client had waited for it."""
        return self._ending.owes_result and self._reply.end is ScriptEnd.RESULT

    def begin(self) -> Plan:
        """Answer, unless a function wants to see all of stdin first."""
        answer = self._answer
        if isinstance(answer, ScriptReply):
            return self._say(answer)
        return SILENCE if answer.read_stdin else self._ask(answer)

    def receive(self, data: bytes) -> Plan:
        """Take a part of stdin, b"" for its end."""
        had_ended = self._stream.stdin_ended
        self._stream.stdin(data)
        if self._drains:
            return SILENCE if data else self._ending.over(Close())
        if had_ended or not self._stream.stdin_ended:
            return SILENCE
        assert isinstance(self._answer, Handling)
        return self._ask(self._answer)

    def wake(self, event: Event) -> Plan:
        """Go on after a pause, or with what a function found."""
        match event:
            case Called(result):
                return self._say(replied(result))
            case Waited() if self._rings:
                return self._ring()
        return self._go_on()

    def _ask(self, answer: Handling) -> Plan:
        found, awaited = handling.find(answer.function, self._invocation)
        return self._say(replied(found)) if awaited is None else (Call(awaited),)

    def _say(self, reply: ScriptReply) -> Plan:
        self._reply = reply
        self._left.extend((reply.delay, *reply.pieces))
        if reply.end is ScriptEnd.HANG:
            self._left.append(math.inf)
        return self._go_on()

    def _go_on(self) -> Plan:
        """Say what is left up to the next pause."""
        steps: list[Step] = []
        while self._left:
            piece = self._left.popleft()
            if isinstance(piece, bytes):
                steps += self._stream.stdout(piece)
            elif piece:
                return (*steps, self._pause(piece))
        return (*steps, *self._finish())

    def _pause(self, seconds: float) -> Wait:
        if seconds < self._until_alarm:
            self._until_alarm -= seconds
            return Wait(seconds)
        self._left.appendleft(seconds - self._until_alarm)
        self._rings = True
        return Wait(self._until_alarm)

    def _ring(self) -> Plan:
        """Do what happens to a program whose time is over."""
        self._rings, self._until_alarm = False, math.inf
        if not self._ending.answers:
            return self._ending.ended(-_ALARM_SIGNAL)
        # It goes on, but its result is not waited for.
        return (*self._ending.interrupted(), *self._go_on())

    def _finish(self) -> Plan:
        reply = self._reply
        if reply.stderr:
            self._ending.log.stderr(reply.stderr)
        if reply.end is ScriptEnd.CLOSE:
            return self._ending.over(Close())
        if reply.end is ScriptEnd.RESET:
            return self._ending.over(Reset())
        result = self._ending.result(reply.exit, reply.result)
        if not reply.drain or self._stream.stdin_ended:
            return self._ending.over(*self._stream.end(), *result, Close())
        self._drains = True
        return (*self._stream.end(), *result, HalfClose())
