"""The names that a test may mean: a misspelt one matches nothing, and nobody would notice."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fakedove.double.selection import Selection
from fakedove.dovecot.command_spans import MAIL_COMMANDS, OTHER_COMMANDS
from fakedove.errors import StubError, did_you_mean

_COMMANDS = {**MAIL_COMMANDS, **OTHER_COMMANDS}


def is_command(name: str) -> bool:
    """Whether any release has a command of this name."""
    return name in _COMMANDS


class Spelling:
    """Knows the listeners of one fake, and the commands of all releases."""

    def __init__(self, listeners: Collection[str] | None = None) -> None:
        """Know the names of the listeners; None: any are right."""
        self._listeners = listeners

    def check_listener(self, selection: Selection) -> None:
        """Raise StubError if no listener is meant."""
        wanted, known = selection.listener, self._listeners
        if wanted is None or known is None or any(map(wanted.matches, known)):
            return
        near = "" if wanted.literal is None else did_you_mean(wanted.literal, known)
        raise StubError(f"there is no listener {wanted!r}{near} (there is: {', '.join(known)})")

    def check_past(self, selection: Selection, sent: Iterable[str]) -> None:
        """Raise StubError if no listener is meant, or a command that nobody has, and nobody sent.

        `sent` are the names of the commands that have come. Wildcards may mean nothing.
        """
        self.check_listener(selection)
        name = selection.command.literal
        if name is None or is_command(name) or name in sent:
            return
        near = did_you_mean(name, _COMMANDS)
        raise StubError(
            f'no release has a command "{name}", and none was sent{near}; '
            "for one that is still to be sent, write regex(...)"
        )
