"""Stubs for script services, which answer in a program's place, and expectations of them.

`fake.script("hello")` selects, `.reply`, `.handle`, `.hang`, `.close` and `.reset` arm. What
they answer with is a `ScriptReply`: what a program would print, and how it would end.
"""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.double import explaining
from fakedove.double.invocations import Invocation
from fakedove.double.script_reply import Answer, Handler, Handling, Output, ScriptEnd, ScriptReply
from fakedove.double.selecting import NewestFirst, Selected, caller
from fakedove.double.selection import Arguments, ScriptSelection
from fakedove.errors import StubError


class ScriptStub(Selected[Answer]):
    """One `script(...)`: what it answers to, and what it has answered."""

    def __init__(
        self,
        stubs: ScriptStubs,
        selection: ScriptSelection,
        *,
        times: int | None,
        where: str,
        named: str,
    ) -> None:
        super().__init__(f"{named}({selection.criteria[0].wanted})", times, where)
        self.selection = selection
        #: The invocations it answered, oldest first.
        self.calls: list[Invocation] = []
        #: It answers as soon as a client is there.
        self.before_header = False
        self._stubs = stubs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} script({self.selection}) of {self.where}>"

    @property
    def used(self) -> int:
        """How often it has answered."""
        return len(self.calls)

    @property
    def remedy(self) -> str:
        """What would arm it."""
        return "add .reply(...), .handle(...), .hang(), .close() or .reset()"

    def reply(
        self,
        stdout: Output = b"",
        exit: int = 0,
        *,
        stderr: bytes = b"",
        delay: float = 0.0,
        result: bytes | None = None,
        drain: bool = True,
    ) -> ScriptStub:
        """Answer as a program that prints `stdout` and ends; see ScriptReply.

        Raises StubError for what no program could do.
        """
        return self._answer(stdout, exit, stderr, delay, result, drain)

    def hang(
        self, stdout: Output = b"", *, delay: float = 0.0, read_stdin: bool = False
    ) -> ScriptStub:
        """Print `stdout`, then do nothing until the client goes away.

        `read_stdin`: all of stdin is read first.
        """
        if read_stdin:
            reply = ScriptReply(stdout, delay=delay, end=ScriptEnd.HANG)
            return self.handle(lambda _: reply)
        return self._answer(stdout, delay=delay, end=ScriptEnd.HANG)

    def close(
        self, stdout: Output = b"", *, delay: float = 0.0, before_header: bool = False
    ) -> ScriptStub:
        """Print `stdout`, then close without a result code, whatever the client still sends.

        `before_header`: as soon as a client is there, before it has said anything.
        """
        self._refuse_args(before_header)
        return self._answer(stdout, delay=delay, drain=False, end=ScriptEnd.CLOSE)

    def reset(
        self, stdout: Output = b"", *, delay: float = 0.0, before_header: bool = False
    ) -> ScriptStub:
        """Do as `close` does, with a TCP reset; UNIX sockets know none.

        `before_header`: as soon as a client is there, before it has said anything.
        """
        self._refuse_args(before_header)
        return self._answer(stdout, delay=delay, drain=False, end=ScriptEnd.RESET)

    def handle(self, function: Handler, *, read_stdin: bool = True) -> ScriptStub:
        """Answer with what `function(invocation)` returns: bytes, None or a ScriptReply.

        It runs in the fake's thread, and the fake does nothing else meanwhile unless it is an
        `async def`, which may await what Trio has. `read_stdin`: it is called when the client
        has sent all of its stdin, which is in `invocation.stdin`; else when the header is
        there. What it raises fails the test, and closes the connection.
        """
        if not callable(function):
            raise StubError(f"handle() takes a function of an invocation, not {function!r}")
        return self._arm(Handling(function, read_stdin))

    def remove(self) -> None:
        """Take the stub away."""
        self._stubs.remove(self)

    def matches(self, invocation: Invocation) -> bool:
        """Whether this stub answers the invocation."""
        return self.ready and self.means(invocation)

    def means(self, invocation: Invocation) -> bool:
        """Whether it is about the invocation."""
        return self.selection.means(invocation)

    def _answer(
        self,
        stdout: Output,
        exit: int = 0,
        stderr: bytes = b"",
        delay: float = 0.0,
        result: bytes | None = None,
        drain: bool = True,
        end: ScriptEnd = ScriptEnd.RESULT,
    ) -> ScriptStub:
        try:
            return self._arm(ScriptReply(stdout, exit, stderr, delay, result, drain, end))
        except StubError:
            # That was told once already.
            self.remove()
            raise

    def _refuse_args(self, before_header: bool) -> None:
        if before_header and self.selection.args is not None:
            self.remove()
            raise StubError("before_header: there are no args yet; leave them out of script(...)")
        self.before_header = before_header


