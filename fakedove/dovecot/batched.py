"""The commands of a batch: their lines are read by an older grammar.

It has no long options, none that every mail command takes, and none that came after it;
surplus arguments are for each command to count. First all lines are read, then all of them
are checked, and nobody is looked up before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fakedove.dovecot import dispatch, getopt, texts
from fakedove.dovecot.arguments import option_values, positionals
from fakedove.dovecot.commands import mailbox_cache
from fakedove.dovecot.registry import (
    MAIL_PARAMETERS,
    MAIL_USAGE,
    ArgumentValue,
    Command,
    Invocation,
    Parameter,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Scope

#: Letters of options that the older grammar does not have.
_LATER_LETTERS: Mapping[str, str] = {
    "import": "U",
    "mailbox metadata get": "s",
    "mailbox metadata list": "sp",
    "mailbox metadata set": "s",
    "mailbox metadata unset": "s",
    "mailbox path": "t",
    "mailbox status": "f",
    "mailbox update": "gVNRHP",
}
#: What counts its arguments, and dies of one too many; others take them or do not look.
_COUNT_ARGUMENTS = (
    *("mailbox metadata get", "mailbox metadata set", "mailbox metadata unset"),
    *("mailbox rename", "mailbox update"),
    *("sieve activate", "sieve get", "sieve put", "sieve rename"),
)
#: Usages that say nothing of the options that every mail command takes.
_BARE_USAGES = ("backup", "batch", "dsync-server", "quota get", "quota recalc", "sync")
#: It judges its options while they are read, and takes names of fields from elsewhere.
_DECISION = "mailbox cache decision"


def invocations(outer: Invocation, release: Release) -> list[Invocation]:
    """Return the commands of a batch; raise Fatal, as the real process dies of a bad one."""
    return [_checked(one, release) for one in [*_read(outer, release)]]


def _read(outer: Invocation, release: Release) -> Iterator[Invocation]:
    *lines, last = _lines(outer)
    for line in [*lines, last] if last else lines:
        if not line:
            raise _killed()
        yield _invocation(outer, line, release)


def _lines(outer: Invocation) -> Iterator[tuple[bytes, ...]]:
    separator = outer.text("separator")
    line: list[bytes] = []
    for word in (*outer.texts("args"), separator):
        if word != separator:
            line.append(word or b"")
            continue
        yield tuple(line)
        line = []


def _invocation(outer: Invocation, line: tuple[bytes, ...], release: Release) -> Invocation:
    found = dispatch.find(release, line)
    if found is None:
        text = b"doveadm batch: '%b' mail command doesn't exist" % line[0]
        raise Fatal(text, Scope.COMMAND)
    command, fields = found
    if not command.mail:
        raise _killed()
    word = line[len(line) - len(fields) - 1]
    arguments = _arguments(command, word, fields, release)
    if command.name == "save" and not release.old_commands:
        raise _killed()
    return Invocation(command, outer.username, arguments, fields, outer.verbose, debug=outer.debug)


def _arguments(
    command: Command, word: bytes, fields: tuple[bytes, ...], release: Release
) -> dict[str, ArgumentValue]:
    """Return the arguments; `word` is the last one of the command's name."""
    parameters = [*_parameters(command, release)]
    options = [one for one in parameters if not one.positional]
    try:
        parsed = getopt.parse(fields, options, long=False, options_first=command.options_first)
    except getopt.BadOption as bad:
        what = b"%b: %b" % (word, bad.text.encode(errors="surrogateescape"))
        complaint = _complaint(command, bad.before) or (Log(what, scope=Scope.STDERR),)
        raise _misused(command, release, complaint) from None
    if complaint := _complaint(command, parsed.options):
        raise _misused(command, release, complaint)
    arguments = option_values(parsed.options, {one.long: one for one in options}, strict=False)
    places = [one for one in parameters if one.positional]
    surplus = positionals(arguments, parsed.arguments, places, strict=False)
    if surplus and command.name in _COUNT_ARGUMENTS:
        raise texts.misused(release, command.usage_in(release))
    return arguments


def _complaint(command: Command, options: Sequence[tuple[str, bytes | None]]) -> tuple[Log, ...]:
    if command.name != _DECISION:
        return ()
    return mailbox_cache.complaint_in_batch(options)


def _parameters(command: Command, release: Release) -> Iterator[Parameter]:
    """Yield what the older grammar has of a command's parameters."""
    later = "" if release.short_options else _LATER_LETTERS.get(command.name, "")
    for one in command.parameters:
        known = one.positional or (one.short and one.short not in later)
        if known and one not in MAIL_PARAMETERS and one.exists_in(release):
            yield one


def _misused(command: Command, release: Release, complaint: tuple[Log, ...]) -> Fatal:
    """Return how the process dies of an option, after a complaint."""
    usage = command.usage_in(release).removeprefix(f"{command.name} {MAIL_USAGE}").lstrip()
    # The usual prefix comes twice, as most usages have it themselves.
    if command.name not in _BARE_USAGES:
        usage = f"{MAIL_USAGE} {usage}"
    died = texts.printed_usage(f"{command.name} {MAIL_USAGE}  {usage}")
    died.log = complaint
    return died


def _checked(bare: Invocation, release: Release) -> Invocation:
    parameters = [one for one in bare.command.parameters if one.exists_in(release)]
    dispatch.require(release, bare.command, parameters, bare.arguments)
    if bare.command.name == "sieve put" and not release.old_commands:
        raise _killed()
    if bare.command.name == _DECISION and not (bare.flag("all") or release.old_commands):
        last_words = (texts.backtrace(Scope.PROCESS),)
        raise Fatal(b"assertion failed: (cctx != NULL)", crash=True, log=last_words)
    prepared = dispatch.checked(release, bare)
    if isinstance(prepared, dispatch.Refusal):
        raise texts.misused(release, bare.command.usage_in(release))
    return prepared


def _killed() -> Fatal:
    """Return how the process dies of what no batch has, such as a mail behind the line."""
    return Fatal(b"killed with signal 11", crash=True)
