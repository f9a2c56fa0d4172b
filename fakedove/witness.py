"""What a test tells a fake to expect and to answer, and what it asks afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from fakedove.double import explaining
from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation, Invocations
from fakedove.double.journal import Journal
from fakedove.double.patterns import Texts
from fakedove.double.selecting import Selected, check_times
from fakedove.double.selection import Looking, Selecting, Selection, told
from fakedove.double.spelling import Spelling
from fakedove.double.stubs import Expectation, Stub, Stubs
from fakedove.errors import ExpectationError, StubError
from fakedove.net.waiting import first_found
from fakedove.sessions.world import World

#: Unmet expectations, or commands that nothing matched, that are explained, and named.
_MOST_EXPLAINED, _MOST_NAMED = 3, 10


class Witness:
    """A fake as its test sees it: stubs, expectations, what happened, and what went wrong."""

    def __init__(self, spelling: Spelling) -> None:
        """`spelling` knows the names of the listeners."""
        #: What was asked and answered.
        self.journal = Journal(spelling=spelling)
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
        self, command: Texts, *, times: int | None = None, **selecting: Unpack[Selecting]
    ) -> Stub:
        """Select commands to be answered by a stub; see `Stubs.on`."""
        return self.stubs.on(command, times=times, **selecting)

    def expect(
        self, command: Texts, *, times: int | None = None, **selecting: Unpack[Selecting]
    ) -> Expectation:
        """Expect a command before the fake is checked or ends; see `Stubs.expect`."""
        return self.stubs.expect(command, times=times, **selecting)

    def forget_stubs(self) -> None:
        """Take all stubs and expectations away, whatever is wrong with them."""
        self.stubs.clear()
        self._world.script_stubs.clear()

    # What happened

    def assert_called(
        self, command: Texts, *, times: int | None = None, **looking: Unpack[Looking]
    ) -> None:
        """Raise ExpectationError unless a command came, just `times` times if given.

        That is an AssertionError. What is meant is said as for `Journal.commands`. The message
        shows what came, or what is closest to it.
        """
        check_times(times, least=0)
        selection, found = self.journal.meant(command, looking)
        if len(found) != times if times is not None else not found:
            wanted = explaining.how_often(times)
            raise ExpectationError(self._explained(wanted, selection, found))

    def assert_not_called(self, command: Texts, **looking: Unpack[Looking]) -> None:
        """Raise ExpectationError if a command came; see `assert_called`."""
        self.assert_called(command, times=0, **looking)

    def _explained(self, wanted: str, selection: Selection, found: list[Exchange]) -> str:
        came = explaining.Came(len(found), found)
        return "\n".join(explaining.unmet(wanted, selection, came, tuple(self.journal)))

    async def wait_for(
        self, command: Texts, *, times: int = 1, timeout: float = 5.0, **looking: Unpack[Looking]
    ) -> Exchange:
        """Return the newest exchange that is meant when there are `times`, waiting for them.

        What is meant is said as for `Journal.commands`; with `status` the answer has to be
        complete, too. `timeout` is in seconds. Raises TimeoutError, which shows what came.
        """
        check_times(times, least=1)
        selection, _ = self.journal.meant(command, looking)

        def find() -> list[Exchange]:
            found = [one for one in self.journal if selection.means(one)]
            return found if len(found) >= times else []

        newest = await first_found(self.journal.watchers, find, timeout)
        if newest is not None:
            return newest
        _, found = self.journal.meant(command, looking)
        wanted = f"{explaining.how_often(times)} within {timeout:g} seconds"
        raise TimeoutError(self._explained(wanted, selection, found))

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
        came = list(stubs.unmatched)
        unmatched = [
            *(ExpectationError(stubs.explain_unmatched(one)) for one in came[:_MOST_EXPLAINED]),
            *_merely_named([told(one) for one in came]),
        ]
        return [*self._unmet(), *self._unarmed(), *unmatched]

    def _unmet(self) -> list[Exception]:
        exchanges, invocations = tuple(self.journal), tuple(self.invocations)
        stubs, script_stubs = self.stubs.unmet(), self._world.script_stubs.unmet()
        told = [one.explain(exchanges) for one in stubs[:_MOST_EXPLAINED]]
        told += [one.explain(invocations) for one in script_stubs[:_MOST_EXPLAINED]]
        errors: list[Exception] = [ExpectationError(one) for one in told]
        for unmet in (stubs, script_stubs):
            errors += _merely_named([repr(one) for one in unmet])
        return errors

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


def _merely_named(told: list[str]) -> list[Exception]:
    """Return an error that names those behind the ones that are explained."""
    others = told[_MOST_EXPLAINED:]
    if not others:
        return []
    more = len(others) - _MOST_NAMED
    lines = [f"{len(others):,} more like this:", *(f"  {one}" for one in others[:_MOST_NAMED])]
    return [ExpectationError("\n".join([*lines, f"  ... {more:,} more"] if more > 0 else lines))]


def raise_all(problems: Sequence[Exception]) -> None:
    """Raise what went wrong, several things as a group; nothing if nothing did."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ExceptionGroup("several things went wrong in the fake", problems)