class ScriptExpectation(ScriptStub):
    """One `expect_script(...)`: an invocation that has to come.

    The service's program answers it, or an older stub, unless it is armed.
    """

    @property
    def armed(self) -> bool:
        """Whether nothing is left to be told."""
        return not self._more_follow

    @property
    def ready(self) -> bool:
        """Whether it answers itself; it does so however often."""
        return bool(self._answers) and self.armed

    @property
    def met(self) -> bool:
        """Whether it came as often as was expected, at least once if that is not said."""
        return self.used == self.times if self.times is not None else self.used > 0

    def explain(self, invocations: Sequence[Invocation]) -> str:
        """Return what was expected, and what came; not more than 20 lines."""
        came = explaining.Came(self.used, self.calls)
        wanted = explaining.how_often(self.times)
        lines = explaining.unmet(wanted, self.selection, came, invocations)
        return f"{self.where}: " + "\n".join(lines)


class ScriptStubs(NewestFirst[ScriptStub]):
    """The stubs for script services, and what is expected of those."""

    def __init__(self) -> None:
        super().__init__()
        self._expectations: list[ScriptExpectation] = []

    def script(
        self,
        script: str,
        *,
        args: Arguments | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptStub:
        """Select invocations of a script service by its name, and by their arguments.

        `args` are patterns as for `Stubs.on`; `times` bounds how often the stub answers; `where`
        names the place in the test, by default the caller's line.
        """
        selection = ScriptSelection(script, args)
        place = caller() if where is None else where
        return self._add(ScriptStub(self, selection, times=times, where=place, named="script"))

    def expect(
        self,
        script: str,
        *,
        args: Arguments | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptExpectation:
        """Expect an invocation, at least once, or just `times` times; else as `script`."""
        selection = ScriptSelection(script, args)
        place = caller() if where is None else where
        expectation = ScriptExpectation(
            self, selection, times=times, where=place, named="expect_script"
        )
        self._expectations.append(expectation)
        self._add(expectation)
        return expectation

    def unmet(self) -> list[ScriptExpectation]:
        """Return the expectations that are not met, oldest first."""
        return [one for one in self._expectations if not one.met]

    def forget_problems(self) -> None:
        """Take those away that were told of: without an answer, and not met."""
        for one in (*self.unarmed(), *self.unmet()):
            self.remove(one)

    def answer_at_once(self, invocation: Invocation) -> Answer | None:
        """Return what a stub answers to a client that has said nothing yet, None for nothing."""
        stub = self._newest(invocation)
        return self._noted(invocation, stub) if stub is not None and stub.before_header else None

    def answer(self, invocation: Invocation) -> Answer | None:
        """Return what a stub answers, None for nothing; those meant note the invocation."""
        return self._noted(invocation, self._newest(invocation))

    def _newest(self, invocation: Invocation) -> ScriptStub | None:
        return next((one for one in self if one.matches(invocation)), None)

    def _noted(self, invocation: Invocation, stub: ScriptStub | None) -> Answer | None:
        answer = None if stub is None else stub.answer
        if stub is not None and not isinstance(stub, ScriptExpectation):
            stub.calls.append(invocation)
        for one in self._expectations:
            if one.means(invocation):
                one.calls.append(invocation)
        return answer

    def remove(self, stub: ScriptStub) -> None:
        """Take one stub or expectation away; harmless if it is gone already."""
        super().remove(stub)
        self._expectations = [one for one in self._expectations if one is not stub]

    def clear(self) -> None:
        """Take all stubs and expectations away."""
        super().clear()
        self._expectations.clear()
