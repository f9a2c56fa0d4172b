"""In which order Dovecot lists mailboxes: newest first on every level.

The order is that of directories on disk. A directory appears with the first mailbox below
it, keeps its place while anything of it is left, and is listed as \\NoSelect while it holds
no mailbox itself. So the order cannot be told from the mailboxes alone, and is kept here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator


class _Folder(dict[str, "_Folder"]):
    """A directory's children by name, oldest first."""


class Folders:
    """The tree of one user's mailbox directories."""

    __slots__ = ("_root",)

    def __init__(self, paths: Iterable[str] = ()) -> None:
        """Make the directories `paths`, in this order."""
        self._root = _Folder()
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        """Make the directory `path` with its parents, as far as they are missing."""
        folder = self._root
        for part in path.split("/"):
            if part not in folder:
                folder[part] = _Folder()
            folder = folder[part]

    def __contains__(self, path: str) -> bool:
        """Whether there is a directory `path`."""
        folder = self._root
        for part in path.split("/"):
            if part not in folder:
                return False
            folder = folder[part]
        return True

    def remove(self, path: str, mailboxes: Container[str], *, prune: bool = True) -> None:
        """Remove `path`, unless it has children; with `prune` also parents left empty.

        Parents that are `mailboxes` stay.
        """
        while path and path not in mailboxes:
            parent, _, name = path.rpartition("/")
            siblings = self._find(parent)
            if siblings[name]:
                return
            del siblings[name]
            path = parent if prune else ""

    def move(self, path: str, to: str, mailboxes: Container[str]) -> None:
        """Move the directory `path` with all below it; parents left empty go, unless mailboxes.

        The names above `to` that are missing are made.
        """
        parent, _, name = path.rpartition("/")
        folder = self._find(parent).pop(name)
        above, _, new_name = to.rpartition("/")
        if above:
            self.add(above)
        siblings = self._find(above)
        siblings[new_name] = _Folder({**folder, **siblings.get(new_name, {})})
        if parent:
            self.remove(parent, mailboxes)

    def oldest_first(self) -> Iterator[str]:
        """Yield all paths so that `Folders` of them is the same tree."""
        return _walk("", self._root.items())

    def newest_first(self) -> Iterator[str]:
        """Yield all paths in the order of `mailbox list`, parents before their children."""
        yield from _walk("", reversed(self._root.items()), newest_first=True)

    def _find(self, path: str) -> _Folder:
        folder = self._root
        for part in path.split("/") if path else ():
            folder = folder[part]
        return folder


def _walk(
    prefix: str, items: Iterable[tuple[str, _Folder]], *, newest_first: bool = False
) -> Iterator[str]:
    for name, folder in items:
        yield prefix + name
        children = reversed(folder.items()) if newest_first else folder.items()
        yield from _walk(f"{prefix}{name}/", children, newest_first=newest_first)
