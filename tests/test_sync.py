"""The fake in a thread: the same for plain code, safe from any thread, and a guest."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

import fakedove
from fakedove import FakeDovecot
from tests.net.scripted import open_descriptors

HELLO = b"VERSION\tdoveadm-server\t1\t0\n"
QUOTA = b"\tann\tquota get"
ROOT = Path(__file__).parents[1]


def connect(fake: FakeDovecot) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    try:
        sock.connect(fake.path())
    except OSError:
        sock.close()
        raise
    sock.sendall(HELLO)
    assert sock.recv(100) == b"+\n"
    return sock


def asked(sock: socket.socket, line: bytes) -> bytes:
    """Send a command and return its reply: the rows' line and the status line."""
    sock.sendall(line + b"\n")
    data = b""
    while data.count(b"\n") < 2 and (more := sock.recv(4096)):
        data += more
    return data


def ask(fake: FakeDovecot, line: bytes) -> bytes:
    with connect(fake) as sock:
        return asked(sock, line)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


def test_it_answers_and_leaves_nothing() -> None:
    threads, before = threading.enumerate(), open_descriptors()
    with FakeDovecot(dovecot="2.3.19.1") as fake:
        assert fake.dovecot == fake.release.number == "2.3.19.1"
        assert fake.address() == (fake.host, fake.port)
        assert (fake.password, fake.config.dovecot) == ("secret", "2.3.19.1")
        assert fake.describe()["base_dir"] == fake.base_dir
        assert ask(fake, QUOTA).endswith(b"+\n")
        fake.assert_called("quota get", user="ann", times=1)
        held, base_dir = connect(fake), fake.base_dir
    with held:
        assert held.recv(1) == b""
    assert not Path(base_dir).exists()
    assert threading.enumerate() == threads
    assert open_descriptors() == before


def test_tls() -> None:
    with FakeDovecot() as fake:
        assert Path(fake.ca_path).read_text().startswith("-----BEGIN CERTIFICATE")
        with socket.create_connection(fake.address("tls")) as plain:
            context = fake.client_ssl_context()
            with context.wrap_socket(plain, server_hostname="localhost") as sock:
                sock.sendall(HELLO)
                assert sock.recv(100) == b"-\n"


def test_it_can_be_started_and_stopped_again() -> None:
    fake = FakeDovecot()
    fake.stop()
    for _ in range(2):
        assert fake.start() is fake
        with pytest.raises(fakedove.FakeDovecotError, match="started already"):
            fake.start()
        fake.on("quota get").fail("NOPERM")
        assert ask(fake, QUOTA).endswith(b"-NOPERM\n")
        fake.stop()
    assert [one.command for one in fake.journal] == ["quota get"]


def test_what_is_wrong_is_raised_where_it_is_started() -> None:
    threads = threading.enumerate()
    with pytest.raises(fakedove.ConfigurationError, match="did you mean"):
        FakeDovecot(dovecto="2.4.1")
    fake = FakeDovecot(listener=[{"name": "unix", "path": "s" * 120}])
    for _ in range(2):
        with pytest.raises(fakedove.ListenError, match="too long"):
            fake.start()
    assert threading.enumerate() == threads
    with pytest.raises(fakedove.FakeDovecotError, match="has not begun"):
        FakeDovecot().path()


def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    threads, before = threading.enumerate(), open_descriptors()
    store = tmp_path / "store.toml"
    os.mkfifo(store)
    with pytest.raises(TimeoutError, match=r"no answer for 0\.01 seconds"):
        FakeDovecot(store=str(store)).start(timeout=0.01)
    (late,) = set(threading.enumerate()) - set(threads)
    # It waits for the store; once it has that, it finds that nobody wants it any more.
    store.write_text("")
    late.join(10)
    assert threading.enumerate() == threads
    assert open_descriptors() == before


# Store, stubs and journal from another thread


def test_the_store_is_changed_in_the_fake_s_thread() -> None:
    with FakeDovecot() as fake:
        user = fake.store.add_user("tss", quota="1G")
        assert isinstance(fake.store, fakedove.Store)
        assert isinstance(user, fakedove.User)
        box = user.mailbox("INBOX")
        message = box.deliver(b"Subject: hi\r\n\r\nhello\r\n", flags=["\\Seen"])
        assert type(message) is fakedove.Message
        assert box.messages == (message,)
        assert list(user.mailboxes) == ["INBOX"]
        assert user.mailboxes["INBOX"] == box
        assert hash(user.mailboxes["INBOX"]) == hash(box)
        assert repr(box) == "<Mailbox 'INBOX' with 1 messages>"
        user.gid = 77
        assert fake.store.users["tss"].gid == 77
        assert b"77" in ask(fake, b"\ttss\tuser\ttss")
        assert "tss" in fake.store.users
        assert [name for name, _ in fake.store.users.items()][-1] == "tss"
        assert [one.name for one in fake.store.users.values()][-1] == "tss"
        fake.store.remove_user("tss")
        with pytest.raises(fakedove.UnknownNameError, match='"tsss"'):
            fake.store.users["tsss"]


