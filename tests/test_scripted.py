"""Scripted answers of a script service, as a client meets them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import trio

import fakedove
from fakedove import ScriptEnd, ScriptReply
from fakedove.errors import StubError, UnknownNameError

_VERSION = b"VERSION\tscript\t4\t0\n"
_HELLO = _VERSION + b"-\nhello\ntss\n\n"


@pytest.fixture
def fake() -> Iterator[fakedove.FakeDovecot]:
    """Run a fake with one service without a program, over UNIX and TCP."""
    listeners = [
        {"name": "unix", "service": "script", "script": "hello", "path": "hello", "mode": "0666"},
        {"name": "tcp", "service": "script", "script": "hello", "address": "127.0.0.1:0"},
    ]
    with fakedove.FakeDovecot(
        script={"hello": {"accept_env": ["FOO"]}}, listener=listeners
    ) as running:
        yield running


def connected(fake: fakedove.FakeDovecot, request: bytes, *, tcp: bool = False) -> socket.socket:
    """Connect, send a request, and return the socket."""
    client = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    client.settimeout(5)
    client.connect(fake.address() if tcp else fake.path())
    client.sendall(request)
    return client


def everything(client: socket.socket) -> bytes:
    """Return all that comes up to EOF."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def run(fake: fakedove.FakeDovecot, request: bytes = _HELLO, *, tcp: bool = False) -> bytes:
    """Send a request, half-close, and return all that comes."""
    with connected(fake, request, tcp=tcp) as client:
        client.shutdown(socket.SHUT_WR)
        return everything(client)


def log(fake: fakedove.FakeDovecot) -> list[str]:
    """Return the server log."""
    return [str(record) for record in fake.log]


@pytest.mark.parametrize("tcp", [False, True])
def test_a_reply(fake: fakedove.FakeDovecot, tcp: bool) -> None:
    stub = fake.script("hello").reply(b"out\n", stderr=b"noted\nhalf a line")
    heard = run(fake, _VERSION + b"env_FOO=1\nenv_BAR=2\n-\nhello\n\nstdin\n", tcp=tcp)
    assert heard == b"out\n+\n"
    done = fake.wait_for_invocation("hello")
    assert (done.args, done.env) == (("hello",), {"FOO": "1"})
    assert (done.stdin, done.stdin_size, done.stdin_eof) == (b"stdin\n", 6, True)
    assert (done.status, done.result) == (0, b"+\n")
    assert [call.connection for call in stub.calls] == [done.connection]
    assert log(fake) == ["hello: Error: noted"]


def test_without_a_stub_every_invocation_succeeds(fake: fakedove.FakeDovecot) -> None:
    assert run(fake) == b"+\n"
    assert fake.wait_for_invocation().args == ("hello", "tss")


@pytest.mark.parametrize(("exit", "how"), [(3, "exit status 3"), (-9, "signal 9")])
def test_a_failure(fake: fakedove.FakeDovecot, exit: int, how: str) -> None:
    fake.script("hello").reply(b"out", exit)
    assert run(fake) == b"out-\n"
    assert log(fake) == [f"hello: Error: Script terminated abnormally, {how}"]
    assert fake.wait_for_invocation().status == exit


@pytest.mark.parametrize("result", [b"", b"+", b"X\n", b"+\r\n", b"+\nmore\n"])
def test_any_bytes_for_a_result_code(fake: fakedove.FakeDovecot, result: bytes) -> None:
    fake.script("hello").reply(b"out\n", result=result)
    assert run(fake) == b"out\n" + result
    assert fake.wait_for_invocation().result == (result or None)


