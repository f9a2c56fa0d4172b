"""Tracebacks of refusals, without the way that they took inside the fake.

Who misspells a command is told so in the line of the test that did; between that line and the
check lie threads and stand-ins that are nobody's business. Errors of the fake itself keep all
of their traceback, as does everything with `--full-trace`.
"""

from __future__ import annotations

import concurrent.futures
import sys
from pathlib import Path
from types import TracebackType

import pytest

#: Where code lies that a test's author does not know.
_INSIDE = (Path(__file__).parent, Path(concurrent.futures.__file__).parent)


def shorten(excinfo: pytest.ExceptionInfo[BaseException], config: pytest.Config) -> None:
    """End the traceback of a refusal with the last line outside of the fake."""
    if config.getoption("fulltrace") or not _is_refusal(excinfo.value):
        return
    last: TracebackType | None = None
    traceback: TracebackType | None = excinfo.tb
    while traceback is not None:
        if not _is_inside(Path(traceback.tb_frame.f_code.co_filename)):
            last = traceback
        traceback = traceback.tb_next
    if last is not None:
        # The traceback itself: pytest begins with what the exception has, again and again.
        last.tb_next = None


def _is_refusal(error: BaseException) -> bool:
    # Without the module nobody can have raised one, and it is not imported for nothing.
    errors = sys.modules.get("fakedove.errors")
    return errors is not None and isinstance(error, errors.FakeDovecotError | AssertionError)


def _is_inside(file: Path) -> bool:
    return any(file.is_relative_to(folder) for folder in _INSIDE)
