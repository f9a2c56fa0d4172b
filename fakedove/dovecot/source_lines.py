"""Line numbers of Dovecot's source that stand in its texts, by release."""

from __future__ import annotations

from functools import cache

from fakedove.dovecot.command_spans import release_key

#: First release to the line of fs-posix.c that removes the target of a copy.
_FS_UNLINK = {
    "2.2.19": 632,
    "2.2.20": 676,
    "2.2.22": 679,
    "2.2.25": 693,
    "2.2.26": 712,
    "2.2.28": 718,
    "2.2.29": 723,
    "2.2.36": 770,
    "2.2.36.1": 771,
    "2.3.0": 722,
    "2.3.2": 770,
    "2.3.5": 776,
    "2.3.10": 810,
    "2.3.17": 814,
    "2.4.0": 841,
    "2.4.2": 842,
    "2.4.3": 856,
}


@cache
def fs_unlink_line(number: str) -> int | None:
    """Return the line that a release names when it cannot remove the target of a copy."""
    wanted = release_key(number)
    lines = [line for first, line in _FS_UNLINK.items() if release_key(first) <= wanted]
    return lines[-1] if lines else None
