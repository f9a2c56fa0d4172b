"""Write the generated parts of the documentation: `python -m tests.docs.generate`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; a test fails when what
stands there is not what this makes.
"""

from __future__ import annotations

import re
from pathlib import Path

from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS
from tests.docs import coverage
from tests.replay.transcripts import releases

README = Path(__file__).resolve().parents[2] / "README.md"
PAGES = (README, README.parent / "docs" / "coverage.md")
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def recordings() -> str:
    """Count the recorded conversations and those that are replayed equal."""
    every = coverage.replayed()
    equal = sum(one.equal for one in every)
    return (
        f"{len(every):,} conversations recorded from {len(releases())} real Dovecot releases, "
        f"{equal:,} replayed equal, packets\nand their cuts included. The rest depends on process "
        "ids, clocks, or on what the recording\nmachine held."
    )


def release_table() -> str:
    """Tabulate which release speaks what over which transport."""
    head = (
        "| release | protocol | greets | UNIX 0600 | password (UNIX, TCP) | TLS | STARTTLS"
        " | replies | log channel |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    rows: list[tuple[str, str, str]] = []
    for row in ROWS:
        cells = _cells(row)
        if rows and rows[-1][2] == cells:
            rows[-1] = (rows[-1][0], row.last, cells)
        else:
            rows.append((row.first, row.last, cells))
    return head + "\n".join(
        f"| {first if first == last else f'{first} - {last}'} | {cells} |"
        for first, last, cells in rows
    )


def _cells(row: Release) -> str:
    dialect = row.dialect
    stream = dialect.stream_from_minor is not None
    framing = "multiplexed, STREAM from 1.4" if stream else "multiplexed"
    return " | ".join(
        [
            f"1.{dialect.minor}",
            "first" if dialect.greets_first else "after VERSION",
            "yes",
            "no" if row.no_auth else "yes" if dialect.answers_auth else "yes, unanswered",
            "yes" if row.ssl else "no",
            "yes" if dialect.starttls else "no",
            framing if dialect.minor else "plain",
            row.log_channel.name.lower() if dialect.minor else "none",
        ]
    )


PARTS = {
    "recordings": recordings,
    "releases": release_table,
    "command_count": coverage.command_count,
    "commands": coverage.command_table,
    "gaps": coverage.gap_list,
    "exceptions": coverage.exception_table,
}


def generated(text: str) -> str:
    """Return `text` with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part[2]]()}\n{part[3]}", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(generated(page.read_text()))
