"""Conversations as the server sees them, line by line."""

from __future__ import annotations

import pytest

from fakedove.dovecot.releases import find_release
from fakedove.wire import multiplex
from fakedove.wire.doveadm import (
    NEED_DATA,
    Authenticate,
    Body,
    Eof,
    Hello,
    Line,
    LocalError,
    State,
)
from fakedove.wire.doveadm_server import ServerConnection
from fakedove.wire.handshake import Fault
from tests.wire.faults import fault_of

PLAIN = b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n"


def server_of(
    release: str, *, preauthenticated: bool = True, in_tls: bool = False
) -> ServerConnection:
    dialect = find_release(release).dialect
    return ServerConnection(dialect, preauthenticated=preauthenticated, in_tls=in_tls)


def greeted(server: ServerConnection, minor: int) -> ServerConnection:
    server.receive(b"VERSION\tdoveadm-server\t1\t%d\n" % minor)
    assert server.next_event() == Hello(minor)
    server.answer_hello()
    return server


def test_a_preauthenticated_conversation() -> None:
    server = server_of("2.3.19.1")
    assert server.greet() == b""

    server.receive(b"VERSION\tdoveadm-server\t1\t2\n")
    assert server.next_event() == Hello(2)
    assert server.answer_hello() == b"VERSION\tdoveadm-client\t1\t2\n+\n"

    server.receive(b"\ttss\tquota get\n")
    assert server.next_event() == Line(b"\ttss\tquota get")
    row = b"User quota\tSTORAGE\t26\t1048576\t0\t"
    assert server.data(row) == b"\x00\x00\x00\x00 " + row
    assert server.data(b"\n+\n") == b"\x00\x00\x00\x00\x03\n+\n"

    server.receive(b"")
    assert server.next_event() == Eof(partial=False)
    assert server.close() == b""
    assert server.state is State.CLOSED


def test_a_conversation_with_a_password() -> None:
    server = server_of("2.4.1", preauthenticated=False)
    server.receive(b"VERSION\tdoveadm-server\t1\t3\n")
    assert server.next_event() == Hello(3)
    assert server.answer_hello() == b"VERSION\tdoveadm-client\t1\t3\n-\n"

    server.receive(PLAIN)
    assert server.next_event() == Authenticate(PLAIN[:-1])
    assert not server.logs
    assert server.accept() == b"+\n"
    assert server.logs

    server.receive(b"\ttss\tmailbox list\n")
    assert server.next_event() == Line(b"\ttss\tmailbox list")


def test_a_refused_password_ends_the_conversation() -> None:
    server = greeted(server_of("2.4.1", preauthenticated=False), 0)
    server.receive(b"LOGIN\n" + PLAIN)
    assert server.next_event() == Authenticate(b"LOGIN")
    assert server.refuse() == b"-\n"
    assert server.next_event() is NEED_DATA


# Measured: the minor decides whether VERSION is answered, never its value.
@pytest.mark.parametrize(
    ("release", "minor", "answer"),
    [
        ("2.2.36", 0, b"+\n"),
        ("2.2.36", 9, b"VERSION\tdoveadm-client\t1\t1\n+\n"),
        ("2.3.19.1", 1, b"VERSION\tdoveadm-client\t1\t2\n+\n"),
        ("2.4.1", 0, b"+\n"),
        ("2.4.1", 1, b"VERSION\tdoveadm-client\t1\t3\n+\n"),
        ("2.4.1", 4294967295, b"VERSION\tdoveadm-client\t1\t3\n+\n"),
        ("main", 1, b"VERSION\tdoveadm-client\t1\t4\n+\n"),
    ],
)
def test_answers_to_version(release: str, minor: int, answer: bytes) -> None:
    server = server_of(release)
    server.receive(b"VERSION\tdoveadm-server\t1\t%d\n" % minor)
    assert server.next_event() == Hello(minor)
    assert server.answer_hello() == answer


# By release: up to 2.2.33.2 the server greets first; 2.2.33 adds VERSION later.
def test_old_servers_greet_first() -> None:
    server = server_of("2.2.32")
    assert server.greet() == b"+\n"
    server.receive(b"VERSION\tdoveadm-server\t1\t1\n")
    assert server.next_event() == Hello(1)
    assert server.answer_hello() == b""
    assert server.data(b"\n+\n") == b"\n+\n"

    server = server_of("2.2.33", preauthenticated=False)
    assert server.greet() == b"-\n"
    server.receive(b"VERSION\tdoveadm-server\t1\t1\n")
    assert server.next_event() == Hello(1)
    assert server.answer_hello() == b"VERSION\tdoveadm-client\t1\t1\n"
    server.receive(PLAIN)
    assert isinstance(server.next_event(), Authenticate)
    assert server.accept() == b"+\n"
    assert server.data(b"\n+\n") == b"\x00\x00\x00\x00\x03\n+\n"


