"""Dovecot's own words around commands, named after what they say.

Texts of one command stand beside that command; here is what all of them share.
"""

from __future__ import annotations

from datetime import datetime

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Level, Log, Scope
from fakedove.dovecot.rules import Getopt


def unknown_command(release: Release, name: bytes) -> tuple[Log, ...]:
    """Return what is said when field 3 of the line names no command."""
    return (Log(b"doveadm: Client sent unknown command: %b" % name, scope=Scope.PROTOCOL),)


def bad_option(release: Release, command: str, text: str, letter: str) -> tuple[Log, ...]:
    """Return what is said of a bad option; only some releases tell the client."""
    match release.getopt:
        case Getopt.LONG:
            return (_by_getopt(command, text),)
        case Getopt.LONG_LOGGED:
            shown = letter.encode(errors="surrogateescape")
            told = b"Unexpected or incomplete option: -%b" % shown
            return (_by_getopt(command, text), Log(told, scope=Scope.PROTOCOL))
        case _:
            return bad_short_option(command, text)


def bad_short_option(command: str, text: str) -> tuple[Log, ...]:
    """Return what is said where options are letters alone."""
    told = b"doveadm %b: Client sent unknown parameter: ?" % command.encode()
    return (_by_getopt(command, text), Log(told, scope=Scope.PROTOCOL))


def _by_getopt(command: str, text: str) -> Log:
    """Return what getopt itself writes."""
    said = b"%b: %b" % (command.encode(), text.encode(errors="surrogateescape"))
    return Log(said, scope=Scope.STDERR)


def extraneous(release: Release, command: str, surplus: tuple[bytes, ...]) -> tuple[Log, ...]:
    """Return what is said of more positional arguments than the command takes."""
    if release.getopt not in (Getopt.LONG, Getopt.LONG_LOGGED):
        text = b"doveadm %b: Client sent unknown parameter: %b" % (command.encode(), surplus[0])
    elif release.log_names_extraneous:
        text = b"Extraneous arguments found: %b" % b" ".join(surplus)
    else:
        text = b"Extraneous arguments found"
    return (Log(text, scope=Scope.PROTOCOL),)


def invalid_number(value: bytes, why: bytes) -> tuple[Log, ...]:
    """Return what is said of a number that is none, with `why` if that is told (of options)."""
    text = b"Invalid parameter: %b" % (b"%b: %b" % (why, value) if why else value)
    return (Log(text, scope=Scope.PROTOCOL),)


def misused(release: Release, usage: str, scope: Scope = Scope.PROCESS) -> Fatal:
    """Return how a process dies of arguments that are not what `usage` says."""
    if release.short_options:
        return printed_usage(usage)
    return Fatal(b"Client sent invalid command. Usage: %b" % usage.encode(), scope)


def printed_usage(usage: str) -> Fatal:
    """Return how a process dies that prints a usage instead of logging it."""
    return Fatal(b"doveadm %b" % usage.encode(), Scope.STDERR, level=Level.ERROR)


def invalid_value(release: Release, full_usage: str) -> Fatal:
    """Return how a process dies of an option's value, for the command's usage."""
    scope = Scope.PROCESS if release.values_checked_late else Scope.COMMAND
    return misused(release, full_usage, scope)


def unreadable_user_file(path: bytes, error: OSError) -> tuple[Log, Log]:
    """Return what is said of a `-F` file that cannot be opened, or read where it is a folder."""
    is_folder = isinstance(error, IsADirectoryError)
    what = b"pread(size=8192 offset=0)" if is_folder else b"open(%b)" % path
    why = (error.strerror or str(error)).encode()
    text = b"read(%b) failed: %b failed: %b" % (path, what, why)
    return (
        Log(text, scope=Scope.PROCESS),
        Log(b"Failed to iterate through some users", scope=Scope.COMMAND),
    )


def internal_error(now: datetime) -> str:
    """Return what is said, with the time, of an error whose reason is in the log."""
    moment = now.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"Internal error occurred. Refer to server log for more information. [{moment}]"


def without_input(scope: Scope) -> Fatal:
    """Return how a process dies that is to read its standard input, `-`, which is closed."""
    text = b"assertion failed: (errno != EBADF)"
    return Fatal(text, scope, crash=True, log=(backtrace(scope),))


def backtrace(scope: Scope, user: bytes | None = None) -> Log:
    """Return what a process still says when it dies of a failed assertion."""
    return Log(b"Raw backtrace: known to the real server alone", scope=scope, user=user)
