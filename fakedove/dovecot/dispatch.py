"""From the fields of a command line to an invocation: lookup, options, arguments.

This is grammar and depends on the release alone, so the result may be kept; `running` puts
it to work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fakedove.dovecot import getopt, texts
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.getopt import Parsed
from fakedove.dovecot.getopt_memory import NOWHERE, Pointer
from fakedove.dovecot.registry import (
    USERNAME_COLUMN,
    ArgumentValue,
    Command,
    Invocation,
    Kind,
    Parameter,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import (
    Declined,
    Fatal,
    Log,
    Scope,
)
from fakedove.dovecot.rules import Getopt, UserRule
from fakedove.dovecot.status import Status

#: Command names have up to this many words.
_MOST_WORDS = 4
_NUMBER = re.compile(rb"-?[0-9]{1,19}")
#: Commands that 2.2.13 does not outlive after a bad option; expunge, mailbox delete and quota get
#: it does (recordings cmd.opt-*, x.mailbox.status-f, x.expunge.m, x.mailbox.delete-e-nonempty).
_DIE_OF_BAD_OPTIONS = ("mailbox list", "mailbox status")
#: What fits 64 bits.
_NUMBERS = range(-(1 << 63), 1 << 63)
#: What fits 32 bits.
_TRANS_FLAGS = range(1 << 32)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command line that no command runs for."""

    status: Status
    log: tuple[Log, ...]
    #: The command that refused it; None if there is no such command.
    command: Command | None = None
    #: Where getopt's pointer was left, if it was moved and is kept.
    pointer: Pointer | None = None
    #: The next command that gets beyond its options dies.
    wounds: bool = False


class _BadNumber(Exception):
    """A number that is none; `why` says what it lacks, if that is told."""

    def __init__(self, value: bytes, why: bytes = b"") -> None:
        super().__init__(value)
        self.value = value
        self.why = why


class UnbuiltCommand(Exception):
    """The release knows the command; fakedove does not, yet."""


def prepare(
    release: Release,
    username: bytes,
    fields: tuple[bytes, ...],
    *,
    verbose: bool = False,
    debug: bool = False,
    letters: bytes = b"",
    log: tuple[Log, ...] = (),
) -> Invocation | Refusal:
    """Return the invocation that `fields` (command name first) ask for, or why there is none.

    `letters` are options that getopt's memory puts in place of the first argument, `log` is
    for each user that is looked up. Raises Fatal where the real process dies.
    """
    found = _find(release, fields)
    if found is None:
        return Refusal(Status.DASH, texts.unknown_command(release, fields[0]))
    command, rest = found
    parameters = [one for one in command.parameters if one.exists_in(release)]
    options = [one for one in parameters if not one.positional]
    if command.reads_options and release.commands_read_options:
        arguments = _read_own(release, command, rest, parameters)
        bare = Invocation(command, username, arguments, rest, verbose, debug=debug)
        return _invocation(release, bare, None, log)
    long = release.getopt in (Getopt.LONG, Getopt.LONG_LOGGED)
    read = (b"-" + letters, *rest[1:]) if letters else rest
    # Positional arguments have long names too, of options with a value.
    known = parameters if long else options
    by_name = {one.long: one for one in parameters}
    try:
        try:
            parsed = getopt.parse(read, known, long=long, options_first=command.options_first)
        except getopt.BadOption as bad:
            _option_values(bad.before, by_name, strict=release.strict_numbers)
            return _bad_option(
                release, command, bad, None if long else _pointer(bad.stop, read, letters)
            )
        if len(read) > len(rest):
            raise Fatal(b"killed with signal 11", crash=True)
        arguments = _option_values(parsed.options, by_name, strict=release.strict_numbers)
        surplus = _positionals(
            arguments,
            parsed.arguments,
            [one for one in parameters if one.positional],
            strict=release.strict_numbers,
        )
    except _BadNumber as bad_number:
        return Refusal(
            Status.USAGE, texts.invalid_number(bad_number.value, bad_number.why), command
        )
    if surplus:
        log = texts.extraneous(release, command.name, surplus)
        return Refusal(Status.USAGE if long else Status.DASH, log, command)
    _require(release, command, parameters, arguments)
    kept = not long and bool(parsed.options)
    pointer = _pointer(parsed.stop, read, letters) if kept else None
    bare = Invocation(command, username, arguments, rest, verbose, debug=debug)
    return _invocation(release, bare, pointer, log)


def _read_own(
    release: Release, command: Command, fields: tuple[bytes, ...], parameters: list[Parameter]
) -> dict[str, ArgumentValue]:
    """Return the arguments of a command that reads them itself; a bad option is its end.

    One that has no options takes everything for an argument.
    """
    options = [one for one in parameters if not one.positional]
    parsed = Parsed((), fields)
    try:
        if options:
            parsed = getopt.parse(fields, options, long=False)
    except getopt.BadOption as bad:
        usage = texts.misused(release, command.usage_in(release), Scope.COMMAND)
        usage.log = texts.bad_option(release, command.name, bad.text, bad.letter)
        raise usage from None
    arguments = _option_values(parsed.options, {one.long: one for one in options}, strict=False)
    positionals = [one for one in parameters if one.positional]
    _positionals(arguments, parsed.arguments, positionals, strict=False)
    _require(release, command, parameters, arguments)
    return arguments


def _pointer(stop: getopt.Stop, fields: tuple[bytes, ...], letters: bytes) -> Pointer:
    """Return where getopt's pointer is after `fields`, whose first may be `letters`."""
    if stop is None:
        return NOWHERE
    number, read = stop
    if letters and number == 0:
        return Pointer(0, read - 1)
    return Pointer(len(fields) - number, read)


