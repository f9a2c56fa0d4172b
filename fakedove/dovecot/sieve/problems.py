"""What is wrong with a Sieve script: lines of the log in the order in which they are found."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A line of the log, without the script's name."""

    text: bytes
    warning: bool = False


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    @property
    def failed(self) -> bool:
        """Whether there is more than warnings."""
        return any(not problem.warning for problem in self._found)

    def error(self, line: int, text: str) -> None:
        """Note an error in a line of the script."""
        self._found.append(Problem(_located(line, text)))

    def warn(self, line: int, text: str) -> None:
        """Note something odd in a line of the script, which compiles nevertheless."""
        self._found.append(Problem(_located(line, text), warning=True))

    def closed_with(self, text: bytes) -> tuple[Problem, ...]:
        """Return all problems, with `text` at the end if the script has failed."""
        return (*self._found, *((Problem(text),) if self.failed else ()))


def _located(line: int, text: str) -> bytes:
    return f"line {line}: {text}".encode(errors="surrogateescape")


def printable(text: str) -> str:
    """Return a string of the script as messages show it: `?` for control characters."""
    return "".join("?" if char < " " or char == "\x7f" else char for char in text)
