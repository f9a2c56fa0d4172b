"""Mail that lies in files, as Dovecot would store it: each content is kept once.

A store of many users mostly holds the same few mails; whoever reads them through one
`MailFiles` shares their bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from fakedove.dovecot.message import stored, virtual_size
from fakedove.errors import StoreError

_SUFFIX = ".eml"

_T = TypeVar("_T")


class MailFile(msgspec.Struct, frozen=True, gc=False):
    """A mail that was read from a file."""

    data: bytes
    #: Bytes, with every LF counted as CRLF.
    virtual_size: int
    #: When the file was written last.
    modified: datetime


class MailFiles:
    """Reads mails, each file and each content once."""

    __slots__ = ("_contents", "_mails")

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._mails: dict[Path, MailFile] = {}
        self._contents: dict[bytes, bytes] = {}

    def mail(self, path: Path) -> MailFile:
        """Return the mail in a file; raises StoreError if it cannot be read."""
        mail = self._mails.get(path)
        if mail is None:
            mail = self._mails[path] = readable(path, self._read)
        return mail

    def folder(self, path: str | os.PathLike[str]) -> list[MailFile]:
        """Return the mails in a folder's .eml files, by file name.

        Raises StoreError if there is no such file, or one cannot be read.
        """
        folder = Path(path)
        names = sorted(name for name in readable(folder, os.listdir) if _is_mail(name))
        if not names:
            raise StoreError(f"{folder} has no {_SUFFIX} file")
        return [self.mail(folder / name) for name in names]

    def _read(self, path: Path) -> MailFile:
        with path.open("rb") as stream:
            data = stored(stream.read())
            modified = os.fstat(stream.fileno()).st_mtime
        data = self._contents.setdefault(data, data)
        return MailFile(data, virtual_size(data), datetime.fromtimestamp(modified, UTC))


def readable(path: Path, read: Callable[[Path], _T]) -> _T:
    """Return `read(path)`; raises StoreError, which names the path, if that is impossible."""
    try:
        return read(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None


def _is_mail(name: str) -> bool:
    return name.lower().endswith(_SUFFIX) and not name.startswith(".")
