"""What differs between Dovecot releases in the bytes of a native connection."""

from __future__ import annotations

from dataclasses import dataclass

#: Longest line a doveadm-server reads since 2.2.0, in bytes, LF included.
SERVER_LINE_LIMIT = 1024 * 1024
#: lib-doveadm's input buffer for one line of the handshake.
CLIENT_LINE_LIMIT = 32 * 1024


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between releases in the bytes of a connection."""

    #: The server's own protocol minor; it names it only to clients of minor 1 and more.
    minor: int
    #: `+` or `-` is written at accept, before the client's VERSION (up to 2.2.33.2).
    greets_first: bool = False
    #: The minor must be a number and no fifth field may follow (2.2.0 on).
    strict_version: bool = True
    #: The server answers authentication at all (2.1.0 on).
    answers_auth: bool = True
    #: STARTTLS is a request of its own rather than a wrong kind of authentication (2.3.9 on).
    starttls: bool = False
    #: Longest input line in bytes, LF included.
    line_limit: int = SERVER_LINE_LIMIT
    #: An over-long line leaves the process spinning for ever instead of closing (2.0, 2.1).
    spins_on_long_line: bool = False
    #: Client minor from which replies come in the STREAM format (main).
    stream_from_minor: int | None = None
    #: Packets for one log line: level, text and LF apart up to 2.3.7, then together.
    log_packets: int = 1
    #: A log text with an LF is split into lines; up to 2.3.16 its rest is sent for ever.
    splits_log_lines: bool = True
    #: `\\0010` is an escaped NUL and cuts the field; before 2.2.26 it is the character 0.
    nul_escape: bool = True
    #: base64 decoding forgives surplus `=`, missing ones and a last odd character (2.2).
    lenient_base64: bool = False
    #: An `x` flag announces one more field (2.4).
    extra_fields: bool = False


@dataclass(frozen=True, slots=True)
class ScriptDialect:
    """What differs between releases in the header of a `script` request."""

    #: The only major version that is accepted.
    major: int = 4
    #: No option line and no answer: the connection is closed before the script runs (2.0).
    oneway: bool = False
    #: `env_` lines are variables for the script (2.2.30 on).
    environment: bool = True
    #: Arguments are tab-escaped (2.2.30 on).
    escapes: bool = True
    #: Variables with an escape in their line arrive; before 2.4.3 they are dropped.
    escaped_environment: bool = False
    #: An alarm that is no number is taken for what it begins with (up to 2.2.18).
    lenient_alarm: bool = False
    #: The script gets an empty argument after the others (2.1.0 to 2.1.8).
    empty_last_argument: bool = False
