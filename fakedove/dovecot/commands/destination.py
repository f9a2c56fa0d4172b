"""The mailbox that `save`, `copy` and `move` put mails into."""

from __future__ import annotations

from collections.abc import Generator

from fakedove.dovecot.commands import queries
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import existing_name_problem, is_utf8
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Log
from fakedove.dovecot.status import Status


def open_destination(
    call: Call, argument: bytes, failure: str
) -> Generator[Item, None, Mailbox | Status]:
    """Return the user's mailbox of that name, or log why not and return the status.

    In `failure` the name is `{}`. Raises Fatal for a name that is not UTF-8.
    """
    if not is_utf8(argument):
        yield from queries.panic(b"uni_utf8_str_is_valid(vname)")
    name = argument.decode()
    problem = existing_name_problem(name)
    box = call.user.find_mailbox(name)
    if problem is None and box is not None:
        return box
    why = problem or f"Mailbox doesn't exist: {name}"
    yield Log(f"{failure.format(name)}: {why}".encode())
    return Status.USAGE if problem else Status.NOTFOUND
