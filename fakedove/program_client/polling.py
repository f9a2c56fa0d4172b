"""Waiting for files in a thread that a signal may want to interrupt."""

from __future__ import annotations

import select
from typing import Final

#: Longest wait at a time, in seconds. A signal that comes just before the wait begins would
#: otherwise be heard only when it ends.
_SLICE: Final = 0.25


def poll(waiting: select.poll, seconds: float) -> list[tuple[int, int]]:
    """Wait for at most `seconds`, perhaps shorter; return what is ready, which may be nothing."""
    return waiting.poll(min(seconds, _SLICE) * 1000 + 1)
