"""Checks of multiplexed connections: packets, the log channel, and what 1.3 and 1.4 add."""

from __future__ import annotations

from fakedove.contract.commands import mailbox_list
from fakedove.contract.connection import Failed, show
from fakedove.contract.packets import LOG, STREAM_BEGINS, Packet, log, replies, split
from fakedove.contract.registry import (
    BELOW_MINOR_4,
    LOGIN,
    MINOR_1,
    MINOR_3,
    MINOR_4,
    USER,
    check,
    check_each,
)
from fakedove.contract.server import NO_COMMAND, NOBODY, UNKNOWN_COMMAND, Server, same

_OPTION = b"\t\tOPTION\tlog-passthrough\n"
#: The level byte of an error, which begins a line of the log channel.
_ERROR = b"\x04"

_NO_SUCH_USER = b"User doesn't exist\n"
_NO_SUCH_COMMAND = b"doveadm: Client sent unknown command: " + NO_COMMAND + b"\n"

_TO_LOG, _TO_MAIN = b"\x03\xfe\x00L", b"\x03\xfe\x00\x00"


def framed(server: Server, commands: bytes, minor: int = 1) -> list[Packet]:
    """Return the packets that answer commands."""
    return split(server.ask(commands, minor))


def is_error(line: bytes, text: bytes) -> None:
    """Raise Failed unless a line of the log channel is an error that says this.

    What stands before the text differs between releases and listeners.
    """
    if not line.startswith(_ERROR) or not line.endswith(text) or line.count(b"\n") != 1:
        raise Failed(rf"channel L: expected \x04...{show(text)}, got {show(line) or 'nothing'}")


def answers(packets: list[Packet], expected: list[bytes]) -> None:
    """Raise Failed unless the packets of channel 0 are these."""
    if replies(packets) != expected:
        raise Failed(f"packets of channel 0: expected {expected}, got {replies(packets)}")


@check(
    "1.1 framing: each row is a packet (or all are one, before 2.3.19), and the status",
    needs=[USER, MINOR_1],
)
def _rows_and_status(server: Server) -> None:
    rows, status = mailbox_list(server)[:-3], b"\n+\n"
    each = [row + b"\t" for row in rows.split(b"\t")[:-1]]
    packets = framed(server, server.list_mailboxes)
    if server.facts.minor >= 3 or replies(packets) != [rows, status]:
        answers(packets, [*each, status])


@check_each(
    "1.1 framing: a client of minor {} is framed in the same way",
    {"2": 2, "3": 3},
    needs=[USER, MINOR_1],
)
def _other_minors(server: Server, minor: int) -> None:
    same(server.ask(server.list_mailboxes, minor), server.ask(server.list_mailboxes, 1))


@check(
    "1.1 framing: a client of minor 9 is framed in the same way",
    needs=[USER, MINOR_1, BELOW_MINOR_4],
)
def _minor_nine(server: Server) -> None:
    _other_minors(server, 9)


@check(r"1.1 framing: a reply without a value is one packet, \n+\n", needs=[USER, MINOR_1])
def _empty_reply(server: Server) -> None:
    nothing = server.list_mailboxes.replace(b"\n", b"\t%b*\n" % NOBODY)
    same(server.ask(nothing, minor=1), b"\0\0\0\0\3\n+\n")


@check(
    "1.1 framing: an unknown user is logged on channel L before the status", needs=[LOGIN, MINOR_1]
)
def _unknown_user(server: Server) -> None:
    packets = framed(server, server.unknown_user)
    is_error(log(packets), _NO_SUCH_USER)
    answers(packets, server.facts.failure(b"NOUSER"))
    _log_first(packets)


@check(
    r"1.1 framing: an unknown command is logged on channel L before \n-\n", needs=[LOGIN, MINOR_1]
)
def _unknown_command(server: Server) -> None:
    packets = framed(server, UNKNOWN_COMMAND)
    is_error(log(packets), _NO_SUCH_COMMAND)
    answers(packets, [b"\n-\n"])
    _log_first(packets)


def _log_first(packets: list[Packet]) -> None:
    channels = [packet.channel for packet in packets]
    if channels != sorted(channels, key=lambda channel: channel != LOG):
        raise Failed("a packet of channel 0 comes before one of channel L")


@check("1.1 framing: three commands at once, of which the second fails", needs=[USER, MINOR_1])
def _pipelined_three(server: Server) -> None:
    line = server.list_mailboxes
    packets = framed(server, line + server.unknown_user + line)
    listed = mailbox_list(server)
    same(b"".join(replies(packets)), listed + b"".join(server.facts.failure(b"NOUSER")) + listed)
    is_error(log(packets), _NO_SUCH_USER)


