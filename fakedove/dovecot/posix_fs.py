"""Dovecot's `posix` file system driver, as `fs` commands use it: its settings and its texts."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from fakedove.dovecot.files import Files, failure, reason
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.reply import Fatal, Log, Scope
from fakedove.dovecot.sockets import unprivileged

#: Settings filters that say where files are, each with its prefix below the server's directory.
_FILTERS = {b"mail_ext_attachment": "fs/"}
_FLAGS = frozenset({b"dirs", b"no-fsync", b"accurate-mtime", b"disable-fsync"})
_MODE = re.compile(rb"[0-7]+")


@dataclass(frozen=True, slots=True)
class CopyFailure:
    """Why a copy failed: what the command is told, and what is said when the file is closed."""

    error: OSError
    text: bytes
    late: bytes = b""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What the system said, and to which call."""

    error: OSError
    system_call: bytes
    #: Whether that hindered no more than to tidy up, of which is told when the file is closed.
    late: bool = False

    @property
    def text(self) -> bytes:
        """How it is told."""
        return b"%b failed: %b" % (self.system_call, reason(self.error))


@dataclass(frozen=True, slots=True)
class PosixFs:
    """Files whose paths are put behind `prefix`."""

    call: Call
    files: Files
    prefix: str

    def full(self, path: str) -> str:
        """Return the path in the server's own file system."""
        return self.prefix + path

    def shown(self, path: str) -> bytes:
        """Return the full path as messages show it."""
        return self.full(path).encode(errors="surrogateescape")

    def debug(self, why: bytes) -> Iterator[Log]:
        """Tell with `-D` of an error, as the driver does before the command that met it."""
        if self.call.invocation.command.mail:
            return
        text = b"fs-posix: fs-posix: " + why
        yield from self.call.event(text)
        if self.call.release.debugs_fs:
            yield from self.call.debug(text, Scope.LIBRARY)

    def entries(self, path: str, *, folders: bool) -> list[str]:
        """Return names of files or directories in a directory; in a missing one there are none."""
        try:
            return self.files.entries(self.full(path), folders=folders)
        except FileNotFoundError:
            return []

    def remove(self, path: str) -> Obstacle | None:
        """Remove a file or empty directory, and those above it that are left empty.

        Return what went wrong; at a `.` in the path the tidying ends.
        """
        keeps = self.call.release.fs_keeps_empty_folders
        full = self.full(path)
        dot = None if keeps else self._dot_above(full)
        top = None if keeps else dot or posixpath.dirname(self.prefix) or "."
        system_call = b"unlink(%b)"
        try:
            try:
                self.files.unlink(full, top=top)
            except IsADirectoryError:
                system_call = b"rmdir(%b)"
                self.files.rmdir(full, top=top)
        except OSError as error:
            return Obstacle(error, system_call % self.shown(path))
        if dot is None or self._is_left(full, dot):
            return None
        shown = dot.encode(errors="surrogateescape")
        return Obstacle(failure(errno.EINVAL), b"rmdir(%b)" % shown, late=True)

    def _dot_above(self, full: str) -> str | None:
        """Return the nearest directory above that is written as `.`."""
        folder = posixpath.dirname(full)
        while len(folder) > len(posixpath.dirname(self.prefix)):
            if posixpath.basename(folder) == ".":
                return folder
            folder = posixpath.dirname(folder)
        return None

    def _is_left(self, full: str, folder: str) -> bool:
        """Whether there is still a directory between what was removed and `folder`."""
        name, below, _ = full.removeprefix(f"{folder}/").partition("/")
        return bool(below) and self.files.exists(f"{folder}/{name}")

    def put(self, source: str, path: str) -> Generator[Log, None, bytes | None]:
        """Copy a file of the server to `path` and return why that failed, if it did."""
        target = self.full(path)
        obstacle = yield from self._no_room(target)
        if obstacle is not None:
            yield from self.debug(obstacle)
        else:
            try:
                data = self.files.read(source)
            except OSError as error:
                obstacle = _unread(source, error)
        if obstacle is not None:
            failure = b"write(%b) failed: %b" % (self.shown(path), obstacle)
            yield from self.debug(failure)
            return failure
        unwritten = self._written(path, data)
        if unwritten is not None:
            yield from self.debug(unwritten)
        return unwritten

    def put_empty(self, path: str) -> bytes | None:
        """Leave an empty file at `path`, as when nothing could be read; return why not."""
        return self._written(path, b"")

    def _written(self, path: str, data: bytes) -> bytes | None:
        target = self.full(path)
        try:
            self.files.write(target, data)
        except OSError as error:
            temporary = _temporary(self.call, target)
            return b"rename(%b, %b) failed: %b" % (temporary, self.shown(path), reason(error))
        return None

    def copy(self, source: str, target: str) -> Generator[Log, None, CopyFailure | None]:
        """Make `target` another name of a file and return why that failed, if it did."""
        link = b"link(%b, %b) failed: " % (self.shown(source), self.shown(target))
        try:
            try:
                self.files.link(self.full(source), self.full(target))
            except FileNotFoundError:
                self._link_in_new_folder(source, target)
            except FileExistsError:
                try:
                    self.files.unlink(self.full(target))
                except OSError as error:
                    yield self._unremoved(target, error)
                    raise FileExistsError(errno.EEXIST, "File exists") from None
                self.files.link(self.full(source), self.full(target))
        except _NoFolder as missing:
            yield from self.debug(missing.text)
            return CopyFailure(missing.error, missing.text)
        except OSError as error:
            text = link + reason(error)
            yield from self.debug(text)
            if not self.call.release.fs_copy_hides_reason:
                return CopyFailure(error, text)
            told_late = error.errno not in (errno.ENOENT, errno.EEXIST)
            return CopyFailure(error, b"BUG: Unknown file error", text if told_late else b"")
        return None

    def _link_in_new_folder(self, source: str, target: str) -> None:
        """Link once more, in case that it is the target's directory that is missing."""
        folder = posixpath.dirname(self.full(target))
        try:
            self.files.make_folder(folder)
        except OSError as error:
            raise _NoFolder(folder, error) from None
        self.files.link(self.full(source), self.full(target))

    def _unremoved(self, path: str, error: OSError) -> Log:
        line = self.call.release.fs_unlink_line
        place = b"" if line is None else b" (in fs-posix.c:%d)" % line
        text = b"unlink(%b) failed: %b%b" % (self.shown(path), reason(error), place)
        return self._from_below(text)

    def _no_room(self, target: str) -> Generator[Log, None, bytes | None]:
        """Return why no temporary file can be made beside `target`, if so."""
        folder = target.rpartition("/")[0]
        shown = folder.encode(errors="surrogateescape")
        try:
            there = self.files.exists(folder)
            if there:
                self.files.entries(folder, folders=True)
        except NotADirectoryError as error:
            why = reason(error)
            yield self._from_below(b"stat(%b) failed: %b" % (_temporary(self.call, target), why))
            return b"safe_mkstemp(%b/temp.dovecot.) failed: %b" % (shown, why)
        try:
            self.files.check_writable(folder)
        except OSError as error:
            if not there:
                return b"mkdir_parents(%b) failed: %b" % (shown, reason(error))
            return b"safe_mkstemp(%b/temp.dovecot.) failed: %b" % (shown, reason(error))
        return None

    def _from_below(self, text: bytes) -> Log:
        """Return what a library says that does not know of the command."""
        mail = self.call.invocation.command.mail
        return Log(text, scope=Scope.STORAGE if mail else Scope.LIBRARY)


