"""Checks of PLAIN and everything that is not PLAIN."""

from __future__ import annotations

import base64

from fakedove.contract.connection import Failed
from fakedove.contract.packets import log, replies, split
from fakedove.contract.registry import (
    ANSWERS_AUTH,
    ASKS,
    BELOW_MINOR_2,
    LOGIN,
    MINOR_1,
    MINOR_2,
    PASSWORD,
    PREAUTHENTICATED,
    check,
    check_each,
)
from fakedove.contract.server import UNKNOWN_COMMAND, Server, plain, same, version

_PLAIN_LINES = {
    "PLAIN": b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n",
    "STARTTLS": b"STARTTLS\n",
    "VERSION": b"VERSION\tdoveadm-server\t1\t1\n",
}


def lets_in(server: Server, line: bytes) -> None:
    """Check that an authentication line is accepted: a command behind it is answered."""
    facts = server.facts
    heard = server.exchange(version(0) + line + UNKNOWN_COMMAND)
    same(heard, facts.opening(0) + facts.accepted + b"\n-\n")


def refuses(server: Server, line: bytes) -> None:
    """Check that an authentication line is refused and closes; nothing behind it counts."""
    facts = server.facts
    connection = server.connect()
    connection.send(version(1) + line + UNKNOWN_COMMAND)
    same(connection.read_to_end(), facts.opening(1) + facts.refused)


def _credentials(server: Server) -> bytes:
    return b"\0doveadm\0" + (server.target.password or b"")


@check("1.0 authentication: the right password is answered +", needs=[ASKS, PASSWORD, ANSWERS_AUTH])
def _right_password(server: Server) -> None:
    lets_in(server, server.right_plain)


@check("1.0 authentication: PLAIN may end with CRLF", needs=[ASKS, PASSWORD, LOGIN])
def _plain_with_crlf(server: Server) -> None:
    lets_in(server, server.right_plain.replace(b"\n", b"\r\n"))


@check("1.0 authentication: a NUL ends the password", needs=[ASKS, PASSWORD, LOGIN])
def _nul_in_password(server: Server) -> None:
    lets_in(server, plain(_credentials(server) + b"\0tail"))


@check_each(
    "1.0 authentication: white space {} the base64 is ignored",
    {"before": b" \t%b%b", "within": b"%b  %b", "behind": b"%b%b \t"},
    needs=[ASKS, PASSWORD, LOGIN],
)
def _white_space(server: Server, form: bytes) -> None:
    data = base64.b64encode(_credentials(server))
    lets_in(server, b"PLAIN\t" + form % (data[:4], data[4:]) + b"\n")


@check("1.0 authentication: PLAIN may come byte by byte", needs=[ASKS, PASSWORD, LOGIN])
def _plain_byte_by_byte(server: Server) -> None:
    connection = server.hello(0)
    connection.drip(server.right_plain)
    same(connection.finish(UNKNOWN_COMMAND), server.facts.accepted + b"\n-\n")


@check_each(
    "1.0 authentication: {} is answered - and closes",
    {
        "a wrong password": plain(b"\0doveadm\0certainly-wrong"),
        "a wrong user": plain(b"\0Doveadm\0certainly-wrong"),
        "an authorization id": plain(b"doveadm\0doveadm\0certainly-wrong"),
        "an empty password": plain(b"\0doveadm\0"),
        "PLAIN data without NUL": plain(b"doveadm certainly-wrong"),
        "PLAIN data that is too short": plain(b"\0doveadm"),
        "PLAIN without data": b"PLAIN\t\n",
        "PLAIN without TAB": b"PLAIN\n",
        "PLAIN with a blank for the TAB": b"PLAIN AGRvdmVhZG0Ac2VjcmV0\n",
        "PLAIN with bad base64": b"PLAIN\t!!!!\n",
        "plain in lower case": b"plain\tAGRvdmVhZG0Ac2VjcmV0\n",
        "LOGIN": b"LOGIN\n",
        "LOGIN with an argument": b"LOGIN\tZG92ZWFkbQ==\n",
        "CRAM-MD5": b"CRAM-MD5\n",
        "an empty line": b"\n",
        "a command instead of PLAIN": b"\ttss\tmailbox list\n",
        "a second VERSION": version(1),
        "starttls in lower case": b"starttls\n",
        "STARTTLS with an argument": b"STARTTLS\tnow\n",
    },
    needs=[ASKS],
)
def _refused_lines(server: Server, line: bytes) -> None:
    refuses(server, line)


