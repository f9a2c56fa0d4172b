"""Checks of STARTTLS and of TLS from the first byte."""

from __future__ import annotations

from fakedove.contract.connection import Connection, Failed
from fakedove.contract.packets import log, replies, split
from fakedove.contract.registry import (
    ASKS,
    LOGIN,
    MINOR_1,
    MINOR_3,
    PASSWORD,
    PLAINTEXT,
    STARTTLS,
    STARTTLS_KNOWN,
    TLS_FIRST,
    Need,
    check,
    check_each,
)
from fakedove.contract.server import UNKNOWN_COMMAND, Server, plain, same, version

_STARTTLS: list[Need] = [STARTTLS_KNOWN, PLAINTEXT, ASKS, STARTTLS]


def upgraded(server: Server, minor: int = 1) -> Connection:
    """Return a connection that speaks TLS after STARTTLS, and is not authenticated yet."""
    connection = server.hello(minor)
    connection.send(b"STARTTLS\n")
    server.start_tls(connection)
    return connection


@check_each(
    "1.2 tls: STARTTLS, then PLAIN is answered + inside TLS, for a client of minor {}",
    {str(minor): minor for minor in (0, 1, 2)},
    needs=[*_STARTTLS, PASSWORD, LOGIN],
)
def _starttls(server: Server, minor: int) -> None:
    connection = upgraded(server, minor)
    connection.send(server.right_plain)
    connection.expect(b"+\n")
    heard = connection.finish(UNKNOWN_COMMAND)
    if minor == 0:
        same(heard, b"\n-\n")
    else:
        packets = split(heard)
        same(b"".join(replies(packets)), b"\n-\n")
        if not log(packets):
            raise Failed("the unknown command is not logged on channel L")


@check("1.2 tls: STARTTLS is answered by TLS alone, without a line", needs=_STARTTLS)
def _no_line(server: Server) -> None:
    # A line before TLS would break the handshake.
    same(upgraded(server).finish(), b"-\n")


@check("1.2 tls: a wrong password inside TLS is answered - and closes", needs=_STARTTLS)
def _wrong_password(server: Server) -> None:
    connection = upgraded(server)
    connection.send(plain(b"\0doveadm\0certainly-wrong") + UNKNOWN_COMMAND)
    same(connection.read_to_end(), b"-\n")


@check("1.2 tls: VERSION is not repeated after STARTTLS", needs=_STARTTLS)
def _no_second_version(server: Server) -> None:
    connection = upgraded(server)
    connection.send(version(1) + UNKNOWN_COMMAND)
    same(connection.read_to_end(), b"-\n")


@check_each(
    "1.2 tls: {} in one go with STARTTLS is TLS input: closed, and none of it answered",
    {
        "garbage": b"garbage\n",
        "a bad password": plain(b"\0doveadm\0certainly-wrong"),
        "a command": UNKNOWN_COMMAND,
    },
    needs=_STARTTLS,
)
def _pipelined(server: Server, data: bytes) -> None:
    connection = server.hello()
    connection.send(b"STARTTLS\n" + data)
    _says_no_word(connection.read_to_end())


@check(
    "1.2 tls: a right PLAIN in one go with STARTTLS lets nobody in", needs=[*_STARTTLS, PASSWORD]
)
def _injected(server: Server) -> None:
    connection = server.hello()
    connection.send(b"STARTTLS\n" + server.right_plain + UNKNOWN_COMMAND)
    _says_no_word(connection.read_to_end())


@check("1.2 tls: plaintext after STARTTLS lets nobody in", needs=[*_STARTTLS, PASSWORD])
def _plaintext_later(server: Server) -> None:
    connection = server.hello()
    connection.send(b"STARTTLS\n")
    connection.send(server.right_plain + UNKNOWN_COMMAND)
    _says_no_word(connection.read_to_end())


@check("1.2 tls: STARTTLS inside TLS wants TLS again: PLAIN is not read", needs=_STARTTLS)
def _twice(server: Server) -> None:
    connection = upgraded(server)
    connection.send(b"STARTTLS\n" + server.right_plain)
    _says_no_word(connection.read_to_end())


@check(
    "1.2 tls: after authentication STARTTLS is no command: closed",
    needs=[*_STARTTLS, PASSWORD, LOGIN],
)
def _too_late(server: Server) -> None:
    connection = upgraded(server, minor=0)
    connection.send(server.right_plain)
    connection.expect(b"+\n")
    connection.send(b"STARTTLS\n")
    same(connection.read_to_end(), b"")


@check(
    "1.0 tls: plaintext on a TLS listener is answered with no word of the protocol",
    needs=[TLS_FIRST],
)
def _plaintext_first(server: Server) -> None:
    connection = server.connect_plain()
    connection.send(version(0))
    _says_no_word(connection.read_to_end())


@check("1.0 tls: a password is wanted inside TLS as well", needs=[TLS_FIRST])
def _password_inside(server: Server) -> None:
    if server.facts.preauthenticated:
        raise Failed("the server lets a TLS client in without a password")


_OFFERS = {"doveadm": ("doveadm",), "doveadm among others": ("imap", "doveadm")}


@check_each("1.3 tls: who offers ALPN {} is served", _OFFERS, needs=[TLS_FIRST, MINOR_3])
def _alpn_first(server: Server, offer: tuple[str, ...]) -> None:
    connection = server.connect_plain()
    _agrees(server, connection, offer)
    same(connection.finish(version(0)), b"-\n" + server.facts.refused)


@check_each(
    "1.3 tls: who offers ALPN {} after STARTTLS is served",
    _OFFERS,
    needs=[*_STARTTLS, MINOR_3],
)
def _alpn_later(server: Server, offer: tuple[str, ...]) -> None:
    connection = server.hello()
    connection.send(b"STARTTLS\n")
    _agrees(server, connection, offer)
    same(connection.finish(), server.facts.refused)


def _agrees(server: Server, connection: Connection, offer: tuple[str, ...]) -> None:
    """Raise Failed if the server chooses another protocol than doveadm; it need not choose."""
    agreed = server.start_tls(connection, *offer)
    if agreed not in (None, "doveadm"):
        raise Failed(f"the server chose {agreed} of {', '.join(offer)}, not doveadm")


@check("1.1 tls: replies are framed inside TLS", needs=[TLS_FIRST, LOGIN, MINOR_1])
def _framed_inside(server: Server) -> None:
    packets = split(server.ask(UNKNOWN_COMMAND, minor=1))
    same(b"".join(replies(packets)), b"\n-\n")


def _says_no_word(heard: bytes) -> None:
    """Raise Failed if there is more than an alert of TLS, whose first byte is 21."""
    if heard and not heard.startswith(b"\x15"):
        same(heard, b"")
