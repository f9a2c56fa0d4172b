"""Functions of a test that find an answer, awaited or not."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fakedove.errors import StubError

_T = TypeVar("_T")

#: What Trio and asyncio say when one meets what belongs to the other.
_FOREIGN = ("no running event loop", "unrecognized yield message")


def find(
    function: Callable[[_T], object], argument: _T
) -> tuple[object, Callable[[], Awaitable[object]] | None]:
    """Call the function; return its result, or None and what is to be awaited for that."""
    found = function(argument)
    if not inspect.isawaitable(found):
        return found, None

    async def awaited() -> object:
        try:
            return await found
        except (RuntimeError, TypeError) as error:
            if any(text in str(error) for text in _FOREIGN):
                raise StubError(
                    "the handler awaits what only asyncio has: use trio there, or a plain function"
                ) from error
            raise

    return None, awaited