def test_containers_of_the_store_can_be_changed() -> None:
    with FakeDovecot() as fake:
        files, keys = fake.store.files, fake.store.dict
        files["a.eml"] = b"Subject: a\n\n"
        assert ask(fake, b"\tann\tsave\ta.eml").endswith(b"+\n")
        del files["a.eml"]
        assert "a.eml" not in files
        fake.store.dict |= {"k": "v"}
        assert fake.store.dict["k"] == "v"
        assert len(fake.store.dict) == len(keys) + 1
        fake.store.sessions += fake.store.sessions[:1]
        assert ask(fake, b"\t\twho").count(b"ann") >= 1
        fake.reset()
        assert len(fake.store.sessions) == 1
        assert "k" not in fake.store.dict
        fake.store.sessions.clear()
        assert not fake.store.sessions
        assert fake.store.sessions == []


def test_stubs() -> None:
    with FakeDovecot() as fake:
        stub = fake.on("quota get", user="ann")
        line = sys._getframe().f_lineno - 1
        assert stub.where.endswith(f"test_sync.py:{line}")
        assert isinstance(stub, fakedove.Stub)
        armed = stub.fail("TEMPFAIL", log="quota backend is down")
        assert armed == stub
        assert not stub.calls
        assert ask(fake, QUOTA).endswith(b"-TEMPFAIL\n")
        assert [call.user for call in stub.calls] == ["ann"]
        assert "quota backend is down" in str(next(iter(fake.log)))
        stub.remove()
        assert ask(fake, QUOTA).endswith(b"+\n")
        assert [one.user for one in fake.journal.commands("quota *")] == ["ann", "ann"]
        with pytest.raises(fakedove.StubError, match="did you mean"):
            fake.on("quota gett")


def test_the_clock_is_set_and_moved() -> None:
    with FakeDovecot() as fake:
        fake.clock.set(datetime(2001, 2, 3, tzinfo=UTC))
        fake.clock.advance(60)
        assert fake.clock.now() == datetime(2001, 2, 3, 0, 1, tzinfo=UTC)


def test_many_threads_at_once() -> None:
    with FakeDovecot() as fake, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> bytes:
            fake.store.add_user(f"user{number}").mailbox("INBOX").deliver(b"Subject: x\r\n\r\n")
            return ask(fake, f"\tuser{number}\tquota get".encode())

        assert all(answer.endswith(b"+\n") for answer in pool.map(work, range(40)))
        assert len(fake.journal) == 40
        assert sum(user.message_count for user in fake.store.users.values()) == 40 + 10


def test_what_runs_in_its_thread_may_use_it_too() -> None:
    with FakeDovecot() as fake:
        seen: list[object] = []

        def follow(exchange: fakedove.Exchange) -> None:
            seen.append((threading.current_thread().name, fake.path(), len(fake.journal)))

        fake.journal.followers.append(follow)
        ask(fake, QUOTA)
        assert seen == [("fakedove", fake.path(), 1)]
        fake.journal.followers.clear()


# Waiting


def test_waiting_for_a_command() -> None:
    with FakeDovecot() as fake, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(fake.wait_for, "quota get", user="ann", timeout=10)
        ask(fake, b"\tcarol\tquota get")
        ask(fake, QUOTA)
        assert waiting.result(10).user == "ann"
        with pytest.raises(TimeoutError, match=r"^expected once within 0 seconds: 'who'\n"):
            fake.wait_for("who", timeout=0)


def test_stopping_ends_who_waits() -> None:
    fake = FakeDovecot().start()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(fake.wait_for, "who", timeout=30)
        while not len(fake.journal.watchers):
            os.sched_yield()
        fake.stop()
        with pytest.raises(fakedove.FakeDovecotError, match=r"wait_for\(\): the fake was stopped"):
            waiting.result(10)
    with pytest.raises(fakedove.FakeDovecotError, match=r"wait_for\(\): the fake has ended"):
        fake.wait_for("who")


def test_reset_and_down() -> None:
    with FakeDovecot() as fake:
        with connect(fake) as sock:
            fake.on("quota get").fail("NOPERM")
            fake.reset(keep_connections=True)
            assert asked(sock, QUOTA).endswith(b"+\n")
            fake.reset(dovecot="2.2.36")
            assert sock.recv(1) == b""
        assert fake.dovecot == "2.2.36"
        with fake.down(), pytest.raises(ConnectionRefusedError):
            connect(fake)
        assert ask(fake, QUOTA)


# What goes wrong


def break_who(fake: FakeDovecot) -> None:
    """Make `who` raise, as a bug of the fake would."""
    fake.store.sessions.append(object())  # type: ignore[arg-type] # that is the bug