@check_each(
    "1.1 framing: {} is logged on channel L and closes without a status",
    {
        "a line of two fields": (b"\tmailbox list\n", b"doveadm client: No command given\n"),
        "an empty line": (b"\n", b"doveadm client: No command given\n"),
        "an unknown flag": (b"z\t\tmailbox list\n", b"doveadm client: Unknown flag: z\n"),
    },
    needs=[LOGIN, MINOR_1],
)
def _fatal_lines(server: Server, case: tuple[bytes, bytes]) -> None:
    line, text = case
    connection = server.session(1)
    connection.send(line + UNKNOWN_COMMAND)
    packets = split(connection.read_to_end())
    is_error(log(packets), text)
    answers(packets, [])


@check("1.1 framing: an escaped TAB in a name is one in the log text", needs=[LOGIN, MINOR_1])
def _unescaped(server: Server) -> None:
    packets = framed(server, b"\t\t%b\x01t%b\n" % (NO_COMMAND, NO_COMMAND))
    is_error(log(packets), b"Client sent unknown command: %b\t%b\n" % (NO_COMMAND, NO_COMMAND))


@check("1.1 framing: a client that sends no command gets no packet", needs=[LOGIN, MINOR_1])
def _no_command(server: Server) -> None:
    same(server.ask(b"", minor=1), b"")


@check("1.1 framing: one packet may hold 1 MiB", needs=[LOGIN, MINOR_1])
def _big_packet(server: Server) -> None:
    name = NO_COMMAND.ljust(1000000, b"x")
    packets = framed(server, b"\t\t%b\n" % name)
    is_error(log(packets), b"Client sent unknown command: %b\n" % name)
    answers(packets, [b"\n-\n"])


# Protocol 1.3


@check("1.3 log: a client of minor 3 gets no log line unasked", needs=[LOGIN, MINOR_3])
def _no_log_unasked(server: Server) -> None:
    packets = framed(server, UNKNOWN_COMMAND, minor=3)
    same(log(packets), b"")
    answers(packets, [b"\n-\n"])


@check_each(
    "1.3 log: {} brings log lines to a client of minor 3, and no reply of its own",
    {
        "OPTION log-passthrough": _OPTION,
        "OPTION twice": _OPTION * 2,
        "OPTION with an unknown name beside": b"\t\tOPTION\tno-such\tlog-passthrough\n",
    },
    needs=[LOGIN, MINOR_3],
)
def _log_passthrough(server: Server, option: bytes) -> None:
    packets = framed(server, option + UNKNOWN_COMMAND, minor=3)
    is_error(log(packets), _NO_SUCH_COMMAND)
    answers(packets, [b"\n-\n"])


@check("1.3 log: an unknown OPTION is ignored", needs=[LOGIN, MINOR_3])
def _unknown_option(server: Server) -> None:
    packets = framed(server, b"\t\tOPTION\tno-such\n" + UNKNOWN_COMMAND, minor=3)
    same(log(packets), b"")
    answers(packets, [b"\n-\n"])


@check_each(
    "1.3 commands: a field for {} stands behind the flag x",
    {"proxy-ttl": b"x\tproxy-ttl=5", "nothing": b"x\t", "proxy-ttl and v": b"vx\tproxy-ttl=5"},
    needs=[USER, MINOR_3],
)
def _extra_field(server: Server, begin: bytes) -> None:
    same(server.ask(begin + server.list_mailboxes), mailbox_list(server))


# Protocol 1.4


@check(
    "1.4 stream: a client of minor 4 hears marks once and replies unframed", needs=[LOGIN, MINOR_4]
)
def _stream(server: Server) -> None:
    same(server.ask(UNKNOWN_COMMAND * 2, minor=4), STREAM_BEGINS + b"\n-\n\n-\n")


@check("1.4 stream: it changes to channel L and back for a log line", needs=[LOGIN, MINOR_4])
def _stream_log(server: Server) -> None:
    heard = server.ask(_OPTION + UNKNOWN_COMMAND, minor=4)
    begin, end = STREAM_BEGINS + _TO_LOG, _TO_MAIN + b"\n-\n"
    if not heard.startswith(begin) or not heard.endswith(end):
        raise Failed(f"expected {show(begin)}, a line, {show(end)}; got {show(heard)}")
    is_error(heard[len(begin) : -len(end)], _NO_SUCH_COMMAND)


@check("1.4 stream: rows are what a client of minor 0 hears", needs=[USER, MINOR_4])
def _stream_rows(server: Server) -> None:
    heard = server.ask(server.list_mailboxes, minor=4)
    same(heard, STREAM_BEGINS + mailbox_list(server))
