"""The differences that are known: what is asked, on which release, and why the answers differ.

    known_reason("2.4.1", question, differences) -> "..." or None

An entry of known.toml has shell patterns of releases and two regular expressions: `asked` for
the question as it is printed, and `said`, if given, for one of the lines that differ. Its
`example` is a list of questions, the last of which shows it; the test asks them, and fails for
an entry that nothing needs any more. What the real server shows in some runs only is there
`sometimes`: its example may be answered alike, but may not differ in any other way.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.real.compared.questions import Question

_FILE = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True)
class Known:
    """One known difference."""

    releases: tuple[str, ...]
    asked: re.Pattern[str]
    said: re.Pattern[str]
    reason: str
    #: Questions: user, command and arguments, tabs between them.
    example: tuple[str, ...]
    #: Whether the real server shows it in some runs and in others not.
    sometimes: bool

    def covers(self, release: str, question: Question, differences: Sequence[str]) -> bool:
        """Whether these differences are this one."""
        return (
            self.is_about(release)
            and self.asked.search(str(question)) is not None
            and any(self.said.search(line) for line in differences if line[0] in "-+")
        )

    def is_about(self, release: str) -> bool:
        """Whether the release is one of those that answer otherwise."""
        return any(fnmatchcase(release, pattern) for pattern in self.releases)

    def questions(self) -> list[Question]:
        """Return the example as questions."""
        return [
            Question("", user, command, tuple(arguments))
            for user, command, *arguments in (line.split("\t") for line in self.example)
        ]


def known_reason(release: str, question: Question, differences: Sequence[str]) -> str | None:
    """Return why these differences are there, or None if that is not known."""
    for one in known_differences():
        if one.covers(release, question, differences):
            return one.reason
    return None


@functools.cache
def known_differences() -> tuple[Known, ...]:
    """Read known.toml."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8")).get("known", [])
    return tuple(
        Known(
            releases=tuple(entry["releases"]),
            asked=re.compile(entry["asked"]),
            said=re.compile(entry.get("said", "")),
            reason=entry["reason"],
            example=tuple(entry["example"]),
            sometimes=entry.get("sometimes", False),
        )
        for entry in entries
    )
