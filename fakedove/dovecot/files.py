"""The server's files as a process sees them: the store's layer over the disk below a directory.

The layer is `Store.files`, in the order of creation, which is also the order of directories: a
directory is there because something lies below it, or because its path with a slash at the
end is an entry of the layer. The disk is only read; what is written goes into the layer.

All methods raise OSError as the system would.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Container

from fakedove.dovecot.registry import Call

_LONGEST_NAME = 255
#: What tmpfs says of an empty directory, and adds for each entry, in bytes.
_FOLDER_SIZE, _ENTRY_SIZE = 40, 20


def failure(code: int) -> OSError:
    """Return the system's error of this number."""
    return OSError(code, os.strerror(code))


def reason(error: OSError) -> bytes:
    """Return the system's words for an error."""
    return (error.strerror or str(error)).encode()


class Files:
    """The files of the server that `call` runs on; paths are absolute, or relative to it."""

    def __init__(self, call: Call, *, writable: bool = True) -> None:
        """See the files with the rights of root, or without `writable` with those of a user."""
        self._layer = call.store.files
        self._directory = call.directory
        self._read_file = call.read_file
        self._writable = writable

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        if not path:
            raise failure(errno.ENOENT)
        key = self._key(path)
        if key in self._layer:
            if path.endswith("/"):
                raise failure(errno.ENOTDIR)
            return self._layer[key]
        if self._is_folder(key):
            raise failure(errno.EISDIR)
        return self._read_file(path)

    def size(self, path: str) -> int:
        """Return the bytes of a file, or what a directory takes."""
        try:
            return len(self.read(path))
        except IsADirectoryError:
            entries = self.entries(path, folders=True) + self.entries(path, folders=False)
            return _FOLDER_SIZE + _ENTRY_SIZE * len(entries)

    def exists(self, path: str) -> bool:
        """Whether there is a file or directory."""
        try:
            self.read(path)
        except IsADirectoryError:
            return True
        except FileNotFoundError:
            return False
        return True

    def entries(self, path: str, *, folders: bool) -> list[str]:
        """Return the names of the files, or the directories, in a directory: newest first."""
        key = self._key(path)
        if not self._is_folder(key):
            self.read(path)
            raise failure(errno.ENOTDIR)
        below = _below(key)
        kinds: dict[str, bool] = {}
        for one in self._layer:
            name, slash, _ = one.removeprefix(below).partition("/")
            if one.startswith(below) and name:
                kinds.setdefault(name, bool(slash))
        return [name for name, is_folder in reversed(kinds.items()) if is_folder is folders]

    def check_writable(self, path: str) -> None:
        """Raise OSError if nothing can be made at `path`, or in it if it is a directory."""
        key = self._key(path)
        if not self._writable or key.startswith(".."):
            raise failure(errno.EACCES)

    def write(self, path: str, data: bytes) -> None:
        """Put a file in place of whatever file was there; missing directories are made."""
        self.check_writable(path)
        key = self._key(path)
        if posixpath.basename(path) in ("", "."):
            raise failure(errno.EBUSY if path.endswith(".") else errno.ENOTDIR)
        if self._is_folder(key):
            raise failure(errno.EISDIR)
        if key in self._layer:
            self._drop(key, None)
        self._layer[key] = data

    def make_folder(self, path: str) -> None:
        """Make a directory and those above it, unless it is there."""
        if not self.exists(path):
            self.check_writable(path)
            self._layer[_below(self._key(path))] = b""

    def unlink(self, path: str, *, top: str | None = None) -> None:
        """Remove a file.

        Directories that this leaves empty go too as long as they lie below `top`; None: they
        stay.
        """
        key = self._key(path)
        if posixpath.basename(path) in ("", "."):
            raise failure(errno.ENOTDIR if key in self._layer else errno.EISDIR)
        if self._is_folder(key):
            raise failure(errno.EISDIR if self._writable else errno.EACCES)
        self.read(path)
        self.check_writable(path)
        if key not in self._layer:
            raise failure(errno.EROFS)
        self._drop(key, top)

    def rmdir(self, path: str, *, top: str | None = None) -> None:
        """Remove an empty directory; `top` as for files."""
        below = _below(self._key(path))
        if posixpath.basename(path) == ".":
            raise failure(errno.EINVAL)
        self.check_writable(path)
        if any(one.startswith(below) and one != below for one in self._layer):
            raise failure(errno.ENOTEMPTY)
        self._drop(below, top)

    def link(self, source: str, target: str) -> None:
        """Make `target` another name of the file `source`, in a directory that is there."""
        try:
            data = self.read(source)
        except IsADirectoryError:
            data = None
        if not self.exists(posixpath.dirname(target)):
            raise failure(errno.ENOENT)
        if self.exists(target.rstrip("/")):
            raise failure(errno.EEXIST)
        if data is None or not self._writable:
            raise failure(errno.EPERM)
        self.write(target, data)

    def _key(self, path: str) -> str:
        """Return the path as the layer has it; raise OSError if there can be no such path."""
        full = posixpath.normpath(posixpath.join(self._directory, path.partition("\0")[0]))
        key = posixpath.relpath(full, self._directory)
        parts = key.split("/")
        if any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
            raise failure(errno.ENAMETOOLONG)
        if any("/".join(parts[:count]) in self._layer for count in range(1, len(parts))):
            raise failure(errno.ENOTDIR)
        return key

    def _is_folder(self, key: str) -> bool:
        return key == "." or any(one.startswith(_below(key)) for one in self._layer)

    def _drop(self, key: str, top: str | None) -> None:
        """Take an entry out; a directory that it leaves empty stays in its place, or goes too."""
        gone = {key}
        folder = posixpath.dirname(key.rstrip("/"))
        while folder and self._is_empty(folder, gone):
            if top is None or not folder.startswith(_below(self._key(top))):
                if _below(folder) not in self._layer:
                    self._rename(key, _below(folder))
                break
            gone.add(_below(folder))
            folder = posixpath.dirname(folder)
        for one in gone:
            self._layer.pop(one, None)

    def _is_empty(self, folder: str, gone: Container[str]) -> bool:
        below = _below(folder)
        inside = (one for one in self._layer if one.startswith(below) and one != below)
        return all(one in gone for one in inside)

    def _rename(self, key: str, name: str) -> None:
        """Put an empty entry `name` in the place of another one."""
        entries = [(name, b"") if one == key else (one, data) for one, data in self._layer.items()]
        self._layer.clear()
        self._layer.update(entries)


def _below(key: str) -> str:
    """Return what the paths in the directory `key` begin with."""
    return "" if key == "." else f"{key}/"