# By release: 2.0.14 to 2.0.21 check the password and say nothing.
def test_servers_that_never_answer_a_password() -> None:
    server = greeted(server_of("2.0.14", preauthenticated=False), 0)
    server.receive(PLAIN)
    assert isinstance(server.next_event(), Authenticate)
    assert server.accept() == b""

    server = greeted(server_of("2.0.14", preauthenticated=False), 0)
    server.receive(b"LOGIN\n")
    assert isinstance(server.next_event(), Authenticate)
    assert server.refuse() == b""


def test_nothing_is_framed_for_minor_0() -> None:
    server = greeted(server_of("2.4.1"), 0)
    assert not server.logs
    assert server.log(4, [b"doveadm: text"]) == b""
    assert server.data(b"\n+\n") == b"\n+\n"


# Measured: level byte, text, LF; a text with LF is split. One packet.
def test_log_lines() -> None:
    server = greeted(server_of("2.3.19.1"), 1)
    assert server.log(4, [b"doveadm: a"]) == b"L\0\0\0\x0c\x04doveadm: a\n"
    assert server.log(3, [b"a", b"b"]) == b"L\0\0\0\x06\x03a\n\x03b\n"


# By release: up to 2.3.7 level, text and LF are packets of their own.
def test_log_lines_in_three_packets() -> None:
    server = greeted(server_of("2.3.4.1"), 1)
    assert server.log(4, [b"text"]) == b"L\0\0\0\x01\x04L\0\0\0\x04textL\0\0\0\x01\n"


# Measured: main, from client minor 4.
def test_the_stream_format() -> None:
    server = greeted(server_of("main"), 4)
    assert server.log(4, [b"x"]) == multiplex.STREAM_HEADER + b"\x03\xfe\x00L\x04x\n"
    assert server.data(b"\n-\n") == b"\x03\xfe\x00\x00\n-\n"
    assert greeted(server_of("main"), 3).data(b"x") == b"\0\0\0\0\x01x"


# Recording cmd.eof-partial@1.4.
def test_a_stream_that_ends_before_it_began_has_its_header() -> None:
    assert greeted(server_of("main"), 4).close() == multiplex.STREAM_HEADER
    used = greeted(server_of("main"), 4)
    used.data(b"\n+\n")
    assert used.close() == b""
    assert greeted(server_of("main"), 3).close() == b""


# Measured: after TLS the client goes on with PLAIN, VERSION is not repeated.
def test_starttls() -> None:
    server = greeted(server_of("2.4.1", preauthenticated=False), 2)
    server.receive(b"STARTTLS\n\x16\x03\x01")
    event = server.next_event()
    assert event == Authenticate(b"STARTTLS")
    assert isinstance(event, Authenticate)
    assert event.starttls
    assert server.start_tls() == b"\x16\x03\x01"
    assert server.next_event() is NEED_DATA

    server.tls_up()
    server.receive(PLAIN)
    assert server.next_event() == Authenticate(PLAIN[:-1])
    assert server.accept() == b"+\n"


@pytest.mark.parametrize("line", [b"starttls", b"STARTTLS\tx", b"STARTTLS "])
def test_what_is_not_starttls(line: bytes) -> None:
    assert not Authenticate(line).starttls


def test_inside_tls_the_stream_header_comes_with_the_plus() -> None:
    server = greeted(server_of("main", preauthenticated=False, in_tls=True), 4)
    server.receive(PLAIN)
    server.next_event()
    assert server.accept() == b"+\n" + multiplex.STREAM_HEADER
    assert server.data(b"\n+\n") == b"\n+\n"


# Measured: CRLF is accepted, a NUL ends a line's text.
def test_line_ends_and_nuls() -> None:
    server = server_of("2.4.1")
    server.receive(b"VERSION\tdoveadm-server\t1\t0\0rest\r\n")
    assert server.next_event() == Hello(0)
    server.answer_hello()
    server.receive(b"\ttss\tquota get\r\n\ttss\tquota\0get\n\n")
    assert server.next_event() == Line(b"\ttss\tquota get")
    assert server.next_event() == Line(b"\ttss\tquota")
    assert server.next_event() == Line(b"")
    assert server.next_event() is NEED_DATA


