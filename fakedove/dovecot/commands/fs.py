"""`fs` and `mail fs`: files behind Dovecot's own file system interface.

Up to 2.3 a driver and its arguments say where the files are, later a settings filter. Every
path is put behind a prefix; messages show it as given and with the prefix.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence

from fakedove.dovecot import texts
from fakedove.dovecot.files import reason
from fakedove.dovecot.posix_fs import PosixFs, open_fs, prefix_of
from fakedove.dovecot.registry import (
    Call,
    Function,
    Gap,
    Invocation,
    Kind,
    Parameter,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope, Streamed
from fakedove.dovecot.status import Status

_WHERE = (
    positional("filter-name", required=False, when="filter_names"),
    positional("fs-driver", required=False, when="fs_drivers"),
    positional("fs-args", required=False, when="fs_drivers"),
)
_GAPS = (
    Gap("no driver but `posix` is known", when="fs_drivers"),
    Gap("one file system stands behind the filter `mail_ext_attachment`", when="filter_names"),
)
_PATH = positional("path", required=False)
#: Behind this it is told what could not be read.
_UNREAD = b" failed: nsend-istream: "
_ORIGINAL_PATH = b":/X-Dovecot-fs-api-OrigPath"
#: Bytes that a process may have, those that a file to be deleted takes, and those before a block.
_VSZ_LIMIT, _BYTES_IN_QUEUE, _BLOCK_HEADER = 256 << 20, 16, 40


def _fs_command(
    name: str,
    *parameters: Parameter,
    usage: str,
    options: str = "",
    columns: tuple[str, ...] = (),
    only_outside_mail: Parameter | None = None,
) -> Callable[[Function], Function]:
    """Register `name` and `mail NAME`, the same but for the rights that they have."""

    def register(function: Function) -> Function:
        extra = () if only_outside_mail is None else (only_outside_mail,)
        for full, more in ((name, extra), (f"mail {name}", ())):
            shown = " ".join(part for part in (options, _shown(more), "{where}", usage) if part)
            command(
                full,
                *more,
                *_WHERE,
                *parameters,
                mail=full != name,
                columns=columns,
                usage=shown.format(where="<config-filter-name>"),
                gaps=_GAPS,
                check=_check(f"{full} {shown}", parameters[-1].long),
            )(function)
        return function

    return register


def _shown(options: tuple[Parameter, ...]) -> str:
    return " ".join(f"[-{one.short} <key>=<value>]" for one in options)


def _check(usage: str, last: str) -> Callable[[Invocation, Release], None]:
    """Return the check that the last positional argument, and so each, is there.

    A hash is what the process dies of; with `mail`, before the user is looked up.
    """

    def check(invocation: Invocation, release: Release) -> None:
        if last not in invocation.arguments:
            if invocation.flag("fs-args"):
                prefix_of(invocation)
            where = "<config-filter-name>" if release.filter_names else "<fs-driver> <fs-args>"
            scope = Scope.PROCESS if invocation.command.mail else Scope.COMMAND
            raise texts.misused(release, _for_release(usage, release).format(where=where), scope)
        if invocation.command.mail and invocation.flag("hash"):
            raise _hash_crash()

    return check


def _hash_crash() -> Fatal:
    return Fatal(b"killed with signal 11", crash=True)


def _for_release(usage: str, release: Release) -> str:
    """Leave out of a usage text the options that the release does not know."""
    if not release.filter_names:
        usage = usage.replace(" [-m <key>=<value>]", "")
    if not release.fs_iter_options:
        usage = usage.replace(" [--no-cache] [--object-ids]", "")
    return usage


def _path(call: Call, name: str = "path") -> str:
    return (call.invocation.text(name) or b"").decode(errors="surrogateescape")


def _file(call: Call, path: str) -> str:
    """Return the path of a file that is opened as `path`: with one slash less at the end."""
    return path.removesuffix("/") if call.release.fs_strips_slash else path


def _said(call: Call, text: bytes) -> Log:
    """Return what the command itself says."""
    return Log(text, scope=Scope.MAIL if call.invocation.command.mail else Scope.COMMAND)


def _failed(
    fs: PosixFs, path: str, error: OSError, what: bytes, system_call: bytes
) -> Iterator[Item]:
    """Say that `what` of a path failed, or that there is no such file."""
    shown = path.encode(errors="surrogateescape")
    why = b"%b failed: %b" % (system_call, reason(error))
    yield from fs.debug(why)
    if error.errno == errno.ENOENT:
        yield _said(fs.call, b"%b doesn't exist: %b" % (shown, why))
    else:
        yield _said(fs.call, b"%b(%b) failed: %b" % (what, shown, why))


def _status(error: OSError) -> Status:
    return Status.NOTFOUND if error.errno == errno.ENOENT else Status.TEMPFAIL


@_fs_command("fs get", _PATH, usage="<path>", columns=("content",))
def fs_get(call: Call) -> Output:
    """Print the content of a file."""
    fs = open_fs(call)
    path = _file(call, _path(call))
    try:
        yield (Streamed(fs.files.read(fs.full(path))),)
    except IsADirectoryError:
        yield (b"",)
        shown = path.encode(errors="surrogateescape")
        number = call.release.file_descriptor + call.invocation.command.mail
        why = b"<fd %d> is a directory, can't read it as file" % number
        yield _said(call, b"read(%b) failed: %b" % (shown, why))
        return Status.TEMPFAIL
    except OSError as error:
        yield (b"",)
        yield from _failed(fs, path, error, b"read", b"open(%b)" % fs.shown(path))
        return _status(error)
    return Status.OK


@_fs_command(
    "fs put",
    option("hash", "h"),
    positional("input-path", required=False),
    _PATH,
    usage="<input path> <path>",
    options="[-h <hash>]",
    only_outside_mail=option("metadata", "m", Kind.TEXTS, when="filter_names"),
)
def fs_put(call: Call) -> Output:
    """Put a file of the server into the file system."""
    fs = open_fs(call)
    if call.invocation.flag("hash"):
        raise _hash_crash()
    if call.invocation.flag("metadata"):
        raise Fatal(b"No metadata support", Scope.COMMAND)
    target = _file(call, _path(call))
    if (failure := (yield from fs.put(_path(call, "input-path"), target))) is None:
        return Status.OK
    unread = failure.partition(_UNREAD)[2]
    if unread and not call.release.fs_put_tells_target:
        yield _said(call, unread)
        failure = fs.put_empty(target)
    if failure is not None:
        yield _said(call, b"fs_write_stream_finish() failed: " + failure)
    return Status.TEMPFAIL


@_fs_command(
    "fs copy",
    positional("source-path", required=False),
    positional("destination-path", required=False),
    usage="<source path> <dest path>",
)
def fs_copy(call: Call) -> Output:
    """Give a file another name, in place of whatever file had it."""
    fs = open_fs(call)
    source, target = _path(call, "source-path"), _path(call, "destination-path")
    failure = yield from fs.copy(_file(call, source), _file(call, target))
    if failure is None:
        return Status.OK
    shown = source.encode(errors="surrogateescape")
    if failure.error.errno == errno.ENOENT:
        yield _said(call, b"%b doesn't exist: %b" % (shown, failure.text))
        return Status.NOTFOUND
    to = target.encode(errors="surrogateescape")
    yield _said(call, b"fs_copy(%b, %b) failed: %b" % (shown, to, failure.text))
    if failure.late:
        yield _late(call, source, failure.late)
    return Status.TEMPFAIL


def _told_late(fs: PosixFs, path: str, text: bytes) -> Iterator[Item]:
    yield from fs.debug(text)
    yield _late(fs.call, path, text)


def _late(call: Call, path: str, text: bytes) -> Log:
    """Return what is said of a file as it is closed."""
    shown = path.encode(errors="surrogateescape").removesuffix(b"/")
    scope = Scope.STORAGE if call.invocation.command.mail else Scope.COMMAND
    return Log(b"fs-posix: fs-posix: %b (in file %b deinit)" % (text, shown), scope=scope)


@_fs_command(
    "fs delete",
    flag("recursive", "R"),
    option("max-parallel", "n", Kind.UNSIGNED),
    positional("path", Kind.TEXTS, required=False),
    usage="<path> [<path> ...]",
    options="[-R] [-n <count>]",
)
def fs_delete(call: Call) -> Output:
    """Delete files and empty directories until one cannot be; with `-R` all that lies below."""
    at_once = call.invocation.number("max-parallel") or 0
    if call.release.fs_counts_in_32_bits and not 0 <= at_once <= 0xFFFFFFFF:
        raise Fatal(b"Invalid -n parameter: %d" % at_once, Scope.COMMAND)
    if at_once < 0:
        yield texts.backtrace(Scope.COMMAND)
        raise Fatal(b"killed with signal 6", Scope.COMMAND, crash=True)
    fs = open_fs(call)
    yield from _queue(call, at_once & 0xFFFFFFFF)
    paths = [path.decode(errors="surrogateescape") for path in call.invocation.texts("path")]
    if call.invocation.flag("recursive"):
        return (yield from _delete_all(call, fs, paths))
    for path in [_file(call, path) for path in paths]:
        found = fs.remove(path)
        if found is not None and found.late:
            yield from _told_late(fs, path, found.text)
        elif found is not None:
            yield from _failed(fs, path, found.error, b"fs_delete", found.system_call)
            return _status(found.error)
    return Status.OK


def _queue(call: Call, places: int) -> Iterator[Item]:
    """Make room for so many files at a time; raise Fatal where that is more than there is."""
    size = 1 << (places * _BYTES_IN_QUEUE - 1).bit_length() if places else 0
    if size > _VSZ_LIMIT:
        yield texts.backtrace(Scope.COMMAND)
        text = b"data stack: Out of memory when allocating %d bytes" % (size + _BLOCK_HEADER)
        raise Fatal(text, Scope.COMMAND, crash=True)


def _delete_all(call: Call, fs: PosixFs, paths: list[str]) -> Output:
    status, failed = Status.OK, list[str]()
    for path in paths:
        below = path if path.endswith("/") or not path else f"{path}/"
        for doomed in _doomed(fs, below, failed):
            if isinstance(doomed, Log):
                status = Status.TEMPFAIL
                yield doomed
                continue
            found = fs.remove(doomed)
            if found is not None and found.late:
                yield from _told_late(fs, doomed, found.text)
            elif found is not None:
                failed.append(doomed)
                yield from fs.debug(found.text)
                shown = doomed.encode(errors="surrogateescape")
                yield _said(call, b"fs_delete(%b) failed: %b" % (shown, found.text))
    return Status.TEMPFAIL if failed else status


def _doomed(fs: PosixFs, folder: str, failed: Sequence[str]) -> Iterator[str | Log]:
    """Yield what lies below a directory, deepest first, then the directory if need be.

    `failed` grows with each that could not be removed.
    """
    failures = len(failed)
    for folders in (True, False):
        if len(failed) > failures and fs.call.release.fs_spares_files:
            break
        try:
            names = fs.entries(folder, folders=folders)
        except OSError as error:
            yield from _unlisted(fs, folder, error)
            continue
        for name in names:
            path = folder + name
            if folders:
                yield from _doomed(fs, f"{path}/", failed)
            else:
                yield path
    if fs.call.release.fs_keeps_empty_folders:
        yield _file(fs.call, folder)


def _unlisted(fs: PosixFs, path: str, error: OSError) -> Iterator[Log]:
    shown = path.encode(errors="surrogateescape")
    why = b"opendir(%b) failed: %b" % (fs.shown(path), reason(error))
    yield from fs.debug(why)
    yield _said(fs.call, b"fs_iter_deinit(%b) failed: %b" % (shown, why))


@_fs_command("fs stat", _PATH, usage="<path>", columns=("path", "size"))
def fs_stat(call: Call) -> Output:
    """Print the size of a file or directory."""
    fs = open_fs(call)
    path = _file(call, _path(call))
    try:
        size = fs.files.size(fs.full(path))
    except OSError as error:
        yield from _failed(fs, path, error, b"fs_stat", b"stat(%b)" % fs.shown(path))
        return _status(error)
    yield path.encode(errors="surrogateescape"), b"%d" % size
    return Status.OK


@_fs_command("fs metadata", _PATH, usage="<path>", columns=("key", "value"))
def fs_metadata(call: Call) -> Output:
    """Print metadata: the driver has none but the path, whether there is such a file or not."""
    open_fs(call)
    if not call.release.fs_metadata:
        path = _file(call, _path(call)).encode(errors="surrogateescape")
        yield _said(call, b"fs_stat(%b) failed: Metadata not supported by backend" % path)
        return Status.TEMPFAIL
    yield _ORIGINAL_PATH, _path(call).encode(errors="surrogateescape")
    return Status.OK


@_fs_command(
    "fs iter",
    flag("no-cache", "C", when="fs_iter_options"),
    flag("object-ids", "O", when="fs_iter_options"),
    _PATH,
    usage="<path>",
    options="[--no-cache] [--object-ids]",
    columns=("path",),
)
def fs_iter(call: Call) -> Output:
    """Print the names of the files in a directory."""
    if call.invocation.flag("object-ids"):
        scope = Scope.STORAGE if call.invocation.command.mail else Scope.LIBRARY
        yield texts.backtrace(scope)
        raise Fatal(b"killed with signal 6", scope, crash=True)
    return (yield from _names(call, folders=False))


@_fs_command("fs iter-dirs", _PATH, usage="<path>", columns=("path",))
def fs_iter_dirs(call: Call) -> Output:
    """Print the names of the directories in a directory."""
    return (yield from _names(call, folders=True))


def _names(call: Call, *, folders: bool) -> Output:
    fs = open_fs(call)
    try:
        names = fs.entries(_path(call), folders=folders)
    except OSError as error:
        yield from _unlisted(fs, _path(call), error)
        return Status.TEMPFAIL
    yield from ((name.encode(errors="surrogateescape"),) for name in names)
    return Status.OK
