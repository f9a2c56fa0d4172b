"""What a script has declared, and what was said about it already."""

from __future__ import annotations

from fakedove.dovecot.sieve.problems import Problems


class Scope:
    """The capabilities of a script, as far as it has been looked at."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._loaded: set[str] = set()
        self._said: set[tuple[str, str]] = set()

    def load(self, capability: str) -> None:
        """Note that the script requires this."""
        self._loaded.add(capability)

    def has(self, capability: str) -> bool:
        """Whether the script requires this, or it is nothing that needs to be."""
        return not capability or capability in self._loaded

    def first_time(self, command: str, tag: str) -> bool:
        """Whether an unknown tag is new; such are told once."""
        new = (command, tag) not in self._said
        self._said.add((command, tag))
        return new