@check("1.0 authentication: a field behind the base64 is refused", needs=[ASKS, PASSWORD, LOGIN])
def _field_behind(server: Server) -> None:
    refuses(server, server.right_plain.replace(b"\n", b"\t!!!!\n"))


@check("1.0 authentication: an authorization id is refused", needs=[ASKS, PASSWORD, LOGIN])
def _authorization_id(server: Server) -> None:
    refuses(server, plain(b"doveadm" + _credentials(server)))


@check("1.0 authentication: another user is refused", needs=[ASKS, PASSWORD, LOGIN])
def _another_user(server: Server) -> None:
    refuses(server, plain(_credentials(server).replace(b"doveadm", b"dovecot", 1)))


@check("1.0 authentication: more than the right password is refused", needs=[ASKS, PASSWORD, LOGIN])
def _longer_password(server: Server) -> None:
    refuses(server, plain(_credentials(server) + b"x"))


@check("1.2 authentication: surplus base64 padding is refused", needs=[ASKS, PASSWORD, MINOR_2])
def _surplus_padding(server: Server) -> None:
    refuses(server, server.right_plain.replace(b"\n", b"====\n"))


@check("1.0 authentication: there is no second attempt", needs=[ASKS, PASSWORD])
def _second_attempt(server: Server) -> None:
    refuses(server, plain(b"\0doveadm\0certainly-wrong") + server.right_plain)


@check("1.0 authentication: STARTTLS is no PLAIN: - and closed", needs=[ASKS, BELOW_MINOR_2])
def _starttls_before_its_time(server: Server) -> None:
    refuses(server, b"STARTTLS\n")


@check("1.0 authentication: EOF instead of PLAIN is answered -", needs=[ASKS])
def _eof_instead(server: Server) -> None:
    same(server.hello(0).finish(), server.facts.refused)


@check("1.0 authentication: PLAIN cut off before its LF is answered -", needs=[ASKS, PASSWORD])
def _plain_cut_off(server: Server) -> None:
    same(server.hello(0).finish(server.right_plain[:-1]), server.facts.refused)


@check("1.1 authentication: the + for a password is not framed", needs=[ASKS, LOGIN, MINOR_1])
def _plus_unframed(server: Server) -> None:
    facts = server.facts
    heard = server.exchange(version(1) + server.right_plain)
    same(heard, facts.opening(1) + facts.accepted)


@check_each(
    "1.0 authentication: a pre-authenticated client's {} is a bad command: closed, no status",
    _PLAIN_LINES,
    needs=[PREAUTHENTICATED],
)
def _too_late_on_unix(server: Server, line: bytes) -> None:
    # VERSION has four fields, and is a command with an unknown flag.
    same(server.ask(line + UNKNOWN_COMMAND), b"")


@check_each(
    "1.0 authentication: an authenticated client's {} is a bad command: closed, no status",
    _PLAIN_LINES,
    needs=[ASKS, PASSWORD, LOGIN],
)
def _too_late(server: Server, line: bytes) -> None:
    same(server.ask(line + UNKNOWN_COMMAND), b"")


@check_each(
    "1.1 authentication: {} after authentication is logged as no command",
    {name: line for name, line in _PLAIN_LINES.items() if name != "VERSION"},
    needs=[LOGIN, MINOR_1],
)
def _too_late_framed(server: Server, line: bytes) -> None:
    packets = split(server.ask(line, minor=1))
    if replies(packets):
        raise Failed("there is a reply on channel 0; the connection ends without one")
    if not log(packets).endswith(b"doveadm client: No command given\n"):
        raise Failed("channel L does not say `doveadm client: No command given`")
