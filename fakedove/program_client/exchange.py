"""What a program client says to a service and concludes from what it hears, without I/O.

Both directions go on at the same time: whoever has the connection sends what is `unsent` and
hands over what comes, until the exchange is `over`.
"""

from __future__ import annotations

from fakedove.dovecot import program_client as texts
from fakedove.dovecot.program_client import Verdict
from fakedove.dovecot.reply import Level
from fakedove.program_client.call import Call
from fakedove.program_client.outcome import Execution, ProgramLog
from fakedove.wire.program_client import AnswerReader, request


class Exchange:
    """One call of a service."""

    def __init__(self, call: Call, log: ProgramLog) -> None:
        self._call = call
        self._log = log
        self._reader = AnswerReader(coded=call.wants_code, dotstream=call.dotstream)
        self._output: list[bytes] = []
        self._verdict = Verdict.SUCCESS
        self._result: bytes | None = None
        dialect = call.release.script.dialect
        self.unsent = memoryview(
            request(call.header, dialect, call.stdin, dotstream=call.dotstream)
        )
        #: More of the answer is awaited.
        self.reading = call.waits
        self._failed = False

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self._failed or not (self.unsent or self.reading)

    def sent(self, count: int) -> None:
        """Learn that `count` bytes have left; after the last one the writing side is closed.

        It is gone on with behind the end of the answer too, as the real client does.
        """
        self._call.tell("C", bytes(self.unsent[:count]))
        self.unsent = self.unsent[count:]
        if self.unsent:
            return
        if self._call.stdin is not None:
            self._log.add_stream(texts.SENT)

    def receive(self, data: bytes) -> None:
        """Take a part of the answer, b"" for its end."""
        self._call.tell("S", data)
        if data:
            self._output.append(self._reader.feed(data))
        else:
            self._conclude()

    def timed_out(self) -> None:
        """Learn that the time is over."""
        self._log.add_timeout(self._call.timeout)
        self.fail()

    def read_failed(self, reason: str) -> None:
        """Learn that the connection broke while the answer was awaited."""
        self._log.add(texts.broken(self._reader.room, reason))
        self.fail()

    def write_failed(self, reason: str) -> None:
        """Learn that the service does not read what it is sent."""
        self._log.add_worded(Level.ERROR, self._log.words.unsent, reason=reason.encode())
        self.fail()

    def fail(self) -> None:
        """End without a verdict."""
        self._verdict = Verdict.INTERNAL_FAILURE
        self._failed = True

    def execution(self) -> Execution:
        """Return what it came to."""
        output = b"".join(self._output) if self._call.wants_output else b""
        return Execution(self._verdict, output, tuple(self._log.records), result=self._result)

    def _conclude(self) -> None:
        answer = self._reader.end()
        self._verdict = texts.verdict(answer)
        if answer.code in (b"+\n", b"-\n"):
            self._result = answer.code
        line = texts.code_line(answer)
        if line is not None and self._log.words.tells_code:
            self._log.add(line)
        if answer.dot_missing:
            self._log.add(texts.read_failure(texts.DOT_MISSING))
        elif self._call.wants_output:
            self._log.add_stream(texts.RECEIVED)
        self.reading = False
