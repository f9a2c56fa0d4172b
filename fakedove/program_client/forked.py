"""Runs a program as a child process, without a service: Dovecot's driver `fork`.

No header, no result code: the exit status is the verdict. The environment is empty but for
what is given, the working directory is `/` and the umask 0077, as below doveadm. The program
leads a process group of its own, and nothing of it is left when the execution is over.
"""

from __future__ import annotations

import errno
import os
import random
import select
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Final, Self

from fakedove.dovecot import program_client as texts
from fakedove.dovecot.program_client import Verdict
from fakedove.dovecot.reply import Level
from fakedove.dovecot.scripts import exec_failure
from fakedove.program_client.call import Call
from fakedove.program_client.giving_up import GivingUp
from fakedove.program_client.interrupts import uninterrupted
from fakedove.program_client.outcome import Execution, ProgramLog
from fakedove.program_client.pipes import Pipes

_SHELL: Final = b"/bin/sh"
_MOST_PID: Final = 32768
#: Seconds that killed processes may take to be gone.
_DYING: Final = 1.0


def execute_forked(call: Call, giving_up: GivingUp) -> Execution:
    """Run the program at the call's target; one that cannot be run is a failure."""
    log = ProgramLog(call.release.script.client, call.target.label, os.fsencode(call.target.name))
    environment = {
        name.decode(errors="surrogateescape"): value.decode(errors="surrogateescape")
        for name, value in call.header.environment
    }
    with tempfile.TemporaryFile() as stderr, _Lives() as lives, Pipes(call.stdin) as pipes:
        child: subprocess.Popen[bytes] | None = None
        try:
            with uninterrupted():
                child = _spawn(call, pipes.stdin, stderr, lives)
            log.label += b" (%d)" % child.pid
            with giving_up.then(partial(_kill_group, child)):
                done = _watched(call, log, child, pipes)
        except OSError as error:
            if child is not None:
                raise
            done = _not_run(call, log, os.strerror(error.errno or errno.ENOENT))
        finally:
            if child is not None:
                _bury(child)
        if child is not None:
            lives.see_the_end()
            stderr.seek(0)
            done = replace(done, stderr=stderr.read())
    return replace(done, environment=environment, log=tuple(log.records))


class _Lives:
    """A pipe that nothing is written to: it ends with the last process that has inherited it."""

    def __init__(self) -> None:
        self._kept, self.given = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._kept)
        os.close(self.given)

    def see_the_end(self) -> None:
        """Wait for processes that were killed; one that left the group is not ours."""
        os.dup2(self._kept, self.given)
        select.select([self._kept], [], [], _DYING)


def _spawn(call: Call, stdin: int, stderr: IO[bytes], lives: _Lives) -> subprocess.Popen[bytes]:
    """Start it; a file without `#!` is the shell's, as with execvp(3)."""
    path = call.target.path
    program = os.fsencode(Path(path).absolute() if "/" in path else path)
    words = [program, *call.header.arguments]
    for attempt in (words, [_SHELL, *words]):
        try:
            return subprocess.Popen(
                attempt,
                stdin=stdin,
                stdout=subprocess.PIPE if call.wants_output else subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(lives.given,),
                env=dict(call.header.environment),
                cwd="/",
                umask=0o077,
                process_group=0,
                # SIGPIPE stays ignored, as Python has it and Dovecot too.
                restore_signals=False,
            )
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
    raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))


def _bury(child: subprocess.Popen[bytes]) -> None:
    """See to it that the child is gone, however it came here."""
    if child.returncode is None:
        _kill_group(child)
        child.wait()


def _watched(
    call: Call, log: ProgramLog, child: subprocess.Popen[bytes], pipes: Pipes
) -> Execution:
    """Give it its input, take its output, and judge its end."""
    with child:
        try:
            pipes.attend(child)
            finished = _converse(call, log, pipes)
            if not finished:
                child.send_signal(signal.SIGTERM)
                pipes.wait(texts.KILL_SECONDS)
        finally:
            # Its number is its own until it is waited for.
            _kill_group(child)
        child.wait()
        output = bytes(pipes.output)
    call.tell("S", output)
    verdict = _judged(log, child.returncode, finished=finished)
    return Execution(verdict, output, status=child.returncode)


def _converse(call: Call, log: ProgramLog, pipes: Pipes) -> bool:
    """Wait for the program's end, and tell whether it came to one by itself."""
    problem: OSError | None = None
    try:
        pipes.converse(call.timeout)
    except (TimeoutError, BrokenPipeError) as error:
        problem = error
    if call.stdin is not None and pipes.sent:
        log.add_stream(texts.SENT)
    if isinstance(problem, BrokenPipeError):
        log.add_worded(Level.ERROR, log.words.unsent, reason=str(problem.strerror).encode())
    elif call.wants_output and problem is not None:
        # Without output the real client only waits for the end, and says nothing.
        log.add_timeout(call.timeout)
    elif call.wants_output:
        log.add_stream(texts.RECEIVED)
    return problem is None


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the program and whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _judged(log: ProgramLog, status: int, *, finished: bool) -> Verdict:
    if status < 0:
        words = log.words.killed if finished else log.words.terminated
        log.add_worded(Level.ERROR, words, signal=-status)
    elif status:
        log.add_worded(Level.INFO, log.words.exited, status=status)
    if not finished or status < 0:
        return Verdict.INTERNAL_FAILURE
    return Verdict.FAILURE if status else Verdict.SUCCESS


def _not_run(call: Call, log: ProgramLog, reason: str) -> Execution:
    """Tell of a program that cannot be run: the child says so, and its exit status is one."""
    log.add_bare((Level.FATAL, exec_failure(os.fsencode(call.target.path), reason)))
    # A process that there was only in the real one.
    log.label += b" (%d)" % random.randrange(2, _MOST_PID)
    verdict = _judged(log, texts.EXEC_FAILED, finished=True)
    return Execution(verdict, status=texts.EXEC_FAILED)