class _NoFolder(Exception):
    def __init__(self, folder: str, error: OSError) -> None:
        super().__init__(folder)
        self.error = error
        shown = folder.encode(errors="surrogateescape")
        self.text = b"mkdir_parents(%b) failed: %b" % (shown, reason(error))


def open_fs(call: Call) -> PosixFs:
    """Return the file system that the command line names; raise Fatal if there is none.

    What lies behind it belongs to root: processes with a user's rights only read it.
    """
    mail = call.invocation.command.mail
    name = call.invocation.text("filter-name")
    if name is None:
        prefix = prefix_of(call.invocation)
    elif name in _FILTERS:
        prefix = posixpath.join(call.directory, _FILTERS[name])
    else:
        scope = Scope.MAIL if mail else Scope.COMMAND
        raise Fatal(b"fs_init() failed: fs { .. } named list filter is missing", scope)
    return PosixFs(call, Files(call, writable=not mail and not unprivileged(call)), prefix)


def prefix_of(invocation: Invocation) -> str:
    """Return the prefix that the driver's arguments say; raise Fatal if they are wrong."""
    driver = invocation.text("fs-driver") or b""
    if driver != b"posix":
        raise Fatal(b"fs_init() failed: Unknown fs driver: %b" % driver, Scope.COMMAND)
    prefix = b""
    arguments = invocation.text("fs-args") or b""
    for argument in arguments.split(b":") if arguments else ():
        key, _, value = argument.partition(b"=")
        if key == b"prefix":
            prefix = value
        elif key == b"mode" and not _MODE.fullmatch(value):
            raise Fatal(b"fs_init() failed: posix: Invalid mode value: %b" % value, Scope.COMMAND)
        elif argument not in _FLAGS and key not in (b"lock", b"mode"):
            raise Fatal(b"fs_init() failed: posix: Unknown arg '%b'" % argument, Scope.COMMAND)
    return prefix.decode(errors="surrogateescape")


def _unread(source: str, error: OSError) -> bytes:
    path = source.encode(errors="surrogateescape")
    call = b"pread(size=8192 offset=0)" if error.errno == errno.EISDIR else b"open(%b)" % path
    return b"nsend-istream: read(%b) failed: %b failed: %b" % (path, call, reason(error))


def _temporary(call: Call, target: str) -> bytes:
    folder = target.rpartition("/")[0].encode(errors="surrogateescape")
    return b"%b/temp.dovecot.localhost.4242.%016x" % (folder, len(call.store.files))
