"""What of a server log is compared: recorded lines and the fake's, made alike by named rules.

    told(lines, release) -> list[str]

Everything else is compared word for word (`compare.log_differences`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: The master tells how a process ended that has told it before.
_TOLD_TWICE = re.compile(r"master: service\(.*returned error \d+|killed with signal 9\b")
#: The recorder's other processes: a fake of one server has none of these.
_OTHERS = re.compile(r"(indexer-worker\(|director: |master: Error: service\(director\))")
#: Of a crash the real server has a panic, a backtrace and its master's word; the fake says that
#: the real one crashes.
_CRASH = re.compile(
    r": Panic: |: Raw backtrace: |service\(doveadm\): child \d+ killed with signal (6|11)\b"
    r"|\(the real server crashes here\)$"
)
#: With `D` these releases tell how the recorder had set up its plugins and paths.
_TELL_THEIR_SETUP = ("2.1.16", "2.2.13")
_SETUP = ": Debug: "


def told(lines: Iterable[str], release: str) -> list[str]:
    """Return `lines` without what is not compared, and each crash as one line."""
    return list(_told(lines, release))


def _told(lines: Iterable[str], release: str) -> Iterator[str]:
    crashed = False
    for line in lines:
        if _TOLD_TWICE.search(line) or _OTHERS.match(line):
            continue
        if release in _TELL_THEIR_SETUP and _SETUP in line:
            continue
        if not _CRASH.search(line):
            yield line
        elif not crashed:
            yield "the process crashes"
        crashed = _CRASH.search(line) is not None
