"""Ends an execution from another thread than its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class GivingUp:
    """What is going on says how it can be ended; somebody else may decide that it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._wanted = False

    @property
    def wanted(self) -> bool:
        """Whether it was decided."""
        return self._wanted

    @contextmanager
    def then(self, end: Callable[[], None]) -> Iterator[None]:
        """Inside `with`, giving up means to call `end`."""
        with self._lock:
            self._end = end
            if self._wanted:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None

    def now(self) -> None:
        """End what is going on, and what is begun later."""
        with self._lock:
            self._wanted = True
            if self._end is not None:
                self._end()
