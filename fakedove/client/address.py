"""Where a server listens, in all the forms in which people write it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TypeAlias

from fakedove.client.errors import ClientError

#: `unix:PATH`, `tcp:HOST:PORT`, a path, `HOST:PORT`, or host and port.
AddressLike: TypeAlias = "str | os.PathLike[str] | tuple[str, int] | Address"

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s/:\[\]]+)):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: at a `path`, or at `host` and `port`."""

    path: str | None = None
    host: str = "localhost"
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.path is None else self.path

    @classmethod
    def of(cls, address: AddressLike) -> Address:
        """Return `address` as an Address; raise ClientError if it is none."""
        if isinstance(address, Address):
            return address
        if isinstance(address, tuple):
            return cls(None, address[0], int(address[1]))
        text = os.fspath(address)
        scheme, _, rest = text.partition(":")
        if scheme == "unix" and rest:
            return cls(rest)
        match = _HOST_PORT.fullmatch(rest if scheme == "tcp" else text)
        if match is not None and int(match[3]) <= 65535:
            return cls(None, match[1] or match[2], int(match[3]))
        if scheme in ("tcp", "unix") or not text:
            what = "unix:PATH, tcp:HOST:PORT, PATH or HOST:PORT"
            raise ClientError(f'"{text}" is no address: it must be {what}')
        return cls(text)
