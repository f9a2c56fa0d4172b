"""Stubs: answers that stand in for the store's, and cannot drift from the real server.

`on(...)` selects, `.reply`, `.fail`, `.raw`, `.passthrough`, `.edit` and `.handle` arm. Rows are
mappings by column key, checked against what the command prints in this release. The newest
stub that matches wins; one that is used up falls to the next, then to the store. `expect(...)`
is a stub that has to be called.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Self, Unpack

from fakedove.double import explaining
from fakedove.double.answers import Answer, Edit
from fakedove.double.checks import Checks
from fakedove.double.exchange import Exchange
from fakedove.double.patterns import Texts
from fakedove.double.request import Handler
from fakedove.double.selecting import NewestFirst, Selected, caller
from fakedove.double.selection import Selecting, Selection, told
from fakedove.double.spelling import Spelling
from fakedove.dovecot.release import Release
from fakedove.dovecot.status import Status
from fakedove.errors import StubError

#: Exchanges that a stub keeps of those that it has answered.
CALLS_KEPT = 1_000
#: Commands that are kept where nothing matched them and that is an error.
UNMATCHED_KEPT = 100


class Stub(Selected[Answer]):
    """One `on(...)`: what it answers to, and what it has answered."""

    #: The method that makes it.
    maker = "on"

    def __init__(
        self, stubs: Stubs, selection: Selection, *, times: int | None, where: str
    ) -> None:
        super().__init__(f"{self.maker}({selection.command!r})", times, where)
        self.selection = selection
        #: Its place among all stubs, in the order of making.
        self.serial = 0
        self._stubs = stubs
        self._used = 0
        self._calls: deque[Exchange] = deque(maxlen=CALLS_KEPT)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.maker}({self.selection}) of {self.where}>"

    @property
    def calls(self) -> list[Exchange]:
        """The exchanges it answered, oldest first; the newest 1,000 of them."""
        return list(self._calls)

    @property
    def used(self) -> int:
        """How often it has answered."""
        return self._used

    def note(self, exchange: Exchange) -> None:
        """Count an exchange as one that it has answered."""
        self._used += 1
        self._calls.append(exchange)

    @property
    def remedy(self) -> str:
        """What would arm it."""
        return "add .reply(...), .fail(...), .raw(...), .passthrough(), .edit(...) or .handle(...)"

    def reply(
        self,
        rows: Iterable[Mapping[str, object]] = (),
        *,
        delay: float = 0.0,
        log: str | None = None,
    ) -> Self:
        """Answer with rows, each a mapping of every column key to its value, and `+`.

        None is printed as `-`. `delay` is in seconds; `log` is an error for the server log and
        the client's log channel. Raises StubError for a column that the command does not have
        in this release.
        """
        with self._or_removed():
            command = self.selection.command
            return self._arm(self._stubs.checks.reply(command, rows, delay=delay, log=log))

    def fail(
        self, status: str, detail: str = "", *, delay: float = 0.0, log: str | None = None
    ) -> Self:
        """Answer with a failure: "NOUSER", "TEMPFAIL", "NOTFOUND", ..., or "-" for a bare dash.

        `detail` stands behind the status, as the host of REFERRAL does; `delay` and `log` as
        for `reply`. Raises StubError for a status that this release does not have.
        """
        with self._or_removed():
            return self._arm(self._stubs.checks.failure(status, detail, delay=delay, log=log))

    def raw(self, reply: bytes, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Answer with exactly these bytes on the reply channel, status line included."""
        with self._or_removed():
            return self._arm(Answer(raw=reply, delay=delay, log=log))

    def passthrough(self, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Let the store answer, late or with an error in the log."""
        with self._or_removed():
            return self._arm(Answer(passes=True, delay=delay, log=log))

    def edit(self, function: Edit, *, delay: float = 0.0, log: str | None = None) -> Self:
        """Answer with the store's rows as `function(rows)` changes them.

        They are a list of mappings from column keys to texts; the function changes it, or
        returns other rows. The status stays the store's.
        """
        with self._or_removed():
            _check_callable("edit", "the rows", function)
            return self._arm(Answer(edit=function, delay=delay, log=log))

    def handle(self, function: Handler) -> Self:
        """Answer with what `function(request)` finds: see `Request`.

        It runs in the fake's thread, and the fake does nothing else meanwhile unless it is an
        `async def`, which may await what Trio has. What it raises fails the test, and closes
        the connection.
        """
        with self._or_removed():
            _check_callable("handle", "a request", function)
            return self._arm(Answer(handler=function))

    def remove(self) -> None:
        """Take the stub away."""
        self._stubs.remove(self)

    def matches(self, exchange: Exchange) -> bool:
        """Whether this stub answers the command."""
        return self.ready and self.selection.means(exchange)

    def _arm(self, answer: Answer) -> Self:
        return super()._arm(replace(answer, where=self.where))

    @contextmanager
    def _or_removed(self) -> Iterator[None]:
        """Take the stub away if its answer is refused: that was told once already."""
        try:
            yield
        except StubError:
            self.remove()
            raise


class Expectation(Stub):
    """One `expect(...)`: a command that has to come, answered by the store unless it is armed."""

    maker = "expect"
    least_times = 0

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
        """Whether the command came as often as was expected, at least once if that is not said."""
        return self.used == self.times if self.times is not None else self.used > 0

    def explain(self, exchanges: Sequence[Exchange]) -> str:
        """Return what was expected, and what came; not more than 20 lines."""
        came = explaining.Came(self.used, self.calls)
        wanted = explaining.how_often(self.times)
        lines = explaining.unmet(wanted, self.selection, came, exchanges)
        return f"{self.where}: " + "\n".join(lines)


class Stubs(NewestFirst[Stub]):
    """The stubs and expectations for commands."""

    def __init__(
        self, release: Release, spelling: Spelling | None = None, *, unmatched_fails: bool = False
    ) -> None:
        """`spelling` knows the listeners; `unmatched_fails`: what nothing matches fails."""
        super().__init__()
        self.checks = Checks(release)
        #: What nothing matched, where that is an error; the newest of it.
        self.unmatched: deque[Exchange] = deque(maxlen=UNMATCHED_KEPT)
        self._spelling = spelling or Spelling()
        self._unmatched_fails = unmatched_fails
        self._expectations: list[Expectation] = []
        self._made = 0
        # Where there are thousands of stubs, each for a command and a user, none is asked in
        # vain.
        self._by_key: dict[tuple[str, bytes | None], list[Stub]] = {}
        self._others: list[Stub] = []

    def __repr__(self) -> str:
        return f"<Stubs: {list(self)!r}>"

    def on(
        self,
        command: Texts,
        *,
        times: int | None = None,
        where: str | None = None,
        **selecting: Unpack[Selecting],
    ) -> Stub:
        """Select commands by name, and by `user`, `args`, `listener` and `line`.

        In texts `*` and `?` match; `fakedove.patterns` has others. `user` is the username
        field. `args` are compared as a person writes them: `-u USER` and `--`, which the
        doveadm program adds, do not count, and `...` at their end is any more. `line` is the
        exact command line, without its LF. `times` bounds how often the stub answers; `where`
        names the place in the test, by default the caller's line. Raises StubError for a
        command that the release does not know, and for a listener that there is not.
        """
        selection = self._checked(command, selecting)
        return self._add(Stub(self, selection, times=times, where=where or caller()))

    def expect(
        self,
        command: Texts,
        *,
        times: int | None = None,
        where: str | None = None,
        **selecting: Unpack[Selecting],
    ) -> Expectation:
        """Expect a command, at least once, or just `times` times; all else is as for `on`.

        With `times=0` it must not come. The store answers it, or an older stub, unless it is
        armed as a stub is.
        """
        selection = self._checked(command, selecting)
        expectation = Expectation(self, selection, times=times, where=where or caller())
        self._expectations.append(expectation)
        self._add(expectation)
        return expectation

    def unmet(self) -> list[Expectation]:
        """Return the expectations that are not met, oldest first."""
        return [one for one in self._expectations if not one.met]

    def forget_problems(self) -> None:
        """Take those away that were told of: without an answer, not met, and not matched."""
        for one in (*self.unarmed(), *self.unmet()):
            self.remove(one)
        self.unmatched.clear()

    def answer(self, exchange: Exchange) -> Answer | None:
        """Return what a stub answers to a command, None for none; those meant note the exchange."""
        if not self._stubs and not self._unmatched_fails:
            return None
        stub = self.find(exchange)
        answer = None if stub is None else stub.answer
        if stub is not None and not isinstance(stub, Expectation):
            stub.note(exchange)
        matched = stub is not None
        for one in self._expectations:
            if one.selection.means(exchange):
                one.note(exchange)
                matched = True
        if matched or not self._unmatched_fails:
            return answer
        self.unmatched.append(exchange)
        return Answer(status=Status.TEMPFAIL, log="nothing was told to answer this")

    def explain_unmatched(self, exchange: Exchange) -> str:
        """Return what came, and the stub or expectation that is closest to it."""
        selections = ((one.where, one.selection) for one in self)
        lines = explaining.closest_selection(exchange, selections)
        return "\n".join([f"nothing matches {told(exchange)}", *lines])

    def find(self, exchange: Exchange) -> Stub | None:
        """Return the newest stub that answers a command."""
        name = exchange.command
        best: Stub | None = None
        for bucket in (
            self._by_key.get((name, exchange.username), ()),
            self._by_key.get((name, None), ()),
            self._others,
        ):
            for one in reversed(bucket):
                if best is not None and one.serial < best.serial:
                    break
                if one.matches(exchange):
                    best = one
                    break
        return best

    def remove(self, stub: Stub) -> None:
        """Take one stub away; harmless if it is gone already."""
        super().remove(stub)
        self._expectations = [one for one in self._expectations if one is not stub]
        bucket = self._bucket(stub)
        bucket[:] = [one for one in bucket if one is not stub]

    def clear(self) -> None:
        """Take all stubs away."""
        super().clear()
        self._expectations.clear()
        self.unmatched.clear()
        self._by_key.clear()
        self._others.clear()

    def _checked(self, command: Texts, selecting: Selecting) -> Selection:
        selection = Selection(command, selecting)
        self.checks.check_command(selection.command)
        self._spelling.check_listener(selection)
        return selection

    def _add(self, stub: Stub) -> Stub:
        self._made += 1
        stub.serial = self._made
        self._bucket(stub).append(stub)
        return super()._add(stub)

    def _bucket(self, stub: Stub) -> list[Stub]:
        key = stub.selection.key
        return self._others if key is None else self._by_key.setdefault(key, [])


def _check_callable(method: str, what: str, function: object) -> None:
    if not callable(function):
        raise StubError(f"{method}() takes a function of {what}, not {function!r}")
