"""Checks of command lines and of replies as every client sees them, framed or not."""

from __future__ import annotations

import re

from fakedove.contract.connection import End, Failed, show
from fakedove.contract.handshake import LINE_LIMIT
from fakedove.contract.registry import (
    BELOW_MINOR_3,
    LOGIN,
    MANY,
    MINOR_0,
    MINOR_1,
    NOUSER,
    ONE_COMMAND,
    STRICT,
    USER,
    USERNAME,
    check,
    check_each,
)
from fakedove.contract.server import (
    NO_COMMAND,
    NOBODY,
    UNKNOWN_COMMAND,
    Server,
    same,
)

#: What `mailbox list` of a minor 0 client looks like: names, each with its TAB, and the status.
_LIST = re.compile(rb"([^\t\n]+\t)+\n\+\n")


def mailbox_list(server: Server) -> bytes:
    """Return the reply to `mailbox list`, in which there is a mailbox."""
    heard = server.ask(server.list_mailboxes)
    if _LIST.fullmatch(heard) is None:
        raise Failed(rf"expected names, each followed by a TAB, then \n+\n; got {show(heard)}")
    return heard


@check("1.0 reply: each value has its TAB, the last one too, then LF and the status", needs=[USER])
def _values_and_status(server: Server) -> None:
    mailbox_list(server)


@check("1.0 reply: a client of minor 9 is not framed", needs=[USER, MINOR_0])
def _never_framed(server: Server) -> None:
    same(server.ask(server.list_mailboxes, minor=9), mailbox_list(server))


@check(r"1.0 reply: without a value it is \n+\n", needs=[USER])
def _empty_reply(server: Server) -> None:
    nothing = server.list_mailboxes.replace(b"\n", b"\t%b*\n" % NOBODY)
    same(server.ask(nothing), b"\n+\n")


@check(r"1.0 reply: an unknown command is answered \n-\n", needs=[LOGIN])
def _unknown_command(server: Server) -> None:
    same(server.ask(UNKNOWN_COMMAND), b"\n-\n")


@check_each(
    r"1.0 reply: {} is an unknown command: \n-\n",
    {
        "an empty name": b"",
        "a name in upper case": b"MAILBOX LIST",
        "a name with two blanks": b"mailbox  list",
        "a name with a blank behind": b"mailbox list ",
        "an abbreviated name": b"mailbox li",
    },
    needs=[LOGIN],
)
def _misspelled_command(server: Server, name: bytes) -> None:
    same(server.ask(b"\t%b\t%b\n" % (NOBODY, name)), b"\n-\n")


@check(r"1.0 reply: an unknown user is answered \n-NOUSER\n", needs=[LOGIN, NOUSER])
def _unknown_user(server: Server) -> None:
    same(server.ask(server.unknown_user), b"".join(server.facts.failure(b"NOUSER")))


@check_each(
    r"1.0 reply: the user {} is nobody: \n-NOUSER\n",
    {"*": b"*", "with a wildcard in it": b"fakedove-c?ntract-*", "of no letter": b""},
    needs=[LOGIN, NOUSER, STRICT, USERNAME],
)
def _users_are_literal(server: Server, user: bytes) -> None:
    heard = server.ask(b"\t%b\tmailbox list\n" % user)
    same(heard, b"".join(server.facts.failure(b"NOUSER")))


@check(r"1.1 reply: an unknown option is answered \n-USAGE\n", needs=[USER, MINOR_1])
def _unknown_option(server: Server) -> None:
    odd = server.list_mailboxes.replace(b"\n", b"\t--%b\n" % NOBODY)
    same(server.ask(odd), b"".join(server.facts.failure(b"USAGE")))


@check("1.0 commands: more of them may follow, at once and in order", needs=[USER, MANY, NOUSER])
def _pipelined_three(server: Server) -> None:
    listed = mailbox_list(server)
    failed = b"".join(server.facts.failure(b"NOUSER"))
    heard = server.ask(server.list_mailboxes + server.unknown_user + server.list_mailboxes)
    same(heard, listed + failed + listed)


@check("1.0 commands: one after the other, each after the reply before", needs=[LOGIN, MANY])
def _one_by_one(server: Server) -> None:
    connection = server.session(0)
    for _ in range(3):
        connection.send(UNKNOWN_COMMAND)
        connection.expect(b"\n-\n")
    same(connection.finish(), b"")