def _invocation(
    release: Release, bare: Invocation, pointer: Pointer | None, log: tuple[Log, ...]
) -> Invocation | Refusal:
    """Return `bare` with what follows from it, if the command lets it pass."""
    command = bare.command
    if release.trans_flags_crash and (bare.number("trans-flags") or 0) not in _TRANS_FLAGS:
        raise Fatal(b"killed with signal 6", crash=True)
    try:
        if command.check is not None:
            command.check(bare, release)
    except Declined as declined:
        return Refusal(declined.status, declined.log, command, pointer)
    columns = command.column_keys(bare, release)
    named = command.mail and _shows_username(bare, release)
    if named and columns:
        columns = (USERNAME_COLUMN, *columns)
    return replace(
        bare,
        columns=columns,
        username_column=named,
        pointer=pointer,
        flushes=bool(command.flushes) and bool(getattr(release, command.flushes)),
        one_user=None if log or command.before else _one_user(bare, release),
        log=log,
    )


def _one_user(invocation: Invocation, release: Release) -> str | None:
    """Return the username field if the command is about that user and no other."""
    if any(name in invocation.arguments for name in ("user", "user-file", "all-users")):
        return None
    if not invocation.command.mail or release.user_rule is UserRule.OPTION:
        return None
    return invocation.username.decode(errors="surrogateescape")


def _find(release: Release, fields: tuple[bytes, ...]) -> tuple[Command, tuple[bytes, ...]] | None:
    most = _MOST_WORDS if release.split_names else 1
    for words in range(1, min(most, len(fields)) + 1):
        name = b" ".join(fields[:words]).decode(errors="surrogateescape")
        if release.knows(name):
            command = COMMANDS.get(name)
            if command is None:
                raise UnbuiltCommand(name)
            return command, fields[words:]
    return None


def _bad_option(
    release: Release, command: Command, bad: getopt.BadOption, pointer: Pointer | None
) -> Refusal:
    log = texts.bad_option(release, command.name, bad.text, bad.letter)
    match release.getopt:
        case Getopt.SHORT:
            return Refusal(Status.DASH, log, command, pointer, wounds=True)
        case Getopt.SHORT_DIES if command.name in _DIE_OF_BAD_OPTIONS:
            raise Fatal(b"killed with signal 11", crash=True, log=log)
        case Getopt.SHORT_DIES:
            return Refusal(Status.DASH, log, command, pointer)
        case _:
            return Refusal(Status.USAGE, log, command)


def _option_values(
    options: Sequence[tuple[str, bytes | None]], known: dict[str, Parameter], *, strict: bool
) -> dict[str, ArgumentValue]:
    values: dict[str, ArgumentValue] = {}
    for name, value in options:
        # Where options contradict each other the last one counts.
        before = values.pop(name, ())
        if value is None:
            values[name] = True
        elif known[name].kind is Kind.TEXTS:
            values[name] = (*(before if isinstance(before, tuple) else ()), value)
        elif known[name].kind in (Kind.NUMBER, Kind.UNSIGNED):
            number = int(value) if _NUMBER.fullmatch(value) else None
            unsigned = known[name].kind is Kind.UNSIGNED
            # A number that is none is refused by some releases, and ignored by the others.
            if strict and (number is None or number not in _NUMBERS):
                raise _BadNumber(value, b"Invalid number")
            if strict and unsigned and number is not None and number < 0:
                raise _BadNumber(value, b"Cannot be negative")
            if number is not None and number in _NUMBERS:
                values[name] = number
        else:
            values[name] = value
    return values


def _positionals(
    arguments: dict[str, ArgumentValue],
    given: tuple[bytes, ...],
    parameters: Sequence[Parameter],
    *,
    strict: bool,
) -> tuple[bytes, ...]:
    """Put positional arguments where they belong; return those that have no place."""
    for parameter in parameters:
        if not given:
            break
        # What was given by its long name already.
        before = arguments.get(parameter.long)
        if parameter.kind is Kind.TEXTS:
            arguments[parameter.long] = (*(before if isinstance(before, tuple) else ()), *given)
            return ()
        if before is not None:
            continue
        if parameter.kind is Kind.NUMBER:
            number, given = _first_number(given, strict=strict)
            if number is not None:
                arguments[parameter.long] = number
        else:
            arguments[parameter.long], given = given[0], given[1:]
    return given


def _first_number(
    given: tuple[bytes, ...], *, strict: bool
) -> tuple[int | None, tuple[bytes, ...]]:
    """Return the first of the arguments that is a number, and those behind it."""
    for at, value in enumerate(given):
        if _NUMBER.fullmatch(value) and int(value) in _NUMBERS:
            return int(value), given[at + 1 :]
        if strict:
            # All that follows is named, too.
            raise _BadNumber(b" ".join(given))
    return None, ()


def _require(
    release: Release,
    command: Command,
    parameters: Sequence[Parameter],
    arguments: dict[str, ArgumentValue],
) -> None:
    if any(one.required and one.long not in arguments for one in parameters):
        scope = Scope.PROCESS if command.mail else Scope.COMMAND
        raise texts.misused(release, command.usage_in(release), scope)


def _shows_username(invocation: Invocation, release: Release) -> bool:
    if invocation.flag("user-file"):
        return True
    if invocation.flag("all-users"):
        return True
    if release.user_rule is UserRule.FIELD_ALL_ITERATES:
        return False
    user = invocation.text("user") or b""
    return b"*" in user or b"?" in user
