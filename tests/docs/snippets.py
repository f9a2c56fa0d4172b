"""The marked code blocks of a Markdown file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"<!-- (file|output|doveconf): (.*?) -->\n```\w*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A block that is a file, the output of a command, or a configuration of a real release."""

    kind: str
    name: str
    text: str


def snippets(path: Path) -> list[Snippet]:
    """Return the marked blocks in order."""
    return [Snippet(*found.groups()) for found in _BLOCK.finditer(path.read_text())]
