"""What stubs of all kinds have in common: the place in the test, the answers, how often.

The newest stub that matches wins; one that is used up falls to the next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar

from fakedove.errors import StubError

_A = TypeVar("_A")


class Selected(Generic[_A]):
    """What all stubs are: told in the test to answer something, for a number of times."""

    #: What `times` has to be at least.
    least_times = 1

    def __init__(self, named: str, times: int | None, where: str) -> None:
        """Stand for what the test wrote as `named` at `where`; raises StubError for `times`."""
        check_times(times, least=self.least_times, where=f"{named}: ")
        self.times = times
        #: File and line of the test.
        self.where = where
        self._named = named
        self._answers: list[_A] = []
        self._more_follow = False

    @property
    def armed(self) -> bool:
        """Whether it was told what to answer."""
        return bool(self._answers) and not self._more_follow

    @property
    def used(self) -> int:
        """How often it has answered."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether it answers what it matches."""
        return self.armed and (self.times is None or self.used < self.times)

    @property
    def answer(self) -> _A | None:
        """What it answers next, None if it was not told."""
        return self._answers[min(self.used, len(self._answers) - 1)] if self._answers else None

    @property
    def then(self) -> Self:
        """The stub, for what it answers the next time; the last answer is for all later ones.

        Raises StubError if it was not told what to answer before.
        """
        if not self.armed:
            raise StubError(f"{self._named}.then: there is nothing before it")
        self._more_follow = True
        return self

    @property
    def complaint(self) -> str:
        """What is said of one that was never told what to answer."""
        then = ".then" if self._more_follow else ""
        return f"{self.where}: {self._named}{then} was never told what to answer; {self.remedy}"

    @property
    def remedy(self) -> str:
        """What would arm it."""
        raise NotImplementedError

    def remove(self) -> None:
        """Take the stub away."""
        raise NotImplementedError

    def _arm(self, answer: _A) -> Self:
        if not self._more_follow:
            self._answers.clear()
        self._answers.append(answer)
        self._more_follow = False
        return self


_S = TypeVar("_S", bound=Selected[Any])


class NewestFirst(Generic[_S]):
    """The stubs of one kind of one fake."""

    def __init__(self) -> None:
        self._stubs: list[_S] = []

    def __bool__(self) -> bool:
        return bool(self._stubs)

    def __iter__(self) -> Iterator[_S]:
        return iter(self._stubs[::-1])

    def unarmed(self) -> list[_S]:
        """Return the stubs that were never told what to answer, oldest first."""
        return [one for one in self._stubs if not one.armed]

    def remove(self, stub: _S) -> None:
        """Take one stub away; harmless if it is gone already."""
        self._stubs = [one for one in self._stubs if one is not stub]

    def clear(self) -> None:
        """Take all stubs away."""
        self._stubs.clear()

    def _add(self, stub: _S) -> _S:
        self._stubs.append(stub)
        return stub


def check_times(times: object, *, least: int, where: str = "") -> None:
    """Raise StubError for what is neither None nor a number of times, `least` or more."""
    whole = isinstance(times, int) and not isinstance(times, bool)
    if times is not None and not (whole and times >= least):  # type: ignore[operator]  # an int
        raise StubError(f"{where}times must be a whole number, {least} or more, not {times!r}")


def caller() -> str:
    """Return file and line of the first frame outside fakedove."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("fakedove."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
