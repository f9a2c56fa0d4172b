"""A script service as Dovecot has it: what it runs, and what it writes to the log.

Facts: recordings script-service.jsonl (2.3.19.1 and 2.4.1, 113 conversations each).
"""

from __future__ import annotations

from dataclasses import dataclass

from fakedove.dovecot.release import Release
from fakedove.errors import ConfigurationError
from fakedove.wire.script import Header, Problem

#: Seconds from accept within which the whole header has to come.
HEADER_SECONDS = 10.0

#: Exit status of a process whose program could not be run.
EXEC_FAILED = 84

#: What the log says of a header that is refused.
REFUSALS = {
    Problem.INCOMPATIBLE: b"Client not compatible with this binary (connecting to wrong socket?)",
    Problem.INVALID_ALARM: b"invalid alarm option",
    Problem.INVALID_ENVIRONMENT: b"invalid environment variable",
    Problem.EMPTY_OPTION: b"empty options",
}
DISCONNECTED = b"recv(MSG_PEEK) failed: disconnected"
TIMED_OUT = b"recv(MSG_PEEK) failed: Interrupted system call"
WAIT_INTERRUPTED = b"waitpid() failed: Interrupted system call"
RESULT_LOST = b"write(response) failed: Broken pipe"

#: The signal that a process dies of which follows a NULL pointer.
_SEGMENTATION_FAULT = 11

#: default_process_limit and default_client_limit, as doveconf tells them.
DEFAULT_PROCESS_LIMIT, _DEFAULT_CLIENT_LIMIT = 100, 1000

SUCCESS, FAILURE = b"+\n", b"-\n"


@dataclass(frozen=True, slots=True)
class ScriptService:
    """`service NAME { executable = script [-e NAMES] [-p] PROGRAM ARGUMENTS }`."""

    name: str
    #: Absolute path of the program, then the arguments that come before the client's; empty:
    #: no program, every invocation succeeds.
    program: tuple[str, ...]
    #: Variables that clients may set.
    accept_env: tuple[str, ...] = ()
    #: No header is read and no result code written.
    passthrough: bool = False
    #: Stdin and stdout are dot-streams, as Dovecot's tcp driver expects; no real service does it.
    dotstream: bool = False
    #: What the program hears and says is kept in the journal.
    record: bool = False
    #: Connections that are served at a time.
    process_limit: int = DEFAULT_PROCESS_LIMIT

    @property
    def relayed(self) -> bool:
        """Whether the program's bytes have to pass through our hands."""
        return self.dotstream or self.record

    def check(self, release: Release) -> None:
        """Raise ConfigurationError if the release has no such service."""
        if self.accept_env and not release.script.dialect.environment:
            raise ConfigurationError(
                f"script.{self.name}.accept_env: Dovecot {release.number} has no -e; "
                "leave it out, or choose a newer release"
            )
        if self.passthrough and not release.script.passthrough:
            raise ConfigurationError(
                f"script.{self.name}.passthrough: Dovecot {release.number} has no -p; "
                "leave it out, or choose a newer release"
            )

    def words(self, header: Header) -> tuple[bytes, ...]:
        """Return the program and its arguments, as a header asks for them."""
        return (
            *(one.encode("utf-8", "surrogateescape") for one in self.program),
            *header.arguments,
        )

    def environment(self, header: Header) -> dict[bytes, bytes]:
        """Return what of a header's variables the program gets."""
        return header.accepted(name.encode() for name in self.accept_env)


def log_prefix(service: str, release: Release) -> bytes:
    """Return what log lines of a script service begin with."""
    return b"%b: " % service.encode() if release.script.log_names_service else b"script: "


def abnormal_end(status: int) -> bytes:
    """Return what the log says of a program that failed; a signal is a negative number."""
    how = b"signal %d" % -status if status < 0 else b"exit status %d" % status
    return b"Script terminated abnormally, " + how


def exec_failure(program: bytes, reason: str) -> bytes:
    """Return what the log says of a program that cannot be run."""
    return b"execvp(%b) failed: %b" % (program, reason.encode())


def broken_line(level: int) -> bytes:
    """Return what the log process says before a line that only begins as one of Dovecot's."""
    return b"Broken log line follows (type=%b)" % (b"NUL" if level < 0 else b"%d" % level)


def child_end(service: str, pid: int, status: int) -> bytes:
    """Return what the master logs of a process that failed without answering for it."""
    if status < 0:
        how = b"killed with signal %d" % -status
    elif status == EXEC_FAILED:
        how = b"returned error %d (exec() failed)" % status
    else:
        how = b"returned error %d" % status
    return b"service(%b): child %d %b" % (service.encode(), pid, how)


def full(service: ScriptService) -> bytes:
    """Return what the master logs when a client has to wait, which it does.

    A service of one process is told by the other limit, although that means nothing here
    (seen with 2.3.19.1; recordings concurrent-process_limit-1-*).
    """
    limit = b"process_limit (%d)" % service.process_limit
    if service.process_limit == 1:
        limit = b"client_limit (%d)" % _DEFAULT_CLIENT_LIMIT
    name = service.name.encode()
    return b"service(%b): %b reached, client connections are being dropped" % (name, limit)


def child_crash(service: str, pid: int) -> bytes:
    """Return what the master logs of a process that its own header has killed."""
    return child_end(service, pid, -_SEGMENTATION_FAULT) + b" (the real server crashes here)"
