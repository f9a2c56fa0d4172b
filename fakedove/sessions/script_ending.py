"""How an invocation of a script service ends: the result code, the log, the journal."""

from __future__ import annotations

from fakedove.double.invocations import Invocation
from fakedove.dovecot import scripts
from fakedove.plan import Close, Plan, Send, Step
from fakedove.sessions.script_log import ScriptLog
from fakedove.sessions.world import World


class ScriptEnding:
    """The end of one invocation, by a program or by a stub in its place."""

    def __init__(self, world: World, invocation: Invocation, log: ScriptLog) -> None:
        self._world = world
        self._invocation = invocation
        self.log = log
        #: The client wants a result code.
        self.answers = False
        #: Nobody waits for the program any longer.
        self._given_up = False

    @property
    def owes_result(self) -> bool:
        """Whether the client wants a result code and has none yet."""
        return self.answers and not self._given_up

    def ended(self, status: int, pid: int | None = None) -> Plan:
        """Say how the program ended, and close."""
        return self.over(*self.result(status, pid=pid), Close())

    def result(self, status: int, raw: bytes | None = None, *, pid: int | None = None) -> Plan:
        """Return the result code of an exit status, or of a signal as a negative number.

        `raw` stands in for it; b"" is none.
        """
        if self._given_up:
            return ()
        self._given_up = True
        self._invocation.status = status
        if not self.answers:
            if status:
                self.log.child_end(self.any_pid() if pid is None else pid, status)
            return () if not raw else self._send(raw)
        if status:
            self.log.line(scripts.abnormal_end(status))
        return self._send(_code(status) if raw is None else raw)

    def interrupted(self) -> Plan:
        """Return the result code of a program that is not waited for any longer."""
        self.log.line(scripts.WAIT_INTERRUPTED)
        self._given_up = True
        return self._send(scripts.FAILURE)

    def over(self, *steps: Step) -> Plan:
        """End the connection, with the journal complete before the client can see it."""
        self.finish()
        return steps

    def finish(self) -> None:
        """Note that nothing more will happen."""
        self._world.invocations.finish(self._invocation, self._world.store.clock.now())

    def any_pid(self) -> int:
        """Return the number of a process that there might have been."""
        return self._world.random.randrange(2, 32768)

    def _send(self, code: bytes) -> Plan:
        self._invocation.result = code or None
        return (Send(code),) if code else ()


def _code(status: int) -> bytes:
    return scripts.FAILURE if status else scripts.SUCCESS
