"""What a program client concludes, and what it writes to the log about it.

Facts: recordings script-clients.jsonl (2.3.19.1 and 2.4.1); for other releases the texts are
those of their sources. Up to 2.3.6 a line names the program itself, later its prefix does.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from fakedove.dovecot.reply import Level
from fakedove.wire.program_client import Answer, Result

#: Seconds that a forked program gets between SIGTERM and SIGKILL.
KILL_SECONDS = 5.0
#: Seconds until another attempt at a UNIX socket whose backlog is full.
RETRY_SECONDS = 0.1
#: Exit status of a forked process whose program could not be run, below doveadm.
EXEC_FAILED = 75

SENT = b"Finished streaming payload to program"
RECEIVED = b"Finished streaming payload from program"
NO_ADDRESS_LEFT = b"No IP addresses left to try"
DOT_MISSING = b"dot-input stream ends without '.' line"

#: One line of the log, without prefix.
Line = tuple[Level, bytes]


class Verdict(enum.IntEnum):
    """How an execution ended, with Dovecot's numbers."""

    #: Nobody can tell: the service could not be asked, or its answer is none.
    INTERNAL_FAILURE = -1
    FAILURE = 0
    SUCCESS = 1


_VERDICTS = {
    Result.SUCCESS: Verdict.SUCCESS,
    Result.FAILURE: Verdict.FAILURE,
    None: Verdict.SUCCESS,
}
_COMPLAINTS = {
    Result.MISSING: b"No result code received from remote",
    Result.TOO_SHORT: b"Received too short result code from remote",
}


@dataclass(frozen=True, slots=True)
class ClientWords:
    """The texts of a program client that differ between releases; `%(name)b` is the program."""

    #: What every line begins with; `%b` is the label, as `unix:PATH`.
    prefix: bytes = b"execute %b: "
    #: Result codes are logged, good and bad ones (2.3.16 on).
    tells_code: bool = True
    #: The ends of both directions are logged (2.3.7 on).
    tells_streams: bool = True
    timed_out: bytes = b"Execution timed out (> %(msecs)d msecs)"
    connect_timed_out: bytes = b"Connection timed out (> %(msecs)d msecs)"
    tcp_timed_out: bytes = b"connect(%(host)b) failed: Timeout in %(msecs)d milliseconds"
    unresolved: bytes = b"Cannot resolve `%(host)b': %(reason)b"
    unsent: bytes = b"write(program stdin) failed: write() failed: %(reason)b"
    exited: bytes = b"Terminated with non-zero exit code %(status)d"
    terminated: bytes = b"Forcibly terminated with signal %(signal)d"
    killed: bytes = b"Terminated abnormally with signal %(signal)d"


#: Up to 2.3.21.1.
BEFORE_BLOCKS = ClientWords(
    prefix=b"program %b: ",
    unsent=b"write(program stdin) failed: %(reason)b",
)

#: Up to 2.3.6.
WITHOUT_PREFIX = replace(
    BEFORE_BLOCKS,
    prefix=b"",
    tells_code=False,
    tells_streams=False,
    timed_out=b"program `%(name)b' execution timed out (> %(msecs)d msecs)",
    connect_timed_out=b"program `%(name)b' socket connection timed out (> %(msecs)d msecs)",
    tcp_timed_out=b"connect(%(host)b) failed: timeout in %(msecs)d milliseconds",
    unresolved=b"program-client-net: Cannot resolve '%(host)b': %(reason)b",
    exited=b"program `%(name)b' terminated with non-zero exit code %(status)d",
    terminated=b"program `%(name)b' was forcibly terminated with signal %(signal)d",
    killed=b"program `%(name)b' terminated abnormally, signal %(signal)d",
)


def verdict(answer: Answer) -> Verdict:
    """Return what an answer comes to that was read to its end."""
    if answer.dot_missing:
        return Verdict.INTERNAL_FAILURE
    return _VERDICTS.get(answer.result, Verdict.INTERNAL_FAILURE)


def code_line(answer: Answer) -> Line | None:
    """Return what the log says of a result code, None if none was wanted."""
    if answer.result is None:
        return None
    if answer.result in _VERDICTS:
        return Level.DEBUG, b"Received '%b' result code from remote" % answer.code[:1]
    if answer.result is Result.UNEXPECTED:
        code = answer.code[:1]
        shown = b"'%b'" % code if b" " <= code <= b"~" else b"0x%02x" % ord(code)
        return Level.ERROR, b"Unexpected result code " + shown
    return Level.ERROR, _COMPLAINTS[answer.result]


def read_failure(reason: bytes) -> Line:
    """Return what the log says of an answer that cannot be read."""
    return Level.ERROR, b"read(program stdout) failed: " + reason


def broken(size: int, reason: str) -> Line:
    """Return what the log says of a connection that breaks when `size` bytes are asked for."""
    return read_failure(b"read(size=%d) failed: %b" % (size, reason.encode()))


def unix_failure(path: bytes, reason: str) -> Line:
    """Return what the log says of a UNIX socket that nobody can be reached at."""
    return Level.ERROR, b"net_connect_unix(%b) failed: %b" % (path, reason.encode())


def tcp_failure(host: bytes, reason: str) -> Line:
    """Return what the log says of an address that nobody can be reached at."""
    return Level.ERROR, b"connect(%b) failed: %b" % (host, reason.encode())
