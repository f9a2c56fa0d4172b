"""The layer of files over the disk: what is where, in which order, and what cannot be done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakedove.dovecot.dispatch import prepare
from fakedove.dovecot.files import Files
from fakedove.dovecot.registry import Call, Invocation
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.store import Store


def _on_disk(path: str) -> bytes:
    if path == "/srv/disk":
        return b"disk"
    raise FileNotFoundError(2, "No such file or directory", path)


def _files(*paths: str, writable: bool = True) -> tuple[Files, dict[str, bytes]]:
    release = find_release("2.4.1")
    invocation = prepare(release, b"", (b"fs", b"stat", b"x", b"y"))
    assert isinstance(invocation, Invocation)
    store = Store(files={path: path.encode() for path in paths})
    call = Call(release, store, invocation, _on_disk, directory="/srv")
    return Files(call, writable=writable), store.files


def test_the_layer_is_read_before_the_disk() -> None:
    files, layer = _files("fs/a")
    assert files.read("/srv/fs/a") == b"fs/a"
    assert files.read("/srv/disk") == b"disk"
    layer["disk"] = b"layer"
    assert files.read("/srv/fs/../disk") == b"layer"
    assert files.read("disk") == b"layer"


def test_entries_are_newest_first() -> None:
    files, _ = _files("fs/a", "fs/d/x", "fs/b", "fs/e/x", "fs/d/y")
    assert files.entries("/srv/fs", folders=False) == ["b", "a"]
    assert files.entries("/srv/fs/", folders=True) == ["e", "d"]


def test_a_file_that_is_replaced_is_the_newest() -> None:
    files, _ = _files("fs/a", "fs/b")
    files.write("/srv/fs/a", b"new")
    assert files.entries("/srv/fs", folders=False) == ["a", "b"]


def test_a_directory_is_as_large_as_on_tmpfs() -> None:
    files, _ = _files("fs/a", "fs/d/x")
    assert (files.size("/srv/fs"), files.size("/srv/fs/a")) == (80, 4)


def test_a_directory_that_becomes_empty_stays_where_it_was() -> None:
    files, _ = _files("fs/d/x", "fs/e/x")
    files.unlink("/srv/fs/d/x")
    assert files.entries("/srv/fs", folders=True) == ["e", "d"]
    assert files.entries("/srv/fs/d", folders=False) == []
    files.rmdir("/srv/fs/d")
    assert files.entries("/srv/fs", folders=True) == ["e"]


def test_directories_that_become_empty_go_as_far_as_the_top() -> None:
    files, layer = _files("fs/d/e/x")
    files.unlink("/srv/fs/d/e/x", top="/srv/fs")
    assert list(layer) == ["fs/"]


def test_a_file_linked_to_itself_exists_already() -> None:
    files, _ = _files("fs/a")
    with pytest.raises(FileExistsError):
        files.link("/srv/fs/a", "/srv/fs/a")


_CANNOT: list[tuple[type[OSError], Callable[[Files], object]]] = [
    (FileNotFoundError, lambda files: files.read("/srv/fs/nosuch")),
    (IsADirectoryError, lambda files: files.read("/srv/fs")),
    (NotADirectoryError, lambda files: files.read("/srv/fs/a/x")),
    (NotADirectoryError, lambda files: files.entries("/srv/fs/a", folders=True)),
    (IsADirectoryError, lambda files: files.write("/srv/fs/d", b"")),
    (IsADirectoryError, lambda files: files.unlink("/srv/fs/d")),
    (PermissionError, lambda files: files.write("/elsewhere", b"")),
    (PermissionError, lambda files: files.link("/srv/fs/d", "/srv/fs/new")),
]


@pytest.mark.parametrize(("error", "act"), _CANNOT)
def test_what_cannot_be_done(error: type[OSError], act: Callable[[Files], object]) -> None:
    files, layer = _files("fs/a", "fs/d/x")
    with pytest.raises(error):
        act(files)
    assert list(layer) == ["fs/a", "fs/d/x"]


def test_other_failures_have_the_systems_words() -> None:
    files, _ = _files("fs/d/x")
    with pytest.raises(OSError, match="Directory not empty"):
        files.rmdir("/srv/fs/d")
    with pytest.raises(OSError, match="File name too long"):
        files.read("/srv/" + "n" * 256)
    with pytest.raises(OSError, match="Read-only file system"):
        files.unlink("/srv/disk")


_CHANGES: list[Callable[[Files], None]] = [
    lambda files: files.write("/srv/fs/b", b""),
    lambda files: files.unlink("/srv/fs/a"),
    lambda files: files.link("/srv/fs/a", "/srv/fs/b"),
]


@pytest.mark.parametrize("change", _CHANGES)
def test_a_process_with_a_users_rights_only_reads(change: Callable[[Files], None]) -> None:
    files, layer = _files("fs/a", writable=False)
    assert files.read("/srv/fs/a") == b"fs/a"
    with pytest.raises(PermissionError):
        change(files)
    assert list(layer) == ["fs/a"]
