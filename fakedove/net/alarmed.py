"""A program that begins with an alarm of its own, as alarm(2) sets it.

A pending alarm outlives exec and is lost by fork, so only the process itself can set it, and
`subprocess` has no place for that. So it begins as a small Python, this very file, which sets
the alarm and becomes the program: some 10 ms, for those programs alone that have an alarm.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

#: What the kernel does not know how to run is a shell script.
SHELL = b"/bin/sh"


def words(
    program: tuple[bytes, ...],
    environment: tuple[tuple[bytes, bytes], ...],
    seconds: int,
    report: int,
) -> list[bytes]:
    """Return what to run, without an environment, for a program that is to have both.

    If the program cannot be run the error's number is written to the open file `report`.
    """
    python = [os.fsencode(word) for word in (sys.executable, "-I", "-S", __file__)]
    numbers = [b"%d" % number for number in (seconds, report, len(environment))]
    return [*python, *numbers, *(b"%b=%b" % pair for pair in environment), *program]


def _become(seconds: int, report: int, settings: list[bytes], program: list[bytes]) -> None:
    """Set the alarm and be the program."""
    environment = dict(one.split(b"=", 1) for one in settings)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    # Of alarm(2)'s numbers signal.alarm() takes only half.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            os.execve(program[0], program, environment)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            os.execve(SHELL, [SHELL, *program], environment)
    except OSError as error:
        os.write(report, b"%d" % (error.errno or errno.ENOENT))


if __name__ == "__main__":
    given = [os.fsencode(word) for word in sys.argv[1:]]
    count = 3 + int(given[2])
    _become(int(given[0]), int(given[1]), given[3:count], given[count:])
