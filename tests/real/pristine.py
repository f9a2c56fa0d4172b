"""Keep a pristine copy of folders and put back the ones that changed.

A listing of a tmpfs folder shows the newest entry first, and `mailbox list` shows what the
folder listing shows; so copies are made oldest entry first.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TypeAlias

#: What tells a changed file or folder: path, inode, size, change time.
Prints: TypeAlias = list[tuple[str, int, int, int]]


class Pristine:
    """A copy of `live`, put away in `kept`, one part (user's home, file) at a time."""

    def __init__(self, live: Path, kept: Path, parts: list[str]) -> None:
        """Copy the `parts`, paths below `live`, into `kept`."""
        self._live, self._kept = live, kept
        self._prints: dict[str, Prints] = {}
        for part in parts:
            _copy(live / part, kept / part)
            self._prints[part] = _prints(live / part)

    def restore(self) -> None:
        """Put back every part that is not as it was."""
        for part, prints in self._prints.items():
            live = self._live / part
            if _prints(live) != prints:
                _remove(live)
                _copy(self._kept / part, live)
                self._prints[part] = _prints(live)


def _prints(path: Path) -> Prints:
    if not os.path.lexists(path):
        return []
    found: Prints = []
    for entry in [path, *sorted(path.rglob("*"))]:
        status = entry.lstat()
        found.append((str(entry), status.st_ino, status.st_size, status.st_ctime_ns))
    return found


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder with owners, modes and times."""
    status = source.lstat()
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir()
        for entry in reversed(list(os.scandir(source))):
            _copy(Path(entry.path), target / entry.name)
    else:
        shutil.copyfile(source, target)
    os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not source.is_symlink():
        target.chmod(status.st_mode & 0o7777)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
