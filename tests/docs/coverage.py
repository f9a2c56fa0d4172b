"""Which command is answered how in which release: what docs/coverage.md says.

What a command does not do stands beside its declaration (`Gap`); which release has it on the
wire, in `command_spans`; what was recorded of it is replayed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from fakedove.dovecot.command_spans import release_key
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.registry import Command, Gap
from tests.replay.compare import differences
from tests.replay.exceptions import excuse
from tests.replay.fake import VALUES, release_of, replay, world_of
from tests.replay.transcripts import Conversation, load, releases

_COLUMNS = sorted(releases(), key=release_key)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded conversation, and what came of playing it on fakedove."""

    release: str
    conversation: Conversation
    equal: bool
    #: Names of the commands that were sent in it.
    commands: frozenset[str]


@functools.cache
def replayed() -> tuple[Replayed, ...]:
    """Replay all conversations."""
    return tuple(_replayed(release, one) for release in releases() for one in load(release))


def _replayed(release: str, conversation: Conversation) -> Replayed:
    with world_of(conversation) as world:
        equal = not differences(conversation, replay(conversation, world), VALUES)
        sent = frozenset(exchange.command for exchange in world.journal)
    return Replayed(release, conversation, equal, sent)


def command_table() -> str:
    """Tabulate how each command is answered in each recorded release."""
    head = ["command", *_COLUMNS]
    rows = [[f"`{name}`", *_cells(COMMANDS[name])] for name in sorted(COMMANDS)]
    return "\n".join(_line(row) for row in (head, ["---"] * len(head), *rows))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(command: Command) -> Iterator[str]:
    for name in _COLUMNS:
        release = release_of(name)
        if not release.knows(command.name):
            yield "-"
            continue
        equal, recorded = _counts()[name, command.name]
        partial = any(gap.exists_in(release) for gap in command.gaps)
        kind = "partial" if partial else "exact" if recorded else "unrecorded"
        of = "" if equal == recorded else f"/{recorded}"
        yield f"{kind} {equal}{of}" if recorded else kind


@functools.cache
def _counts() -> dict[tuple[str, str], tuple[int, int]]:
    """Return by release and command how many conversations are equal, and how many there are."""
    found = {(release, command): (0, 0) for release in _COLUMNS for command in COMMANDS}
    for one in replayed():
        for command in one.commands & COMMANDS.keys():
            if not one.conversation.volatile:
                equal, recorded = found[one.release, command]
                found[one.release, command] = (equal + one.equal, recorded + 1)
    return found


def gap_list() -> str:
    """List what is missing of the commands that are answered partly."""
    by_gaps: dict[tuple[Gap, ...], list[str]] = {}
    for name in sorted(COMMANDS):
        if COMMANDS[name].gaps:
            by_gaps.setdefault(COMMANDS[name].gaps, []).append(name)
    return "\n".join(_listed(names, gaps) for gaps, names in by_gaps.items())


def _listed(names: list[str], gaps: tuple[Gap, ...]) -> str:
    having = [
        release for release in _COLUMNS if any(release_of(release).knows(name) for name in names)
    ]
    head = f"- {', '.join(f'`{name}`' for name in names)}"
    return "\n".join([head, *[f"  - {_told(gap, having)}" for gap in gaps]])


def _told(gap: Gap, having: list[str]) -> str:
    where = [release for release in having if gap.exists_in(release_of(release))]
    return gap.text if where == having else f"{gap.text} ({where[0]} - {where[-1]})"


def exception_table() -> str:
    """Tabulate why recorded conversations are not replayed equal."""
    covered: dict[str, list[str]] = {}
    for one in replayed():
        if entry := excuse(one.conversation, one.release):
            covered.setdefault(entry.reason, []).append(one.release)
    rows = [["recorded on", "conversations", "why they differ"], ["---"] * 3]
    for reason, where in sorted(covered.items()):
        names = sorted(set(where), key=release_key)
        rows.append([", ".join(names), str(len(where)), reason])
    return "\n".join(map(_line, rows))


def command_count() -> str:
    """Count the commands, those of two releases, and those that are answered partly."""
    partly = sum(bool(one.gaps) for one in COMMANDS.values())
    of = {name: sum(map(release_of(name).knows, COMMANDS)) for name in ("2.3.19.1", "2.4.1")}
    counts = " and ".join(f"{count} of {name}" for name, count in of.items())
    return (
        f"All {len(COMMANDS)} commands that the doveadm-server of any release offers are built,"
        f" {counts}\namong them. {partly} of them have limits, which"
        " [docs/coverage.md](docs/coverage.md) names."
    )
