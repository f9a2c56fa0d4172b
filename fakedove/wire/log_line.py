"""A line that a child process writes to the log process: its stderr.

    \\001 LEVEL [PID SP] TEXT     as Dovecot's own processes write it; LEVEL is one byte, 1 to 6
    TEXT                         as anybody else does: an error

Bit 7 of LEVEL is for a line without prefix, bit 6 for one that brings its own, whose length stands
before it. What follows a NUL is lost. Measured with 2.3.19.1; recording stderr-proto.
"""

from __future__ import annotations

import re

import msgspec

from fakedove.wire.tabescape import c_string

_START = b"\x01"
_NO_PREFIX, _OWN_PREFIX = 0x80, 0x40
_LEVELS = range(1, 7)
_PID = re.compile(rb"[0-9]+ ")
_ERROR = 4


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """What a line says."""

    text: bytes
    #: 1 to 6: debug, info, warning, error, fatal, panic.
    level: int = _ERROR
    #: The prefix it brings, b"" for none; None: that of its process.
    prefix: bytes | None = None
    #: It began as a line of Dovecot's and is none: what its level would be, counted from 0.
    broken: int | None = None


def parse_log_line(line: bytes) -> LogLine:
    """Take a line without its LF apart."""
    if not line.startswith(_START):
        return LogLine(c_string(line))
    marked = line[1] if len(line) > 1 else 0
    level = marked & ~(_NO_PREFIX | _OWN_PREFIX)
    if level not in _LEVELS:
        return LogLine(c_string(line), broken=level - 1)
    pid = _PID.match(line, 2)
    text = line[2 if pid is None else pid.end() :]
    if marked & _OWN_PREFIX and (length := _PID.match(text)):
        behind = text[length.end() :]
        end = int(length[0])
        return LogLine(c_string(behind[end:]), level, behind[:end])
    return LogLine(c_string(text), level, b"" if marked & _NO_PREFIX else None)
