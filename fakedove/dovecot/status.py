"""How a command can end, by Dovecot's exit codes (sysexits.h and doveadm.h)."""

from __future__ import annotations

import enum


class Status(enum.Enum):
    """The end of a reply; the value is the exit code that doveadm itself would have."""

    OK = 0
    #: `-` alone: there is no such command, or in old releases no better word.
    DASH = -1
    USAGE = 64
    DATAERR = 65
    NOUSER = 67
    NOTFOUND = 68
    #: Quota exceeded: an exit code that has no name on the wire.
    CANTCREAT = 73
    TEMPFAIL = 75
    PROTOCOL = 76
    NOPERM = 77
    UNKNOWN = 255
    NOREPLICATE = 1001
    REFERRAL = 1002
    CHANGED = 1003
    EXPIRED = 1004
