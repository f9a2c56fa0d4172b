"""The drivers unix and tcp over real sockets: what recordings do not show."""

from __future__ import annotations

import select
import socket
from pathlib import Path

import pytest

import fakedove
from fakedove import ExecuteError, Verdict
from tests.program_client.services import answering, raw_service


def log_of(done: fakedove.Execution) -> list[str]:
    """Return the lines that say what went wrong."""
    return [str(one) for one in done.log if "Debug: " not in str(one)]


def test_output_and_verdict_are_those_of_the_answer() -> None:
    with raw_service(answering(b"out\n+\n")) as target:
        done = fakedove.execute(target, ["80", "tss"], stdin=b"mail")
    assert (done.verdict, done.ok, done.output, done.result) == (1, True, b"out\n", b"+\n")
    assert [str(one) for one in done.log] == [
        f"execute {target}: Debug: Finished streaming payload to program",
        f"execute {target}: Debug: Received '+' result code from remote",
        f"execute {target}: Debug: Finished streaming payload from program",
    ]
    assert (done.environment, done.status) == (None, None)


def test_much_goes_both_ways_at_the_same_time() -> None:
    """A service that answers before it has read everything must not stop the client."""
    much = b"0123456789abcdef" * 65536

    def echo(client: socket.socket) -> None:
        while data := client.recv(65536):
            client.sendall(data)
        client.sendall(b"+\n")

    with raw_service(echo) as target:
        done = fakedove.execute(target, stdin=much)
    header = b"VERSION\tscript\t4\t0\n-\n\n"
    assert (done.verdict, done.output == header + much) == (Verdict.SUCCESS, True)


def test_a_service_that_hangs_is_given_up() -> None:
    def hang(client: socket.socket) -> None:
        client.sendall(b"part")
        waiting = select.poll()
        waiting.register(client, select.POLLHUP)
        waiting.poll(10_000)

    with raw_service(hang) as target:
        done = fakedove.execute(target, timeout=0.25)
    assert (done.verdict, done.output) == (Verdict.INTERNAL_FAILURE, b"par")
    assert log_of(done) == [f"execute {target}: Error: Execution timed out (> 250 msecs)"]


# Measured on 2.3.19.1 and 2.4.1: a code that came does not count when the end is a reset.
def test_stdin_that_is_not_read_is_an_internal_failure() -> None:
    def hang_up(client: socket.socket) -> None:
        client.recv(1, socket.MSG_PEEK)
        client.sendall(b"out\n+\n")

    with raw_service(hang_up) as target:
        done = fakedove.execute(target, stdin=b"mail")
    assert (done.verdict, done.output, done.result) == (-1, b"out\n", None)
    assert log_of(done) == [
        f"execute {target}: Error: "
        "read(program stdout) failed: read(size=8186) failed: Connection reset by peer"
    ]


def test_stdin_is_sent_behind_the_end_of_the_answer() -> None:
    much = b"x" * 1_000_000

    def answer_first(client: socket.socket) -> None:
        client.sendall(b"+\n")
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass

    with raw_service(answer_first) as target:
        done = fakedove.execute(target, stdin=much, output=False)
    assert [one.text.decode() for one in done.log] == [
        "Received '+' result code from remote",
        "Finished streaming payload to program",
    ]
    assert done.verdict is Verdict.SUCCESS


def test_a_code_is_worth_nothing_before_stdin_has_left() -> None:
    def answer_and_leave(client: socket.socket) -> None:
        client.sendall(b"+\n")
        client.shutdown(socket.SHUT_RDWR)

    with raw_service(answer_and_leave) as target:
        done = fakedove.execute(target, stdin=b"x" * 1_000_000)
    assert done.verdict is Verdict.INTERNAL_FAILURE


def test_noreply_hangs_up_at_once_and_does_not_ask() -> None:
    heard: list[bytes] = []

    def read(client: socket.socket) -> None:
        while data := client.recv(65536):
            heard.append(data)

    with raw_service(read) as target:
        done = fakedove.execute(target, ["20", "qa"], noreply=True)
    assert b"".join(heard) == b"VERSION\tscript\t4\t0\nnoreply\n20\nqa\n\n"
    assert (done.verdict, done.output, done.log) == (Verdict.SUCCESS, b"", ())


def test_noreply_with_output_is_read_to_its_end_without_a_code() -> None:
    """As the full-text decoder asks (recording fts-decoder-solr)."""
    with raw_service(answering(b"text\n")) as target:
        done = fakedove.execute(
            target, ["application/pdf"], noreply=True, output=True, alarm=10, stdin=b"%PDF"
        )
    assert (done.verdict, done.output, done.result) == (Verdict.SUCCESS, b"text\n", None)


def test_without_output_only_the_code_counts() -> None:
    with raw_service(answering(b"lots of output\n-\n")) as target:
        done = fakedove.execute(target, output=False)
    assert (done.verdict, done.output) == (Verdict.FAILURE, b"")


