"""From the fields of a command line to an invocation: lookup, options, arguments.

This is grammar and depends on the release alone, so the result may be kept; `running` puts
it to work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fakedove.dovecot import getopt, texts
from fakedove.dovecot.arguments import BadNumber, option_values, positionals
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.getopt import Parsed
from fakedove.dovecot.getopt_memory import NOWHERE, Pointer
from fakedove.dovecot.registry import (
    USERNAME_COLUMN,
    ArgumentValue,
    Command,
    Invocation,
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
#: Commands that 2.2.13 does not outlive after a bad option; expunge, mailbox delete and quota get
#: it does (recordings cmd.opt-*, x.mailbox.status-f, x.expunge.m, x.mailbox.delete-e-nonempty).
_DIE_OF_BAD_OPTIONS = ("mailbox list", "mailbox status")
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
    found = find(release, fields)
    if found is None:
        return Refusal(Status.DASH, texts.unknown_command(release, fields[0]))
    command, rest = found
    parameters = [one for one in command.parameters if one.exists_in(release)]
    options = [one for one in parameters if not one.positional]
    if command.reads_options and release.commands_read_options:
        arguments = _read_own(release, command, rest, parameters)
        bare = Invocation(command, username, arguments, rest, verbose, debug=debug)
        return checked(release, bare, None, log)
    old = command.is_old_in(release)
    keeps_pointer = release.getopt not in (Getopt.LONG, Getopt.LONG_LOGGED)
    long = not old and not keeps_pointer
    read = (b"-" + letters, *rest[1:]) if letters else rest
    # Positional arguments have long names too, of options with a value.
    known = parameters if long else options
    by_name = {one.long: one for one in parameters}
    try:
        try:
            first = command.options_first and not old
            parsed = getopt.parse(read, known, long=long, options_first=first)
        except getopt.BadOption as bad:
            if old:
                log = texts.bad_short_option(command.name, bad.text)
                raise Fatal(b"killed with signal 11", crash=True, log=log) from None
            option_values(bad.before, by_name, strict=release.strict_numbers)
            return _bad_option(
                release, command, bad, None if long else _pointer(bad.stop, read, letters)
            )
        if len(read) > len(rest):
            raise Fatal(b"killed with signal 11", crash=True)
        arguments = option_values(parsed.options, by_name, strict=old or release.strict_numbers)
        surplus = positionals(
            arguments,
            parsed.arguments,
            [one for one in parameters if one.positional],
            strict=release.strict_numbers,
        )
    except BadNumber as bad_number:
        if bad_number.option and old:
            text = b"Invalid -%b parameter: %b" % (bad_number.option.encode(), bad_number.value)
            raise Fatal(text, Scope.COMMAND) from None
        return Refusal(
            Status.USAGE, texts.invalid_number(bad_number.value, bad_number.why), command
        )
    if surplus:
        log = texts.extraneous(release, command.name, surplus)
        return Refusal(Status.USAGE if long else Status.DASH, log, command)
    require(release, command, parameters, arguments)
    kept = keeps_pointer and bool(parsed.options)
    pointer = _pointer(parsed.stop, read, letters) if kept else None
    bare = Invocation(command, username, arguments, rest, verbose, debug=debug, old=old)
    return checked(release, bare, pointer, log)


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
    arguments = option_values(parsed.options, {one.long: one for one in options}, strict=False)
    places = [one for one in parameters if one.positional]
    positionals(arguments, parsed.arguments, places, strict=False)
    require(release, command, parameters, arguments)
    return arguments


def _pointer(stop: getopt.Stop, fields: tuple[bytes, ...], letters: bytes) -> Pointer:
    """Return where getopt's pointer is after `fields`, whose first may be `letters`."""
    if stop is None:
        return NOWHERE
    number, read = stop
    if letters and number == 0:
        return Pointer(0, read - 1)
    return Pointer(len(fields) - number, read)


def checked(
    release: Release,
    bare: Invocation,
    pointer: Pointer | None = None,
    log: tuple[Log, ...] = (),
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


def find(release: Release, fields: tuple[bytes, ...]) -> tuple[Command, tuple[bytes, ...]] | None:
    """Return the command that fields begin with, and the fields behind its name."""
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


def require(
    release: Release,
    command: Command,
    parameters: Sequence[Parameter],
    arguments: Mapping[str, ArgumentValue],
) -> None:
    """Raise Fatal if an argument is missing that the command cannot do without."""
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
