"""`[execute.NAME]`: Dovecot 2.4's execute blocks, which say how a feature runs its program.

    [execute.quota-warning]
    driver = "unix"                      # unix | tcp | fork
    args = "80 %{user}"                  # split at spaces, variables filled in
    unix_socket_path = "quota-warning"   # by default the block's name, below base_dir

What is left out comes from the block's name: the path, or host and port. Facts: recordings
welcome-conf-*, and the defaults in doveconf's output.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fakedove.dovecot.toml_table import Table

_KEYS = ("driver", "args", "unix_socket_path", "fork_path", "tcp_host", "tcp_port")
_DRIVERS = ("unix", "tcp", "fork")
#: A driver that older releases have in their settings.
_REFUSED_DRIVER = "exec"
_LARGEST_PORT = 65535

_HOST_AND_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})")
_HOST = re.compile(r"\[([^\]]*)\]|([^:]*|.*:.*:.*)")


class ExecuteBlock(msgspec.Struct, frozen=True, kw_only=True):
    """One block, with every default filled in and no variable."""

    name: str
    driver: str = "unix"
    #: Arguments, separated by spaces; there is no way to quote one.
    args: str = ""
    unix_socket_path: str
    fork_path: str
    tcp_host: str = ""
    tcp_port: int = 0

    def words(self) -> tuple[str, ...]:
        """Return the arguments, each as it stands between spaces."""
        return tuple(word for word in self.args.split(" ") if word)


def read_blocks(top: Table) -> dict[str, ExecuteBlock]:
    """Return the blocks of a configuration by name; raises what is wrong with them."""
    blocks = top.table("execute", None)
    return {name: _block(name, blocks.table(name, _KEYS)) for name, _ in blocks.items()}


def beside(block: object, folder: Path) -> object:
    """Return a block with its program looked for in `folder`, if it is named by a path."""
    if not isinstance(block, Mapping) or not isinstance(path := block.get("fork_path"), str):
        return block
    if "/" not in path or path.startswith("%"):
        return block
    return {**block, "fork_path": str(folder / path)}


def _block(name: str, table: Table) -> ExecuteBlock:
    driver = table.text("driver", "unix")
    if driver == _REFUSED_DRIVER:
        raise table.error("driver", '"exec" is refused by Dovecot 2.4, where it is called "fork"')
    driver = table.choice("driver", _DRIVERS, "unix")
    host, port = _place(name, table) if driver == "tcp" else ("", 0)
    return ExecuteBlock(
        name=name,
        driver=driver,
        args=table.text("args", ""),
        unix_socket_path=table.text("unix_socket_path", "") or name,
        fork_path=table.text("fork_path", "") or name,
        tcp_host=host,
        tcp_port=port,
    )


def _place(name: str, table: Table) -> tuple[str, int]:
    """Return host and port: without a host both are the name's, whatever the port says."""
    host = table.text("tcp_host", "")
    port = table.integer("tcp_port", 0, maximum=_LARGEST_PORT)
    if not host:
        host, port = _host_and_port(name, table)
    if port == 0:
        text = 'must not be 0 with driver = "tcp": give it, or call the block "host:port"'
        raise table.error("tcp_port", text)
    return host, port


def _host_and_port(name: str, table: Table) -> tuple[str, int]:
    if found := _HOST_AND_PORT.fullmatch(name):
        port = int(found[3])
        if 0 < port <= _LARGEST_PORT:
            return found[1] or found[2], port
    elif found := _HOST.fullmatch(name):
        return found[1] or found[2], 0
    raise table.error("tcp_host", f'is missing, and "{name}" is no "host:port" either')
