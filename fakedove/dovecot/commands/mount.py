"""`mount add`, `list` and `remove`, which a server process dies of."""

from __future__ import annotations

from fakedove.dovecot.registry import Call, Kind, command, positional
from fakedove.dovecot.reply import Fatal, Output


@command("mount add", positional("path", Kind.TEXTS, required=False), reads_options=True)
def mount_add(call: Call) -> Output:
    """Die."""
    raise Fatal(b"killed with signal 11", crash=True)


@command("mount list", positional("mask", Kind.TEXTS, required=False), reads_options=True)
def mount_list(call: Call) -> Output:
    """Die."""
    return mount_add(call)


@command("mount remove", positional("path", Kind.TEXTS, required=False), reads_options=True)
def mount_remove(call: Call) -> Output:
    """Die."""
    return mount_add(call)