def test_a_client_without_code(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply(b"out\n", 3)
    assert run(fake, _VERSION + b"noreply\n80\n\n") == b"out\n"
    assert fake.wait_for_invocation().result is None
    (line,) = log(fake)
    assert line.startswith("hello: Fatal: master: service(hello): child ")
    assert line.endswith(" returned error 3")


def test_pauses_between_pieces(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply([b"first", 0.05, b"second\n", 0.05], delay=0.05)
    with connected(fake, _HELLO) as client:
        assert client.recv(100) == b"first"
        assert client.recv(100) == b"second\n"
        assert client.recv(100) == b"+\n"
        # A client that does not close first reads EOF all the same.
        assert client.recv(100) == b""


def test_a_client_that_goes_away_in_a_pause(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply([b"first", 3600.0])
    with connected(fake, _HELLO) as client:
        assert client.recv(100) == b"first"
    assert fake.wait_for_invocation().result is None
    assert log(fake) == ["hello: Error: write(response) failed: Broken pipe"]


def test_much_stdin_is_read_although_nobody_asked(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply()
    stdin = b"x" * 5_000_000
    assert run(fake, _HELLO + stdin) == b"+\n"
    done = fake.wait_for_invocation()
    assert (done.stdin_size, len(done.stdin)) == (len(stdin), 1 << 20)


def test_stdin_that_is_not_read_resets(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply(drain=False, delay=0.01)
    with connected(fake, _HELLO + b"stdin") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"+\n"
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_hanging(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").hang(b"out\n+\n")
    with connected(fake, _HELLO) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"out\n+\n"
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(100)
    assert fake.wait_for_invocation().status is None


def test_hanging_with_stdin_read(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").hang(b"+\n", read_stdin=True)
    with connected(fake, _HELLO + b"stdin") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"+\n"
    assert fake.wait_for_invocation("hello", args=["hello", "tss"]).stdin == b"stdin"
    with pytest.raises(TimeoutError, match=r'^no script "hello" was run to its end'):
        fake.wait_for_invocation("hello", args=["hello"], timeout=0.01)


def test_closing_in_the_middle(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").close(b"half")
    assert run(fake) == b"half"
    done = fake.wait_for_invocation()
    assert (done.status, done.result) == (None, None)


def test_closing_before_the_header(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").close(before_header=True)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(fake.path())
        assert client.recv(100) == b""
    assert fake.wait_for_invocation().header is None


def test_resetting(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reset()
    with connected(fake, _HELLO, tcp=True) as client, pytest.raises(ConnectionResetError):
        client.recv(100)


def test_a_function_that_sees_all_of_stdin(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").handle(lambda invocation: invocation.stdin.upper())
    assert run(fake, _HELLO + b"stdin\n") == b"STDIN\n+\n"


def test_a_function_that_does_not_wait_for_stdin(fake: fakedove.FakeDovecot) -> None:
    def answer(invocation: fakedove.Invocation) -> ScriptReply:
        assert not invocation.stdin_eof
        return ScriptReply(invocation.args[1].encode() + b"\n", exit=1)

    fake.script("hello").handle(answer, read_stdin=False)
    with connected(fake, _HELLO) as client:
        assert everything(client) == b"tss\n-\n"


def test_a_function_that_awaits(fake: fakedove.FakeDovecot) -> None:
    async def answer(invocation: fakedove.Invocation) -> None:
        await trio.lowlevel.checkpoint()

    fake.script("hello").handle(answer)
    assert run(fake) == b"+\n"


def _wrong_result(_: fakedove.Invocation) -> object:
    return "text"


def _broken(_: fakedove.Invocation) -> bytes:
    raise ZeroDivisionError("in the handler")


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (_broken, ZeroDivisionError, "in the handler"),
        (_wrong_result, StubError, "a handler must return bytes, None or a ScriptReply, not 'tex"),
    ],
)
def test_what_a_function_raises_fails_the_test(
    fake: fakedove.FakeDovecot,
    function: Callable[[fakedove.Invocation], bytes],
    error: type[Exception],
    match: str,
) -> None:
    fake.script("hello").handle(function)
    assert run(fake) == b""
    with pytest.raises(error, match=match):
        fake.check()


def test_the_newest_stub_that_matches_answers(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply(b"always\n")
    once = fake.script("hello", args=["hello", "tss"], times=1).reply(b"once\n")
    gone = fake.script("hello").reply(b"never\n")
    gone.remove()
    other = _VERSION + b"-\nother\n\n"
    heard = [run(fake, other), run(fake), run(fake)]
    assert heard == [b"always\n+\n", b"once\n+\n", b"always\n+\n"]
    assert len(once.calls) == 1


def test_reset_takes_stubs_away(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello").reply(b"x\n")
    fake.reset()
    assert run(fake) == b"+\n"


def test_a_stub_goes_before_a_program() -> None:
    with fakedove.FakeDovecot(script={"hello": {"executable": ["/nowhere"]}}) as fake:
        fake.script("hello", times=1).reply(b"x\n")
        heard = []
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(fake.path("hello"))
                client.sendall(_HELLO)
                client.shutdown(socket.SHUT_WR)
                heard.append(everything(client))
        assert heard == [b"x\n+\n", b"-\n"]


def test_a_service_without_header() -> None:
    with fakedove.FakeDovecot(script={"hello": {"passthrough": True}}) as fake:
        fake.script("hello").handle(lambda invocation: invocation.stdin)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(fake.path("hello"))
            client.sendall(b"anything\n\n")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"anything\n\n"
        assert fake.wait_for_invocation().header is None


def test_alarm(fake: fakedove.FakeDovecot) -> None:
    """As recorded (alarm-1-timing-reply, -noreply): one goes on, the other is killed."""
    fake.script("hello").reply([1.1, b"awake\n"])
    with (
        connected(fake, _VERSION + b"alarm=1\n-\n\n") as waits,
        connected(fake, _VERSION + b"alarm=1\nnoreply\n\n") as waits_not,
    ):
        assert waits.recv(100) == b"-\n"
        assert everything(waits) == b"awake\n"
        assert everything(waits_not) == b""
    lines = log(fake)
    assert "hello: Error: waitpid() failed: Interrupted system call" in lines
    assert [line for line in lines if line.endswith(" killed with signal 14")]


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (lambda stub: stub.reply("text"), "stdout must be bytes, or a sequence"),
        (lambda stub: stub.reply([b"a", "b"]), "stdout must be bytes, or a sequence"),
        (lambda stub: stub.reply([-1.0]), "stdout must be bytes, or a sequence"),
        (lambda stub: stub.reply(exit=256), "exit must be 0 to 255, or a signal as -9, not 256"),
        (lambda stub: stub.reply(delay=-1), "delay must be a number of seconds"),
        (lambda stub: stub.reply(result="+"), "result must be bytes, not '+'"),
        (lambda stub: stub.handle(b"x"), "handle() takes a function"),
    ],
)
def test_a_wrong_reply(
    fake: fakedove.FakeDovecot, arm: Callable[[fakedove.ScriptStub], object], message: str
) -> None:
    stub = fake.script("hello")
    with pytest.raises(StubError) as caught:
        arm(stub)
    assert str(caught.value).startswith(message)
    stub.remove()
    # It is told once.
    fake.check()


def test_wrong_selections(fake: fakedove.FakeDovecot) -> None:
    with pytest.raises(UnknownNameError, match=r'there is no \[script.hallo\]; did you mean "hel'):
        fake.script("hallo")
    with pytest.raises(StubError, match=r"^script\('hello'\): times must be a whole number, 1 or"):
        fake.script("hello", times=0)
    with pytest.raises(StubError, match=r"args must be a sequence of texts, not 'tss'"):
        fake.script("hello", args="tss")
    with pytest.raises(StubError, match=r"^before_header: there are no args yet"):
        fake.script("hello", args=["tss"]).close(before_header=True)


def test_a_stub_that_was_never_told_what_to_answer(fake: fakedove.FakeDovecot) -> None:
    fake.script("hello")
    with pytest.raises(StubError, match=rf"{__name__.rpartition('.')[2]}.py:\d+: script\('hello'"):
        fake.check()


def test_ends_by_name() -> None:
    assert ScriptReply(end=ScriptEnd("hang")).end is ScriptEnd.HANG