def test_all_in_one_packet() -> None:
    server = server_of("2.3.19.1", preauthenticated=False)
    server.receive(b"VERSION\tdoveadm-server\t1\t0\n" + PLAIN + b"\ttss\tquota get\n")
    assert server.next_event() == Hello(0)
    server.answer_hello()
    assert server.next_event() == Authenticate(PLAIN[:-1])
    server.accept()
    assert server.next_event() == Line(b"\ttss\tquota get")


# Recordings x.save.*.
def test_a_mail_behind_its_command() -> None:
    server = greeted(server_of("2.4.1"), 0)
    server.receive(b"\ttss\tsave\t-m\tSent\nSubject: x\n\n..a\n.\n\ttss\tquota get\n")
    assert server.next_event() == Line(b"\ttss\tsave\t-m\tSent")
    server.expect_body()
    assert server.next_event() == Body(b"Subject: x\n\n.a", last=True)
    assert server.next_event() == Line(b"\ttss\tquota get")


def test_a_mail_in_pieces() -> None:
    server = greeted(server_of("2.4.1"), 0)
    server.receive(b"\ttss\tsave\n")
    server.next_event()
    server.expect_body()
    assert server.next_event() is NEED_DATA
    server.receive(b"one\n")
    assert server.next_event() == Body(b"one", last=False)
    server.receive(b".")
    assert server.next_event() is NEED_DATA
    server.receive(b"\n")
    assert server.next_event() == Body(b"", last=True)


def test_a_mail_that_is_cut_off() -> None:
    server = greeted(server_of("2.4.1"), 0)
    server.receive(b"\ttss\tsave\nbody\n")
    server.next_event()
    server.expect_body()
    server.receive(b"")
    assert server.next_event() == Body(b"body", last=False)
    assert server.next_event() == Eof(partial=True)
    assert server.next_event() == Eof(partial=True)


def test_room_is_a_line_and_for_a_body_as_much_as_a_line_may_be() -> None:
    server = server_of("2.1.16")
    assert server.room == 1024
    greeted(server, 0)
    server.receive(b"\ttss\tsave")
    assert server.next_event() is NEED_DATA
    assert server.room == 1024 - 9
    server.receive(b"\n")
    server.next_event()
    server.expect_body()
    assert server.room == 1024 * 1024


@pytest.mark.parametrize(("data", "partial"), [(b"", False), (b"\ttss\tquo", True)])
def test_end_of_input_between_commands(data: bytes, partial: bool) -> None:
    server = greeted(server_of("2.4.1"), 0)
    if data:
        server.receive(data)
    server.receive(b"")
    assert server.next_event() == Eof(partial=partial)


def test_end_of_input_in_the_handshake() -> None:
    server = server_of("2.4.1")
    server.receive(b"VERSION")
    server.receive(b"")
    assert fault_of(server) is Fault.EOF


def test_end_of_input_before_the_password() -> None:
    server = greeted(server_of("2.4.1", preauthenticated=False), 0)
    server.receive(b"PLA")
    server.receive(b"")
    assert server.next_event() == Eof(partial=True)


def test_a_wrong_version() -> None:
    server = server_of("2.4.1")
    server.receive(b"GET / HTTP/1.1\n")
    assert fault_of(server) is Fault.INCOMPATIBLE


@pytest.mark.parametrize(("release", "limit"), [("2.1.16", 1024), ("2.4.1", 1024 * 1024)])
def test_a_line_that_is_too_long(release: str, limit: int) -> None:
    server = greeted(server_of(release), 0)
    server.receive(b"x" * (limit - 1) + b"\n")
    assert server.next_event() == Line(b"x" * (limit - 1))
    server.receive(b"x" * limit + b"\n")
    assert fault_of(server) is Fault.LINE_TOO_LONG


def test_what_a_state_does_not_allow() -> None:
    server = server_of("2.4.1")
    with pytest.raises(LocalError, match="BODY_FOLLOWS is not possible in state VERSION"):
        server.expect_body()
    greeted(server, 0)
    with pytest.raises(LocalError, match="STARTTLS is not possible in state READY"):
        server.start_tls()
    with pytest.raises(LocalError, match="AUTHENTICATED is not possible in state READY"):
        server.accept()
