"""`run_script`: one run of a program behind a script service, for its author's test."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fakedove.dovecot.program_client import Verdict
from fakedove.program_client.call import RUN_SECONDS, Driver, ExecuteError, Target, make_call
from fakedove.program_client.giving_up import GivingUp
from fakedove.program_client.temporary_service import execute_with_service
from fakedove.sessions.server_log import LogRecord


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """How a program did behind a script service."""

    #: Exit status, a signal as a negative number; None: it was ended, or never judged.
    status: int | None
    #: What it printed.
    stdout: bytes
    #: What it wrote to stderr, line by line.
    stderr: tuple[str, ...]
    #: What the service made of it: `+` LF or `-` LF; None without a result code.
    result: bytes | None
    #: What a client of the service concludes.
    verdict: Verdict
    #: All the environment that it had.
    environment: dict[str, str]
    #: What Dovecot would have logged, stderr included.
    log: tuple[LogRecord, ...]

    @property
    def ok(self) -> bool:
        """Whether the client was told of success."""
        return self.verdict is Verdict.SUCCESS


def run_script(
    command: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    args: Sequence[str | bytes] = (),
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = RUN_SECONDS,
    alarm: int = 0,
    noreply: bool = False,
    dovecot: str | None = None,
) -> ScriptRun:
    """Run a program as Dovecot's script service does, once, and tell all about it.

    `command` is the program, with the arguments that the service's configuration has for it;
    `args` are the client's, which follow. `timeout` and `alarm` are in seconds. Raises
    ExecuteError if there is no such program or it must not be run.
    """
    several = [command] if isinstance(command, str | os.PathLike) else command
    words = [os.fspath(word) for word in several]
    program = _program(words)
    call = make_call(
        Target(Driver.SCRIPT, program),
        args,
        env=env,
        stdin=stdin,
        timeout=timeout,
        alarm=alarm,
        noreply=noreply,
        output=True,
        dovecot=dovecot,
    )
    done = execute_with_service([program, *words[1:]], call, GivingUp())
    return ScriptRun(
        status=done.status,
        stdout=done.output,
        stderr=tuple(done.stderr.decode(errors="replace").splitlines()),
        result=done.result,
        verdict=done.verdict,
        environment=done.environment or {},
        log=done.log,
    )


def _program(words: Sequence[str]) -> str:
    if not words or not words[0]:
        raise ExecuteError("command: must begin with a program")
    path = Path(words[0]).absolute()
    if not path.exists():
        raise ExecuteError(f"{path}: there is no such program")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ExecuteError(f"{path}: is no program that may be run")
    return str(path)
