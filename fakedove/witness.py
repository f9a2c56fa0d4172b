"""What a test tells a fake to expect and to answer, and what it asks afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation, Invocations
from fakedove.double.journal import Journal
from fakedove.double.patterns import Texts
from fakedove.double.selecting import Selected
from fakedove.double.selection import Arguments, Selection
from fakedove.double.stubs import Expectation, Stub, Stubs
from fakedove.errors import ExpectationError, StubError
from fakedove.net.waiting import first_found
from fakedove.sessions.world import World


class Witness:
    """A fake as its test sees it: stubs, expectations, what happened, and what went wrong."""

    def __init__(self) -> None:
        #: What was asked and answered.
        self.journal = Journal()
        #: What script services were asked to run.
        self.invocations = Invocations()

    @property
    def _world(self) -> World:
        """What is in force now."""
        raise NotImplementedError

    @property
    def _crashes(self) -> list[Exception]:
        """What was raised in the fake itself."""
        raise NotImplementedError

    # What it answers

    @property
    def stubs(self) -> Stubs:
        """The answers that stand in for the store's; see `on`."""
        return self._world.stubs

    def on(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        line: bytes | None = None,
        times: int | None = None,
    ) -> Stub:
        """Select commands to be answered by a stub; see `Stubs.on`."""
        return self.stubs.on(
            command, user=user, args=args, listener=listener, line=line, times=times
        )

    def expect(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        line: bytes | None = None,
        times: int | None = None,
    ) -> Expectation:
        """Expect a command before the fake is checked or ends; see `Stubs.expect`."""
        return self.stubs.expect(
            command, user=user, args=args, listener=listener, line=line, times=times
        )

    def forget_stubs(self) -> None:
        """Take all stubs and expectations away, whatever is wrong with them."""
        self.stubs.clear()
        self._world.script_stubs.clear()

    # What happened

    def assert_called(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        times: int | None = None,
    ) -> None:
        """Raise AssertionError unless a command was called, just `times` times if given.

        What is meant is said as for `Stubs.on`. The message shows the journal.
        """
        count = len(self.journal.commands(command, user=user, args=args, listener=listener))
        if count == times or (times is None and count):
            return
        wanted = "called" if times is None else f"called {times} times"
        named = _named(command, user, args, listener)
        self._fail(f"{named} was not {wanted}, but {count} times")

    def assert_not_called(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
    ) -> None:
        """Raise AssertionError if a command was called; see `assert_called`."""
        if count := len(self.journal.commands(command, user=user, args=args, listener=listener)):
            named = _named(command, user, args, listener)
            self._fail(f"{named} was called, {count} times")

    def _fail(self, problem: str) -> NoReturn:
        raise AssertionError(f"{problem}; the journal:\n{self.journal.describe()}")

    async def wait_for(
        self, command: str, *, user: str | None = None, timeout: float = 5.0
    ) -> Exchange:
        """Return the newest exchange of `command`, waiting up to `timeout` seconds for one.

        Raises TimeoutError, which shows the journal.
        """
        found = await first_found(
            self.journal.followers, lambda: self.journal.commands(command, user=user), timeout
        )
        if found is not None:
            return found
        raise TimeoutError(
            f"no {_named(command, user)} within {timeout:g} seconds; "
            f"the journal:\n{self.journal.describe()}"
        )

    async def wait_for_invocation(
        self,
        script: str | None = None,
        *,
        args: Sequence[str] | None = None,
        timeout: float = 5.0,
    ) -> Invocation:
        """Return the newest invocation of a script service that is over, or wait for one.

        `script` is the NAME of [script.NAME], `args` are all of its client's arguments, None
        any; `timeout` is in seconds. Raises TimeoutError, which shows all invocations.
        """
        found = await first_found(
            self.invocations.followers, lambda: self.invocations.over(script, args), timeout
        )
        if found is not None:
            return found
        named = "script" if script is None else f'script "{script}"'
        raise TimeoutError(
            f"no {named} was run to its end within {timeout:g} seconds; "
            f"the invocations:\n{self.invocations.describe()}"
        )

    def unfinished_stderr(self, script: str) -> bytes:
        """Return what the programs of [script.NAME] wrote to stderr since their last line end.

        A line of the log ends where theirs does, whichever of them it is that ends it.
        """
        return bytes(self._world.script_stderr.get(script, b""))

    def check(self) -> None:
        """Raise, once, what went wrong in the fake, and what is wrong with stubs.

        That is StubError for stubs without answer, ExpectationError for expectations that are
        not met and for commands that nothing matched where that is an error.
        """
        raise_all(self._take_problems())

    def take_complaints(self) -> list[str]:
        """Return, once, what `check` would raise about stubs and expectations, in words."""
        return [str(one) for one in self._take_stub_problems()]

    def verify(self) -> None:
        """Raise ExpectationError for what was expected and has not come so far."""
        raise_all(self._unmet())

    def raise_crashes(self) -> None:
        """Raise, once, the exceptions that happened in the fake itself."""
        raise_all(self._take_crashes())

    # What went wrong

    def _take_crashes(self) -> list[Exception]:
        crashes = self._crashes
        taken = crashes.copy()
        crashes.clear()
        return taken

    def _stub_problems(self) -> list[Exception]:
        stubs = self.stubs
        unmatched = [ExpectationError(stubs.explain_unmatched(one)) for one in stubs.unmatched]
        return [*self._unmet(), *self._unarmed(), *unmatched]

    def _unmet(self) -> list[Exception]:
        exchanges, invocations = tuple(self.journal), tuple(self.invocations)
        told = [one.explain(exchanges) for one in self.stubs.unmet()]
        told += [one.explain(invocations) for one in self._world.script_stubs.unmet()]
        return [ExpectationError(one) for one in told]

    def _unarmed(self) -> list[Exception]:
        world = self._world
        unarmed: list[Selected[Any]] = [*world.stubs.unarmed(), *world.script_stubs.unarmed()]
        return [StubError(one.complaint) for one in unarmed]

    def _take_stub_problems(self) -> list[Exception]:
        problems = self._stub_problems()
        world = self._world
        world.stubs.forget_problems()
        world.script_stubs.forget_problems()
        return problems

    def _take_problems(self) -> list[Exception]:
        return [*self._take_crashes(), *self._take_stub_problems()]


def _named(
    command: Texts,
    user: Texts | None,
    args: Arguments | None = None,
    listener: str | None = None,
) -> str:
    told = f'"{command}"'
    if user is not None:
        told += f' of user "{user}"'
    if args is not None:
        told += f" with {Selection(command, None, args, None, None).shown_args}"
    return told if listener is None else f'{told} at "{listener}"'


def raise_all(problems: Sequence[Exception]) -> None:
    """Raise what went wrong, several things as a group; nothing if nothing did."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ExceptionGroup("several things went wrong in the fake", problems)
