"""What the mailbox commands have in common: checks of names, and why a mailbox is out of reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import (
    canonical_name,
    existing_name_problem,
    mailbox_name,
    new_name_problem,
)
from fakedove.dovecot.registry import Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

#: Why something is refused, and the status of that.
Problem: TypeAlias = tuple[Status, str]

#: Who may see a mailbox is told.
NO_PERMISSION = (Status.NOPERM, "Permission denied")


def check_names(*parameters: str) -> Callable[[Invocation, Release], None]:
    """Return the check that these parameters are UTF-8; it raises Fatal."""

    def check(invocation: Invocation, release: Release) -> None:
        for parameter in parameters:
            one = invocation.text(parameter)
            for argument in invocation.texts(parameter) if one is None else (one,):
                mailbox_name(argument)

    return check


def name_problem(name: str) -> Problem | None:
    """Return why no mailbox is called `name`, or None."""
    why = existing_name_problem(name)
    return None if why is None else (Status.USAGE, why)


def new_problem(user: User, name: str, release: Release) -> Problem | None:
    """Return why the user can make no mailbox `name`, whether there is one or not."""
    why = new_name_problem(name, release)
    if why is not None:
        return Status.USAGE, why
    above = mailbox_above(user, name)
    if above is not None and not user.may("create", above):
        return NO_PERMISSION
    return None


def mailbox_above(user: User, name: str) -> Mailbox | None:
    """Return the nearest mailbox above `name`, whose ACL decides on a new one, or None.

    An INBOX that was deleted comes back by that, and the list of mailboxes up to date.
    """
    while name := name.rpartition("/")[0]:
        if (box := user.find_mailbox(name)) is not None:
            return box
        user.list_index.refresh()
    return None


def right_problem(user: User, box: Mailbox, right: str) -> Problem | None:
    """Return why the user may not use a right on a mailbox: who must not see it is not told."""
    if user.may(right, box):
        return None
    if not user.may("lookup", box):
        return missing(box.name)
    return NO_PERMISSION


def opening_problem(user: User, box: Mailbox, *rights: str) -> Problem | None:
    """Return why the user may not open a mailbox: it takes lookup, and one of `rights`."""
    if not user.may("lookup", box):
        return missing(box.name)
    return None if any(user.may(right, box) for right in rights) else NO_PERMISSION


def missing(name: str) -> Problem:
    """Return what is said of a mailbox that is not there."""
    return Status.NOTFOUND, f"Mailbox doesn't exist: {canonical_name(name)}"


def last_problem(user: User, problem: Problem) -> Problem:
    """Return what is said of `problem`, after which the list of mailboxes is looked at again.

    That is what is wrong with the last mailbox that is new to the list, if anything is.
    """
    for name in reversed(user.list_index.refresh()):
        box = user.existing_mailbox(name)
        other = missing(name) if box is None else right_problem(user, box, "read")
        if other is not None:
            return other
    return problem


def is_visible(user: User, box: Mailbox | None) -> bool:
    """Whether listings show a mailbox or folder."""
    return box is None or box.name == "INBOX" or user.may("lookup", box)
