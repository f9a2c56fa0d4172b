"""Checks of the greeting: the VERSION line, its faults, and what answers it."""

from __future__ import annotations

from fakedove.contract.connection import End, Failed
from fakedove.contract.packets import STREAM_BEGINS
from fakedove.contract.registry import (
    CLIENT_FIRST,
    LOGIN,
    MINOR_0,
    MINOR_1,
    MINOR_2,
    SERVER_FIRST,
    STRICT,
    check,
    check_each,
)
from fakedove.contract.server import UNKNOWN_COMMAND, Server, same, version

#: The longest line, LF included.
LINE_LIMIT = 1048576


@check("1.0 handshake: the server says nothing before VERSION", needs=[CLIENT_FIRST])
def _silent_at_accept(server: Server) -> None:
    same(server.exchange(b""), b"")


@check("1.0 handshake: + or - is said at accept, before VERSION", needs=[SERVER_FIRST])
def _greets_at_accept(server: Server) -> None:
    connection = server.connect()
    connection.expect(server.facts.verdict)
    connection.send(version(0))
    same(connection.finish(), server.facts.farewell)


@check("1.2 handshake: the client speaks first", needs=[MINOR_2])
def _client_speaks_first(server: Server) -> None:
    if server.facts.greets_first:
        raise Failed("the server spoke first; releases that do so have minor 0 or 1")


@check("1.0 handshake: a client of minor 0 hears + or - and nothing else")
def _minor_zero(server: Server) -> None:
    same(server.exchange(version(0)), server.facts.opening(0) + server.facts.farewell)


@check_each(
    "1.1 handshake: a client of minor {} hears VERSION with the server's own minor, and + or -",
    {str(minor): minor for minor in (1, 2, 3, 4, 9, 4294967295)},
    needs=[MINOR_1],
)
def _newer_minors(server: Server, minor: int) -> None:
    facts = server.facts
    rest = server.hello(minor).finish()
    if facts.preauthenticated and min(facts.minor, minor) >= 4:
        # A stream without any data still has its beginning.
        rest = rest.removeprefix(STREAM_BEGINS)
    same(rest, facts.farewell)


@check_each(
    "1.0 handshake: a client of minor {} hears + or - and no VERSION",
    {str(minor): minor for minor in (1, 2, 9)},
    needs=[MINOR_0],
)
def _newer_minors_untold(server: Server, minor: int) -> None:
    same(server.exchange(version(minor)), server.facts.opening(0) + server.facts.farewell)


@check_each(
    "1.0 handshake: VERSION is good {}",
    {
        "with CRLF": b"VERSION\tdoveadm-server\t1\t0\r\n",
        "with leading zeros in the minor": b"VERSION\tdoveadm-server\t1\t00\n",
        "with leading zeros in the major": b"VERSION\tdoveadm-server\t01\t0\n",
        "up to a NUL, which ends the line": b"VERSION\tdoveadm-server\t1\t0\0junk\n",
    },
)
def _good_version(server: Server, line: bytes) -> None:
    same(server.exchange(line), server.facts.opening(0) + server.facts.farewell)


def closes_silently(server: Server, line: bytes) -> None:
    """Check that a VERSION line ends the connection without a byte in answer."""
    connection = server.connect()
    # What is behind must not be answered either.
    connection.send(line + UNKNOWN_COMMAND)
    same(connection.read_to_end(), server.facts.greeting)


@check_each(
    "1.0 handshake: VERSION with {} closes the connection without a byte",
    {
        "no minor": b"VERSION\tdoveadm-server\t1\n",
        "an empty minor": b"VERSION\tdoveadm-server\t1\t\n",
        "a minor that is no number": b"VERSION\tdoveadm-server\t1\tx\n",
        "a negative minor": b"VERSION\tdoveadm-server\t1\t-1\n",
        "a blank behind the minor": b"VERSION\tdoveadm-server\t1\t0 \n",
        "a minor of 2^32": b"VERSION\tdoveadm-server\t1\t4294967296\n",
        "a fifth field": b"VERSION\tdoveadm-server\t1\t0\tx\n",
    },
    needs=[STRICT],
)
def _bad_minor(server: Server, line: bytes) -> None:
    closes_silently(server, line)


@check_each(
    "1.0 handshake: {} instead of VERSION closes the connection without a byte",
    {
        "VERSION of doveadm-client": b"VERSION\tdoveadm-client\t1\t0\n",
        "VERSION of another service": b"VERSION\timap\t1\t0\n",
        "VERSION of major 2": b"VERSION\tdoveadm-server\t2\t0\n",
        "version in lower case": b"version\tdoveadm-server\t1\t0\n",
        "VERSION with blanks for TABs": b"VERSION doveadm-server 1 0\n",
        "an empty line": b"\n",
        "a command": b"\ttss\tmailbox list\n",
        "PLAIN": b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n",
        "STARTTLS": b"STARTTLS\n",
        "HTTP": b"GET / HTTP/1.0\r\n\r\n",
        "a NUL": b"\0VERSION\tdoveadm-server\t1\t0\n",
        "binary garbage": bytes(range(128, 256)) + b"\n",
    },
)
def _no_version(server: Server, line: bytes) -> None:
    closes_silently(server, line)


@check("1.0 handshake: EOF before the LF of VERSION closes without a byte")
def _version_without_lf(server: Server) -> None:
    same(server.exchange(b"VERSION\tdoveadm-server\t1\t0"), server.facts.greeting)


@check("1.0 handshake: a VERSION line of more than 1 MiB is reset", needs=[STRICT])
def _endless_version(server: Server) -> None:
    connection = server.connect()
    connection.send(b"VERSION\tdoveadm-server\t1\t0".ljust(LINE_LIMIT + 1, b"0"))
    same(connection.read_to_end(), server.facts.greeting)
    if connection.end is not End.RESET and not server.facts.tls_first:
        raise Failed("the connection ended in order; it has to be reset, with a byte unread")


@check("1.0 handshake: VERSION may come byte by byte")
def _version_byte_by_byte(server: Server) -> None:
    connection = server.connect()
    connection.drip(version(1))
    same(connection.finish(), server.facts.opening(1) + server.facts.farewell)


@check("1.0 handshake: VERSION and a command may come in one go", needs=[LOGIN])
def _all_at_once(server: Server) -> None:
    facts = server.facts
    words = version(0)
    heard = facts.opening(0)
    if not facts.preauthenticated:
        words += server.right_plain
        heard += facts.accepted
    same(server.exchange(words + UNKNOWN_COMMAND), heard + b"\n-\n")


@check("1.1 handshake: VERSION, PLAIN and a command in one go", needs=[MINOR_1, LOGIN])
def _all_at_once_framed(server: Server) -> None:
    facts = server.facts
    words = version(1) + (b"" if facts.preauthenticated else server.right_plain)
    heard = server.exchange(words + UNKNOWN_COMMAND)
    plainly = facts.opening(1) + (b"" if facts.preauthenticated else facts.accepted)
    if not heard.startswith(plainly):
        same(heard[: len(plainly)], plainly)
    if not heard.endswith(b"\0\0\0\0\3\n-\n"):
        raise Failed(r"the reply does not end with the packet \0\0\0\0\3\n-\n")