@pytest.mark.parametrize(
    ("answer", "output", "verdict"),
    [
        (b"..x\r\nout\r\n.\r\n+\n", b".x\r\nout", Verdict.SUCCESS),
        (b"out\n+\n", b"out", Verdict.INTERNAL_FAILURE),
    ],
)
def test_tcp_is_a_dot_stream(answer: bytes, output: bytes, verdict: Verdict) -> None:
    with raw_service(answering(answer), tcp=True) as target:
        done = fakedove.execute(target)
    assert (done.verdict, done.output) == (verdict, output)


def test_a_stock_service_over_tcp_has_no_dot_stream() -> None:
    with raw_service(answering(b"out\n+\n"), tcp=True) as target:
        done = fakedove.execute(target, dotstream=False)
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"out\n")


# Recordings welcome-conf-missing-sock, welcome-seed-tcp-nodriver and tcp-refused.
def test_nobody_is_there(tmp_path: Path) -> None:
    path = tmp_path / "none"
    done = fakedove.execute(f"unix:{path}")
    assert done.verdict is Verdict.INTERNAL_FAILURE
    assert log_of(done) == [
        f"execute unix:{path}: Error: net_connect_unix({path}) failed: No such file or directory"
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = fakedove.execute(f"tcp:127.0.0.1:{port}")
    assert log_of(done) == [
        f"execute tcp:127.0.0.1:{port}: Error: connect(127.0.0.1) failed: Connection refused"
    ]


def test_a_host_that_is_no_name_is_a_verdict() -> None:
    done = fakedove.execute("tcp:a..b:12345")
    (line,) = log_of(done)
    assert line.startswith("execute tcp:a..b:12345: Error: Cannot resolve `a..b': ")


def test_a_path_too_long_for_a_socket_is_a_verdict() -> None:
    done = fakedove.execute("unix:/" + "x" * 200)
    assert log_of(done)[0].endswith("failed: File name too long")


def test_a_full_backlog_is_tried_for_a_second(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        done = fakedove.execute(f"unix:{path}")
    assert log_of(done) == [f"execute unix:{path}: Error: Connection timed out (> 1000 msecs)"]


@pytest.mark.parametrize(
    ("dovecot", "line"),
    [
        ("2.4.1", "execute unix:/none: Error: "),
        ("2.3.19.1", "program unix:/none: Error: "),
        ("2.2.36", "Error: "),
    ],
)
def test_releases_word_their_log_in_their_own_way(dovecot: str, line: str) -> None:
    done = fakedove.execute("unix:/none", dovecot=dovecot)
    failure = "net_connect_unix(/none) failed: No such file or directory"
    assert log_of(done) == [line + failure]


@pytest.mark.parametrize(
    ("dovecot", "header", "verdict"),
    [
        ("2.3.19.1", b"VERSION\tscript\t4\t0\n-\na b\n\n", Verdict.SUCCESS),
        ("2.2.13", b"VERSION\tscript\t3\t0\n-\na b\n\n", Verdict.SUCCESS),
        ("2.0.21", b"VERSION\tscript\t1\t0\na b\n\n", Verdict.SUCCESS),
    ],
)
def test_releases_speak_their_own_protocol(dovecot: str, header: bytes, verdict: Verdict) -> None:
    heard: list[bytes] = []

    def serve(client: socket.socket) -> None:
        while data := client.recv(65536):
            heard.append(data)
        if dovecot != "2.0.21":
            client.sendall(b"+\n")

    with raw_service(serve) as target:
        done = fakedove.execute(target, ["a b"], dovecot=dovecot)
    assert (b"".join(heard), done.verdict) == (header, verdict)


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("quota-warning", {}, '"quota-warning" is no program: it must be unix:PATH, '),
        ("unix:", {}, '"unix:" is no program'),
        ("exec:/bin/true", {}, '"exec:/bin/true" is no program'),
        ("tcp:localhost", {}, '"tcp:localhost" is no address: it must be tcp:HOST:PORT'),
        ("tcp:localhost:70000", {}, '"tcp:localhost:70000" is no address'),
        ("tcp:localhost:0", {}, '"tcp:localhost:0" is no address'),
        ("unix:s", {"alarm": -1}, "alarm: must be 0 or more, not -1"),
        ("unix:s", {"timeout": -1}, "timeout: must be 0 or more, not -1"),
        ("unix:s", {"env": {"A=B": "1"}}, 'env: "A=B" is no name of a variable'),
        ("unix:s", {"args": ["a\0b"]}, "'a\\x00b' has a NUL"),
        (
            "unix:s",
            {"env": {"A": "1"}, "dovecot": "2.2.13"},
            "Dovecot 2.2.13: environment variables need protocol 4, not 3",
        ),
    ],
)
def test_what_cannot_be_tried(target: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ExecuteError) as caught:
        fakedove.execute(target, **options)  # type: ignore[arg-type]  # a table of mistakes
    assert str(caught.value).startswith(message)


def test_the_conversation_can_be_traced() -> None:
    heard: list[tuple[str, bytes]] = []
    with raw_service(answering(b"+\n")) as target:
        fakedove.execute(target, trace=lambda who, data: heard.append((who, data)))
    assert heard == [("C", b"VERSION\tscript\t4\t0\n-\n\n"), ("S", b"+\n")]
