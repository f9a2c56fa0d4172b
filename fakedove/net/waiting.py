"""Waiting for something to be noted, such as an exchange in the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

_T = TypeVar("_T")


async def first_found(
    followers: list[Callable[[_T], None]], find: Callable[[], list[_T]], timeout: float
) -> _T | None:
    """Return the last of what `find` finds, as soon as that is anything.

    `followers` are told when there may be more to find. After `timeout` seconds it is None.
    """
    await trio.lowlevel.checkpoint()
    heard = trio.Event()

    def listen(_: _T) -> None:
        heard.set()

    followers.append(listen)
    try:
        with trio.move_on_after(timeout):
            while not (found := find()):
                await heard.wait()
                heard = trio.Event()
            return found[-1]
    finally:
        followers.remove(listen)
    return None
