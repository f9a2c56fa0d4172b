"""The words of a command line as the doveadm program puts them on the wire.

The program parses its options itself, sends them in short form, and then always `--` before
what is left, even if nothing is: `quota get -u tss` becomes `quota get|-u|tss|--`. Commands
that the registry does not have are sent as they were typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from fakedove.dovecot import dispatch, getopt
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.registry import Command, Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import find_protocol
from fakedove.dovecot.reply import Fatal
from fakedove.errors import UnknownReleaseError

_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class CommandWords:
    """A command as it is sent."""

    name: str
    user: str
    arguments: tuple[bytes, ...]

    def invocation(self, minor: int) -> Invocation | None:
        """Return what a server of protocol 1.`minor` understands; None if it refuses."""
        fields = (self.name.encode(), *self.arguments)
        user = self.user.encode(errors="surrogateescape")
        try:
            prepared = dispatch.prepare(_release(minor), user, fields)
        except (Fatal, dispatch.UnbuiltCommand):
            return None
        return prepared if isinstance(prepared, Invocation) else None


def parse_words(words: Sequence[str]) -> CommandWords:
    """Split `words` into a command's name and its arguments; find the user in them."""
    name, rest = _split_name(words)
    fields = [word.encode(errors="surrogateescape") for word in rest]
    command = COMMANDS.get(name)
    parsed = None if command is None else _parsed(command, fields)
    if parsed is None:
        return CommandWords(name, _user_as_typed(rest), _with_dashes(fields))
    user = dict(parsed.options).get("user") or b""
    options = [] if command is None else _short_options(command, parsed)
    arguments = (*options, b"--", *parsed.arguments)
    return CommandWords(name, user.decode(errors="surrogateescape"), arguments)


def _split_name(words: Sequence[str]) -> tuple[str, list[str]]:
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        name = " ".join(words[:count])
        if name in COMMANDS:
            return name, list(words[count:])
    return words[0], list(words[1:])


def _parsed(command: Command, fields: list[bytes]) -> getopt.Parsed | None:
    options = [one for one in command.parameters if not one.positional]
    try:
        return getopt.parse(fields, options, long=True)
    except getopt.BadOption:
        return None


def _short_options(command: Command, parsed: getopt.Parsed) -> list[bytes]:
    short = {one.long: one.short for one in command.parameters}
    sent: list[bytes] = []
    for long, value in parsed.options:
        sent.append(f"-{short[long]}".encode() if short[long] else f"--{long}".encode())
        if value is not None:
            sent.append(value)
    return sent


def _with_dashes(fields: list[bytes]) -> tuple[bytes, ...]:
    return tuple(fields) if b"--" in fields else (*fields, b"--")


def _user_as_typed(words: Sequence[str]) -> str:
    """Find the value of `-u`, in whatever form, among words nobody can parse."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--":
            break
        if word in ("-u", "--user"):
            return following
        if word.startswith("--user="):
            return word.removeprefix("--user=")
        if word.startswith("-u"):
            return word.removeprefix("-u")
    return ""


def _release(minor: int) -> Release:
    try:
        return find_protocol(f"1.{minor}")
    except UnknownReleaseError:
        return find_protocol("1.4")
