"""What stubs answer, as a client meets it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import trio

import fakedove
from fakedove.client import Client
from fakedove.double.answers import Answer
from fakedove.double.request import Request
from fakedove.errors import StubError

QUOTA = {"root": "User quota", "type": "STORAGE", "value": 1, "limit": None, "percent": 0}


@pytest.fixture
def fake() -> Iterator[fakedove.FakeDovecot]:
    """Run a fake with the demo store."""
    with fakedove.FakeDovecot() as running:
        yield running


def ask(fake: fakedove.FakeDovecot, command: str = "mailbox list", *args: str) -> list[bytes]:
    """Return the fields that ann is told, and the status."""
    with Client.connect(fake.path()) as client:
        reply = client.command(command, user="ann", args=args)
    return [*reply.fields, reply.status]


def test_a_delay(fake: fakedove.FakeDovecot) -> None:
    fake.on("mailbox list").reply([{"mailbox": "x"}], delay=0.1)
    start = time.monotonic()
    assert ask(fake) == [b"x", b"+"]
    assert time.monotonic() - start >= 0.1


def test_commands_behind_a_late_answer_wait(fake: fakedove.FakeDovecot) -> None:
    fake.on("mailbox list", times=1).fail("TEMPFAIL", delay=0.05)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(fake.path())
        line = b"\tann\tmailbox list\tINBOX\n"
        client.sendall(b"VERSION\tdoveadm-server\t1\t0\n" + line + line)
        client.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: client.recv(4096), b""))
    assert heard == b"+\n\n-TEMPFAIL\nINBOX\t\n+\n"


def test_reset_does_not_wait_for_a_late_answer(fake: fakedove.FakeDovecot) -> None:
    fake.on("mailbox list").reply(delay=3600)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(fake.path())
        client.sendall(b"VERSION\tdoveadm-server\t1\t0\n\tann\tmailbox list\n")
        fake.wait_for("mailbox list")
        fake.reset()
        assert client.recv(100) == b"+\n"
        assert client.recv(100) == b""


def test_the_store_answers_with_an_error_in_the_log(fake: fakedove.FakeDovecot) -> None:
    stub = fake.on("mailbox list").passthrough(log="slow disk")
    assert ask(fake, "mailbox list", "INBOX") == [b"INBOX", b"+"]
    assert [str(line).rpartition(": ")[2] for line in fake.log] == ["slow disk"]
    assert len(stub.calls) == 1


def test_the_stores_rows_edited(fake: fakedove.FakeDovecot) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        assert [row["type"] for row in rows] == ["STORAGE", "MESSAGE"]
        rows[0]["value"] = "99"
        del rows[1]

    fake.on("quota get").edit(edit)
    assert ask(fake, "quota get")[:3] == [b"User quota", b"STORAGE", b"99"]


def test_other_rows_for_the_stores(fake: fakedove.FakeDovecot) -> None:
    fake.on("mailbox list").edit(lambda rows: [*rows, {"mailbox": "Extra"}])
    assert ask(fake)[-2:] == [b"Extra", b"+"]


def test_text_that_was_streamed_can_be_edited(fake: fakedove.FakeDovecot) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[0]["hdr.subject"] = rows[0]["text"].partition("\r\n")[0].upper()

    fake.on("fetch").edit(edit)
    subject, text, status = ask(fake, "fetch", "hdr.subject text", "mailbox", "INBOX", "uid", "1")
    assert subject == text.partition(b"\r\n")[0].upper()
    assert status == b"+"


def test_a_failure_of_the_store_stays(fake: fakedove.FakeDovecot) -> None:
    fake.on("quota get").edit(lambda rows: rows)
    with Client.connect(fake.path()) as client:
        assert client.command("quota get", user="nobody").status == b"-NOUSER"


def test_a_handler(fake: fakedove.FakeDovecot) -> None:
    def answer(request: Request) -> object:
        match request.args:
            case ("rows",):
                return [{"mailbox": request.user}]
            case ("fails",):
                return request.fail("NOTFOUND")
            case ("raw",):
                return request.raw(b"anything\t\n+\n")
            case ("replies",):
                return request.reply([{"mailbox": request.listener}], delay=0.01)
        return None

    fake.on("mailbox list").handle(answer)  # type: ignore[arg-type]  # object, for all at once
    asked = [ask(fake, "mailbox list", word) for word in ("rows", "fails", "raw", "replies", "x")]
    assert asked == [
        [b"ann", b"+"],
        [b"-NOTFOUND"],
        [b"anything", b"+"],
        [b"unix", b"+"],
        [b"x", b"+"],
    ]


def test_a_handler_that_awaits(fake: fakedove.FakeDovecot) -> None:
    async def answer(request: Request) -> Answer:
        await trio.lowlevel.checkpoint()
        return request.reply([{"mailbox": "awaited"}])

    fake.on("mailbox list").handle(answer)
    assert ask(fake) == [b"awaited", b"+"]


def _asyncio_handler() -> Callable[[Request], object]:
    import asyncio

    async def answer(_: Request) -> None:
        await asyncio.sleep(0)
        await asyncio.get_running_loop().create_future()

    return answer


def _raises(_: Request) -> None:
    raise ZeroDivisionError("in the handler")


def _wrong_column(_: Request) -> object:
    return [{"mailbx": "x"}]


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (_raises, ZeroDivisionError, "in the handler"),
        (_wrong_column, StubError, 'has no column "mailbx"; its columns are: mailbox'),
        (lambda _: 7, StubError, "a handler must return rows, None, or what .*, not 7"),
        (_asyncio_handler(), StubError, "the handler awaits what only asyncio has: use trio"),
    ],
)
def test_what_a_handler_raises_fails_the_test(
    fake: fakedove.FakeDovecot,
    function: Callable[[Request], None],
    error: type[Exception],
    match: str,
) -> None:
    fake.on("mailbox list").handle(function)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(fake.path())
        client.sendall(b"VERSION\tdoveadm-server\t1\t0\n")
        assert client.recv(100) == b"+\n"
        client.sendall(b"\tann\tmailbox list\n")
        assert client.recv(100) == b""
    with pytest.raises(error, match=match):
        fake.check()


def test_one_answer_after_the_other(fake: fakedove.FakeDovecot) -> None:
    (
        fake.on("mailbox list", times=3)
        .reply([{"mailbox": "first"}])
        .then.fail("TEMPFAIL")
        .then.passthrough()
    )
    asked = [ask(fake, "mailbox list", "INBOX") for _ in range(4)]
    assert asked == [[b"first", b"+"], [b"-TEMPFAIL"], [b"INBOX", b"+"], [b"INBOX", b"+"]]


def test_the_last_answer_is_for_all_later_times(fake: fakedove.FakeDovecot) -> None:
    fake.on("mailbox list").fail("TEMPFAIL").then.reply()
    assert [ask(fake) for _ in range(3)] == [[b"-TEMPFAIL"], [b"+"], [b"+"]]


def test_a_sequence_without_end_or_beginning(fake: fakedove.FakeDovecot) -> None:
    with pytest.raises(StubError, match=r"^on\('who'\)\.then: there is nothing before it"):
        fake.on("who").then.reply()
    fake.stubs.clear()
    fake.on("who").reply().then  # noqa: B018  # what is forgotten is what is tested
    with pytest.raises(StubError, match=r"on\('who'\)\.then was never told what to answer"):
        fake.check()


def test_scripts_have_sequences_too() -> None:
    with fakedove.FakeDovecot(script={"hello": {}}) as fake:
        fake.script("hello").reply(exit=1).then.reply(b"second\n")
        path = f"unix:{fake.path('hello')}"
        done = [fakedove.execute(path) for _ in range(3)]
    assert [one.output for one in done] == [b"", b"second\n", b"second\n"]


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        (b"\tann\tmailbox list", True),
        (b"\tann\tmailbox list\t-u\tann", False),
        (b"v\tann\tmailbox list", False),
    ],
)
def test_exact_bytes(fake: fakedove.FakeDovecot, line: bytes, matches: bool) -> None:
    fake.on("mailbox list", line=b"\tann\tmailbox list").fail("TEMPFAIL")
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(fake.path())
            client.sendall(b"VERSION\tdoveadm-server\t1\t0\n" + line + b"\n")
            client.shutdown(socket.SHUT_WR)
            heard = b"".join(iter(lambda: client.recv(4096), b""))
        assert heard.endswith(b"-TEMPFAIL\n") is matches


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (lambda stub: stub.reply(delay=-1), "delay must be a number of seconds, 0 or more, not -1"),
        (lambda stub: stub.fail("TEMPFAIL", delay="1"), "delay must be a number of seconds"),
        (lambda stub: stub.handle("x"), "handle() takes a function of a request, not 'x'"),
        (lambda stub: stub.edit(None), "edit() takes a function of the rows, not None"),
    ],
)
def test_wrong_answers(
    fake: fakedove.FakeDovecot, arm: Callable[[fakedove.Stub], object], message: str
) -> None:
    with pytest.raises(StubError) as caught:
        arm(fake.on("who"))
    assert str(caught.value).startswith(message)
    # It is told once.
    fake.check()


def test_wrong_selections(fake: fakedove.FakeDovecot) -> None:
    with pytest.raises(StubError, match=r"^args must be a sequence of texts, not 'INBOX'"):
        fake.on("mailbox list", args="INBOX")
    with pytest.raises(StubError, match=r"^args: \.\.\. can only stand at the end"):
        fake.on("mailbox list", args=[..., "INBOX"])
    with pytest.raises(StubError, match=r"^user must be a text or a pattern such as like"):
        fake.on("mailbox list", user=7)  # type: ignore[arg-type]