def test_an_exception_in_the_fake_is_raised_at_the_end_with_its_traceback() -> None:
    def body() -> None:
        with FakeDovecot() as fake:
            break_who(fake)
            assert ask(fake, b"\t\twho") == b""
            assert ask(fake, QUOTA).endswith(b"+\n")

    with pytest.raises(AttributeError) as caught:
        body()
    assert "sessions" in " ".join(str(entry.path) for entry in caught.traceback)


def test_an_unarmed_stub_is_raised_but_not_in_place_of_a_failure() -> None:
    def body(failure: Exception | None) -> None:
        with FakeDovecot() as fake:
            fake.on("quota get")
            if failure is not None:
                raise failure

    with pytest.raises(fakedove.StubError, match=r"test_sync\.py:\d+: on\('quota get'\)"):
        body(None)
    with pytest.raises(LookupError):
        body(LookupError())


def test_an_exception_in_the_fake_comes_before_the_failure_it_caused() -> None:
    def body() -> None:
        with FakeDovecot() as fake:
            break_who(fake)
            assert ask(fake, b"\t\twho") != b"", "no answer"

    with pytest.raises(AttributeError) as caught:
        body()
    assert isinstance(caught.value.__context__, AssertionError)


# Event loops


BLOCKING: dict[str, Callable[[FakeDovecot], object]] = {
    "start": lambda fake: FakeDovecot().start(),
    "stop": lambda fake: fake.stop(),
    "reset": lambda fake: fake.reset(),
    "wait_for": lambda fake: fake.wait_for("who", timeout=0),
    "down": lambda fake: fake.down().__enter__(),
}


def cheap(fake: FakeDovecot) -> None:
    """Use all that may be used in an event loop."""
    fake.store.users["ann"].mailbox("INBOX").deliver(b"Subject: x\r\n\r\n")
    fake.on("who").reply([])
    assert (fake.path(), len(fake.journal)) == (fake.describe()["listeners"]["unix"]["path"], 0)  # type: ignore[index]


@pytest.mark.parametrize("call", BLOCKING)
def test_what_blocks_is_refused_in_an_event_loop(call: str) -> None:
    async def in_asyncio(fake: FakeDovecot) -> None:
        cheap(fake)
        with pytest.raises(fakedove.FakeDovecotError, match=rf"{call}\(\).*asyncio\.to_thread"):
            BLOCKING[call](fake)
        await asyncio.to_thread(fake.reset)

    async def in_trio(fake: FakeDovecot) -> None:
        cheap(fake)
        with pytest.raises(fakedove.FakeDovecotError, match=rf"{call}\(\).*AsyncFakeDovecot"):
            BLOCKING[call](fake)
        await trio.to_thread.run_sync(fake.reset)

    fake = FakeDovecot().start()
    try:
        asyncio.run(in_asyncio(fake))
        trio.run(in_trio, fake)
    finally:
        fake.stop()


# A guest


def test_the_process_is_as_it_was() -> None:
    def state() -> tuple[object, ...]:
        umask = os.umask(0o22)
        os.umask(umask)
        handlers = tuple(signal.getsignal(one) for one in signal.valid_signals())
        wakeup = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(wakeup)
        return umask, handlers, wakeup, Path.cwd(), dict(os.environ), list(warnings.filters)

    before = state()
    with FakeDovecot() as fake:
        ask(fake, QUOTA)
        assert fake.ca_path
        assert state() == before
    assert state() == before


def test_a_fake_that_nobody_stops_is_ended_at_exit(tmp_path: Path) -> None:
    program = "import fakedove; fake = fakedove.FakeDovecot().start(); print(fake.base_dir)"
    ended = run(program)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not Path(ended.stdout.strip()).exists()


FORK = """
import os, socket, sys, warnings
import fakedove
warnings.simplefilter("ignore", DeprecationWarning)
client = socket.socket(socket.AF_UNIX)
read, write = os.pipe()
with fakedove.FakeDovecot() as fake:
    client.connect(fake.path())
    client.sendall(b"VERSION\\tdoveadm-server\\t1\\t0\\n")
    client.recv(100)
    path, calls = fake.path(), (fake.path, fake.reset, fake.stop, lambda: fake.store)
    child = os.fork()
    if not child:
        for call in calls:
            try:
                call()
            except fakedove.FakeDovecotError as error:
                assert "forked" in str(error)
            else:
                os._exit(3)
        os.close(write)
        os.read(read, 1)
        client.close()
        sys.exit(0)  # with atexit functions, which must leave the parent's files alone
    # The child lives on and holds no copy of the connection: this is EOF.
    fake.reset()
    client.settimeout(10)
    assert client.recv(1) == b""
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    assert os.path.exists(path)
    client.close()
"""


def test_a_forked_child_holds_nothing_and_is_refused() -> None:
    ended = run(FORK)
    assert (ended.stderr, ended.returncode) == ("", 0)