@check("1.0 commands: the server closes after one reply", needs=[LOGIN, ONE_COMMAND])
def _after_one_reply(server: Server) -> None:
    connection = server.session(0)
    connection.send(UNKNOWN_COMMAND * 2)
    same(connection.read_to_end(), b"\n-\n")


@check("1.0 commands: a half-closed client still gets its reply, then EOF", needs=[USER])
def _half_closed(server: Server) -> None:
    connection = server.session(0)
    connection.send(server.list_mailboxes)
    connection.shut()
    same(connection.read_to_end(), mailbox_list(server))
    if connection.end is not End.EOF:
        raise Failed("the connection was reset; it has to end in order")


@check("1.0 commands: a line without its LF is not a command", needs=[LOGIN])
def _cut_off(server: Server) -> None:
    same(server.ask(UNKNOWN_COMMAND[:-1]), b"")


@check_each(
    "1.0 commands: a line may {}",
    {
        "end with CRLF": (b"", b"\r"),
        "end at a NUL": (b"", b"\0junk\tjunk"),
        "have the flag v": (b"v", b""),
        "have the flag D": (b"D", b""),
        "have flags twice": (b"vvDD", b""),
        "have -- before no argument": (b"", b"\t--"),
    },
    needs=[USER],
)
def _accepted_lines(server: Server, ends: tuple[bytes, bytes]) -> None:
    line = ends[0] + server.list_mailboxes.replace(b"\n", ends[1] + b"\n")
    same(server.ask(line), mailbox_list(server))


@check("1.1 commands: a name may be cut into fields", needs=[USER, MINOR_1])
def _name_in_fields(server: Server) -> None:
    heard = server.ask(b"\t%b\tmailbox\tlist\n" % (server.facts.user or b""))
    same(heard, mailbox_list(server))


@check("1.0 commands: a line may come byte by byte", needs=[USER])
def _byte_by_byte(server: Server) -> None:
    connection = server.session(0)
    connection.drip(server.list_mailboxes)
    same(connection.finish(), mailbox_list(server))


@check_each(
    "1.0 commands: {} closes the connection without a status",
    {
        "an empty line": b"\n",
        "a line of one field": NO_COMMAND + b"\n",
        "a line of two fields": b"\tmailbox list\n",
        "a line that begins with a NUL": b"\0\t\tmailbox list\n",
        "an unknown flag": b"z\t%b\tmailbox list\n" % NOBODY,
        "a flag in upper case": b"V\t%b\tmailbox list\n" % NOBODY,
        "a good flag before an unknown one": b"vz\t%b\tmailbox list\n" % NOBODY,
    },
    needs=[LOGIN],
)
def _fatal_lines(server: Server, line: bytes) -> None:
    connection = server.session(0)
    connection.send(line + UNKNOWN_COMMAND)
    same(connection.read_to_end(), b"")


@check(r"1.0 commands: OPTION is an unknown command: \n-\n", needs=[LOGIN, BELOW_MINOR_3])
def _no_option(server: Server) -> None:
    same(server.ask(b"\t\tOPTION\tlog-passthrough\n"), b"\n-\n")


@check("1.0 commands: x is an unknown flag", needs=[LOGIN, BELOW_MINOR_3])
def _no_extra_field(server: Server) -> None:
    _fatal_lines(server, b"x\tproxy-ttl=5\t%b\tmailbox list\n" % NOBODY)


@check("1.0 commands: a line of 1 MiB is taken", needs=[LOGIN, STRICT])
def _longest_line(server: Server) -> None:
    line = UNKNOWN_COMMAND[:-1].ljust(LINE_LIMIT - 1, b"x") + b"\n"
    same(server.ask(line), b"\n-\n")


@check("1.0 commands: a line of one byte more is reset without a byte", needs=[LOGIN, STRICT])
def _too_long_line(server: Server) -> None:
    connection = server.session(0)
    connection.send(UNKNOWN_COMMAND[:-1].ljust(LINE_LIMIT, b"x") + b"\n")
    same(connection.read_to_end(), b"")
    if connection.end is not End.RESET and server.target.tls == "no":
        raise Failed("the connection ended in order; it has to be reset, with a byte unread")
