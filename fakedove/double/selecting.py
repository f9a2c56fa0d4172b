"""What stubs of all kinds have in common: the place in the test, how often, in which order.

The newest stub that matches wins; one that is used up falls to the next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Generic, TypeVar

from fakedove.errors import StubError


class Selected:
    """What all stubs are: told in the test to answer something, for a number of times."""

    def __init__(self, named: str, times: int | None, where: str) -> None:
        """Stand for what the test wrote as `named` at `where`; raises StubError for `times`."""
        if times is not None and times < 1:
            raise StubError(f"{named}: times must be 1 or more, not {times}")
        self.times = times
        #: File and line of the test.
        self.where = where

    @property
    def armed(self) -> bool:
        """Whether it was told what to answer."""
        raise NotImplementedError

    @property
    def used(self) -> int:
        """How often it has answered."""
        raise NotImplementedError

    @property
    def complaint(self) -> str:
        """What is said of one that was never told what to answer."""
        raise NotImplementedError

    def remove(self) -> None:
        """Take the stub away."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether it answers what it matches."""
        return self.armed and (self.times is None or self.used < self.times)


_S = TypeVar("_S", bound=Selected)


class NewestFirst(Generic[_S]):
    """The stubs of one kind of one fake."""

    def __init__(self) -> None:
        self._stubs: list[_S] = []

    def __bool__(self) -> bool:
        return bool(self._stubs)

    def __iter__(self) -> Iterator[_S]:
        return iter(self._stubs)

    def unarmed(self) -> list[_S]:
        """Return the stubs that were never told what to answer."""
        return [one for one in self._stubs if not one.armed]

    def remove(self, stub: _S) -> None:
        """Take one stub away; harmless if it is gone already."""
        self._stubs = [one for one in self._stubs if one is not stub]

    def clear(self) -> None:
        """Take all stubs away."""
        self._stubs.clear()

    def _add(self, stub: _S) -> _S:
        self._stubs.insert(0, stub)
        return stub


def caller() -> str:
    """Return file and line of the first frame outside fakedove."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("fakedove."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
