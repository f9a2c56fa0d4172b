"""The fake in the test's own Trio: what it serves, what it restores, and what is left of it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
import trio.testing

from fakedove.certificates import make_server_certificate
from fakedove.dovecot.store import Store
from fakedove.dovecot.user_seed import UserSeed
from fakedove.errors import (
    ConfigurationError,
    FakeDovecotError,
    ListenError,
    StubError,
    UnknownNameError,
)
from fakedove.fake import AsyncFakeDovecot
from tests.net.scripted import open_descriptors

HELLO = b"VERSION\tdoveadm-server\t1\t0\n"
QUOTA = b"\tann\tquota get"


async def connected(fake: AsyncFakeDovecot) -> trio.SocketStream:
    stream = await trio.open_unix_socket(fake.path())
    await stream.send_all(HELLO)
    assert await stream.receive_some() == b"+\n"
    return stream


async def asked(stream: trio.abc.Stream, line: bytes) -> bytes:
    """Send a command and return its reply: the rows' line and the status line."""
    await stream.send_all(line + b"\n")
    data = b""
    while data.count(b"\n") < 2 and (more := await stream.receive_some()):
        data += more
    return data


async def ask(fake: AsyncFakeDovecot, line: bytes) -> bytes:
    async with await connected(fake) as stream:
        return await asked(stream, line)


def break_who(fake: AsyncFakeDovecot) -> None:
    """Make `who` raise, as a bug of the fake would."""
    fake.store.sessions.append(object())  # type: ignore[arg-type] # that is the bug


def refused(fake: AsyncFakeDovecot) -> list[int | None]:
    """Return how connecting to the UNIX and the TCP listener ends."""
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
        return [unix.connect_ex(fake.path()), tcp.connect_ex(fake.address())]


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def left_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have this test's temporary directories made in a place of their own."""
    directory = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    yield directory
    shutil.rmtree(directory)


async def test_it_answers_from_the_demo_store_on_all_listeners() -> None:
    async with AsyncFakeDovecot() as fake:
        row = await ask(fake, QUOTA)
        assert row.startswith(b"User quota\tSTORAGE\t")
        assert row.endswith(b"\n+\n")
        plain = await trio.open_tcp_stream(*fake.address())
        tls = await trio.open_tcp_stream(*fake.address("tls"))
        secure = trio.SSLStream(tls, fake.client_ssl_context(), server_hostname="localhost")
        for stream in (plain, secure):
            async with stream:
                await stream.send_all(HELLO)
                assert await stream.receive_some() == b"-\n"
                await stream.send_all(b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n")
                assert await stream.receive_some() == b"+\n"
                assert await asked(stream, QUOTA) == row
        assert [one.listener for one in fake.journal] == ["unix", "tcp", "tls"]


async def test_the_demo_password_is_the_configured_one() -> None:
    async with AsyncFakeDovecot(doveadm_password="other") as fake:
        assert fake.password == "other"
        async with await trio.open_tcp_stream(fake.host, fake.port) as stream:
            await stream.send_all(HELLO + b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0\n")
            data = b""
            while more := await stream.receive_some():
                data += more
        assert data == b"-\n-\n"
        assert [str(one) for one in fake.log]


async def test_nothing_is_left(temporary: Path) -> None:
    threads = sys._current_frames().keys()
    before = open_descriptors()
    async with AsyncFakeDovecot() as fake:
        assert Path(fake.base_dir).parent == temporary
        assert (mode(fake.base_dir), mode(fake.path())) == (0o700, 0o600)
        assert mode(fake.ca_path) & 0o400
        open_end = await connected(fake)
        await ask(fake, QUOTA)
        inside = trio.lowlevel.current_statistics().tasks_living
    async with open_end:
        assert await open_end.receive_some() == b""
    assert trio.lowlevel.current_statistics().tasks_living < inside
    assert open_descriptors() == before
    assert sys._current_frames().keys() == threads
    assert left_in(temporary) == []


async def test_nothing_is_left_when_an_address_is_taken(temporary: Path) -> None:
    before = open_descriptors()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener = [
            {"name": "unix", "path": "s"},
            {"name": "tcp", "address": f"127.0.0.1:{port}"},
        ]
        with pytest.raises(ListenError, match=rf"^127\.0\.0\.1:{port}: the port is in use"):
            async with AsyncFakeDovecot(listener=listener):
                pass
    assert open_descriptors() == before
    assert left_in(temporary) == []


async def test_a_path_too_long_is_one_clear_line() -> None:
    listener = [{"name": "unix", "path": "s" * 120}]
    with pytest.raises(ListenError, match=r"^/\S+: too long for a UNIX socket \(.* base_dir$"):
        async with AsyncFakeDovecot(listener=listener):
            pass


async def test_the_folder_of_a_socket_is_made() -> None:
    listener = [{"name": "unix", "path": "sieve-pipe/deep/prog"}]
    async with AsyncFakeDovecot(listener=listener) as fake:
        assert fake.path() == f"{fake.base_dir}/sieve-pipe/deep/prog"
        assert await trio.Path(fake.path()).is_socket()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in ("file/prog", str(tmp_path / "absolute" / "prog")):
        with pytest.raises(ListenError, match=r"^/\S+/prog: "):
            async with AsyncFakeDovecot(
                base_dir=str(tmp_path), listener=[{"name": "unix", "path": path}]
            ):
                pass
    assert not await trio.Path(tmp_path, "absolute").exists()


async def test_a_configured_base_dir_stays(temporary: Path) -> None:
    base_dir = temporary / "run" / "dovecot"
    async with AsyncFakeDovecot(base_dir=str(base_dir)) as fake:
        assert fake.path() == str(base_dir / "doveadm-server")
    assert left_in(base_dir) == []


async def test_a_configuration_file_and_keywords(tmp_path: Path) -> None:
    file = tmp_path / "fakedove.toml"
    file.write_text(
        'dovecot = "2.2.36"\n[[stub]]\ncommand = "quota get"\nuser = "ann"\nfail = "NOPERM"\n'
    )
    async with AsyncFakeDovecot(file) as fake:
        assert fake.dovecot == "2.2.36"
        assert (await ask(fake, QUOTA)).startswith(b"\n-NOPERM\n")
    async with AsyncFakeDovecot(file, dovecot="2.3.19.1") as fake:
        assert fake.dovecot == fake.release.number == "2.3.19.1"


async def test_a_wrong_stub_is_told_with_its_place() -> None:
    stub = [{"command": "quota get", "fail": "NOSUCH"}]
    with pytest.raises(StubError, match=r'^stub\[0\]: unknown status "NOSUCH"'):
        async with AsyncFakeDovecot(stub=stub):
            pass


def test_a_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r'^dovecto: .*did you mean "dovecot"\?'):
        AsyncFakeDovecot(dovecto="2.4.1")
    with pytest.raises(ConfigurationError, match=r'^dovecot: unknown release "1\.0"'):
        AsyncFakeDovecot(dovecot="1.0")


async def test_wrong_certificate_files_are_told_at_the_start(tmp_path: Path) -> None:
    tls = {"cert": str(tmp_path / "no.pem"), "key": str(tmp_path / "no.key")}
    with pytest.raises(ConfigurationError, match=r"^tls: cannot load certificate"):
        async with AsyncFakeDovecot(tls=tls):
            pass


async def test_a_configured_certificate_is_its_own_authority(tmp_path: Path) -> None:
    made = make_server_certificate(tmp_path / "made")
    tls = {"cert": str(made.certificate), "key": str(made.key)}
    async with AsyncFakeDovecot(tls=tls) as fake:
        assert fake.ca_path == str(made.certificate)
        stream = await trio.open_tcp_stream(*fake.address("tls"))
        secure = trio.SSLStream(stream, fake.client_ssl_context(), server_hostname="localhost")
        await secure.do_handshake()
        await secure.aclose()


async def test_the_description_is_json() -> None:
    async with AsyncFakeDovecot(dovecot="2.3.19.1") as fake:
        described = json.loads(json.dumps(fake.describe()))
        assert described == {
            "pid": os.getpid(),
            "dovecot": "2.3.19.1",
            "base_dir": fake.base_dir,
            "doveadm_password": "secret",
            "ca": fake.ca_path,
            "listeners": {
                "unix": {"service": "doveadm", "path": fake.path()},
                "tcp": {"service": "doveadm", "host": fake.host, "port": fake.port},
                "tls": {"service": "doveadm", "host": "127.0.0.1", "port": fake.address("tls")[1]},
            },
        }


@pytest.mark.parametrize(
    ("listener", "speaks"),
    [
        ({"path": "socket", "mode": "0600"}, False),
        ({"path": "socket", "mode": "0666"}, True),
        ({"path": "socket", "mode": "0600", "ssl": "yes"}, True),
        ({"address": "127.0.0.1:0"}, True),
    ],
)
async def test_an_authority_is_made_where_clients_can_speak_tls(
    listener: dict[str, object], speaks: bool
) -> None:
    async with AsyncFakeDovecot(listener=[{"name": "one", **listener}]) as fake:
        assert fake.describe()["ca"] == (fake.ca_path if speaks else None)


async def test_addresses_are_asked_for_by_name() -> None:
    async with AsyncFakeDovecot() as fake:
        with pytest.raises(UnknownNameError, match=r'no listener "unx"; did you mean "unix"\?'):
            fake.path("unx")
        with pytest.raises(UnknownNameError, match=r"is no UNIX socket; it has an address"):
            fake.path("tcp")
        with pytest.raises(UnknownNameError, match=r"is a UNIX socket; it has a path"):
            fake.address("unix")


async def test_it_runs_once() -> None:
    fake = AsyncFakeDovecot()
    with pytest.raises(FakeDovecotError, match="has not begun"):
        fake.path()
    async with fake:
        pass
    with pytest.raises(FakeDovecotError, match="has run already"):
        async with fake:
            pass


# Files


async def test_files_are_read_from_the_layer_then_from_base_dir(tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_bytes(b"Subject: outside\n\nno\n")
    base_dir = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
    try:
        (base_dir / "disk.eml").write_bytes(b"Subject: disk\n\nhi\n")
        (base_dir / "both.eml").write_bytes(b"Subject: disk\n\nhi\n")
        (base_dir / "out.eml").symlink_to(tmp_path / "secret.eml")
        os.mkfifo(base_dir / "fifo")
        async with AsyncFakeDovecot(base_dir=str(base_dir)) as fake:
            fake.store.files["both.eml"] = b"Subject: layer\n\nhi\n"
            for path in ("disk.eml", f"{base_dir}/./disk.eml", "both.eml", f"{base_dir}/both.eml"):
                assert (await ask(fake, f"\tann\tsave\t{path}".encode())).endswith(b"+\n"), path
            for path in (f"{tmp_path}/secret.eml", "../x", "out.eml", "none.eml", "/dev/zero", ""):
                answer = await ask(fake, f"\tann\tsave\t{path}".encode())
                assert not answer.endswith(b"+\n"), path
            # A FIFO that nobody writes to is empty, and does not stop the fake.
            assert await ask(fake, b"\tcarol\tsave\tfifo")
            saved = fake.store.users["ann"].mailbox("INBOX").messages[3:]
            subjects = [one.data.split(b"\n")[0].strip() for one in saved]
            disk, layer = b"Subject: disk", b"Subject: layer"
            assert subjects == [disk, disk, layer, layer]
    finally:
        shutil.rmtree(base_dir)


# What happened


async def test_what_was_called_is_asserted_and_the_closest_shown() -> None:
    async with AsyncFakeDovecot() as fake:
        await ask(fake, QUOTA)
        fake.assert_called("quota get")
        fake.assert_called("quota *", user="ann", times=1)
        fake.assert_called("quota get", user="bob", times=0)
        with pytest.raises(AssertionError, match=r"^expected at least once: 'who'\n") as at:
            fake.assert_called("who")
        assert "  > command  'who'      'quota get'" in str(at.value)
        with pytest.raises(AssertionError, match=r"^expected 2 times: .*\nit came once"):
            fake.assert_called("quota get", user="ann", times=2)


async def test_waiting_for_a_command() -> None:
    async with AsyncFakeDovecot() as fake, trio.open_nursery() as nursery:
        found: list[str] = []

        async def wait(user: str) -> None:
            found.append((await fake.wait_for("quota get", user=user)).user)

        nursery.start_soon(wait, "ann")
        nursery.start_soon(wait, "bob@example.com")
        await trio.testing.wait_all_tasks_blocked()
        await ask(fake, b"\tcarol\tquota get")
        await ask(fake, b"\tbob@example.com\tquota get")
        await trio.testing.wait_all_tasks_blocked()
        assert found == ["bob@example.com"]
        await ask(fake, QUOTA)
        await trio.testing.wait_all_tasks_blocked()
        assert found == ["bob@example.com", "ann"]
        assert (await fake.wait_for("quota get")).user == "ann"


async def test_waiting_in_vain_shows_the_closest() -> None:
    async with AsyncFakeDovecot() as fake:
        await ask(fake, QUOTA)
        with pytest.raises(TimeoutError, match=r"^expected once within 0 seconds: 'who'") as caught:
            await fake.wait_for("who", timeout=0)
        assert "quota get" in str(caught.value)


# Reset


async def test_reset_restores_everything() -> None:
    async with AsyncFakeDovecot() as fake:
        addresses = fake.describe()["listeners"]
        fake.store.add_user("new")
        fake.store.users["ann"].mailbox("INBOX").deliver(b"Subject: x\r\n\r\n")
        fake.clock.set(datetime(2001, 1, 1, tzinfo=UTC))
        fake.on("quota get").fail("TEMPFAIL")
        stream = await connected(fake)
        assert (await asked(stream, QUOTA)).endswith(b"-TEMPFAIL\n")
        await fake.reset()
        async with stream:
            assert await stream.receive_some() == b""
        assert list(fake.store.users) == ["ann", "bob@example.com", "carol"]
        assert fake.store.users["ann"].mailbox("INBOX").message_count == 3
        assert fake.clock.now().year > 2001
        assert (len(fake.journal), len(fake.log)) == (0, 0)
        assert (await ask(fake, QUOTA)).endswith(b"+\n")
        assert fake.describe()["listeners"] == addresses


NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def made(fake: AsyncFakeDovecot) -> tuple[object, ...]:
    """Make a mailbox with a mail; return what time and chance decide of it."""
    box = fake.store.users["ann"].create_mailbox("Made")
    mail = box.deliver(b"x")
    return box.guid, box.uidvalidity, mail.guid, mail.received, mail.saved


async def test_with_clock_and_seed_every_run_and_every_reset_is_the_same() -> None:
    async with AsyncFakeDovecot(clock=NOON, seed=1) as fake:
        first = made(fake)
        assert first[1] == int(NOON.timestamp())
        fake.clock.advance(60)
        await fake.reset()
        assert made(fake) == first
        await fake.reset(seed=2)
        assert made(fake) != first
    async with AsyncFakeDovecot(clock=NOON, seed=1) as fake:
        assert made(fake) == first


async def test_mail_without_a_date_goes_by_the_configured_clock(tmp_path: Path) -> None:
    path = tmp_path / "store.toml"
    mail = '[[user.mailbox]]\nname = "INBOX"\n[[user.mailbox.mail]]\ntext = ""\n'
    path.write_text(f'[[user]]\nname = "ann"\n{mail}')
    async with AsyncFakeDovecot(store=path, clock=NOON) as fake:
        assert fake.store.users["ann"].mailbox("INBOX").messages[0].received == NOON
        later = datetime(2025, 1, 1, tzinfo=UTC)
        await fake.reset(clock=later)
        assert fake.store.users["ann"].mailbox("INBOX").messages[0].received == later


async def test_a_store_made_in_python() -> None:
    store = Store(UserSeed(name=f"user{number}") for number in range(100))
    store.add_user("eve")
    async with AsyncFakeDovecot(store=store) as fake:
        assert (await ask(fake, b"\tuser99\tquota get")).endswith(b"+\n")
        fake.store.remove_user("user99")
        await fake.reset()
        assert fake.store is store
        assert list(store.users)[99:] == ["user99", "eve"]


async def test_reset_can_change_the_release_and_goes_back() -> None:
    async with AsyncFakeDovecot(dovecot="2.3.19.1") as fake:
        await fake.reset(dovecot="2.2.33")
        assert fake.dovecot == "2.2.33"
        async with await trio.open_tcp_stream(*fake.address()) as stream:
            # This one greets first.
            assert (await stream.receive_some())[:1] == b"-"
        await fake.reset()
        assert fake.dovecot == "2.3.19.1"


async def test_reset_can_change_store_stubs_and_password(tmp_path: Path) -> None:
    store = tmp_path / "store.toml"
    store.write_text('[[user]]\nname = "zoe"\n')
    async with AsyncFakeDovecot() as fake:
        stub = [{"command": "quota get", "fail": "NOPERM"}]
        await fake.reset(store=str(store), doveadm_password="new", stub=stub)
        assert list(fake.store.users) == ["zoe"]
        assert fake.password == "new"
        assert (await ask(fake, b"\tzoe\tquota get")).endswith(b"-NOPERM\n")
        await fake.reset(store=str(store))
        assert (await ask(fake, b"\tzoe\tquota get")).endswith(b"+\n")
        await fake.reset()
        assert "ann" in fake.store


@pytest.mark.parametrize(
    "change",
    [
        {"listener": [{"name": "unix", "path": "other"}]},
        {"base_dir": "elsewhere"},
        {"tls": {"cert": "a", "key": "b"}},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_reset_moves_no_socket(change: dict[str, object]) -> None:
    async with AsyncFakeDovecot() as fake:
        stream = await connected(fake)
        with pytest.raises(ConfigurationError, match=f"^{next(iter(change))}: .*in reset"):
            await fake.reset(keep_connections=False, **change)
        async with stream:
            assert (await asked(stream, QUOTA)).endswith(b"+\n")


async def test_kept_connections_meet_the_restored_store_and_no_old_stub() -> None:
    async with AsyncFakeDovecot() as fake, await connected(fake) as stream:
        fake.on("quota get").fail("TEMPFAIL")
        assert (await asked(stream, QUOTA)).endswith(b"-TEMPFAIL\n")
        fake.store.remove_user("ann")
        await fake.reset(keep_connections=True)
        assert (await asked(stream, QUOTA)).endswith(b"+\n")
        fake.on("quota get").fail("NOPERM")
        assert (await asked(stream, QUOTA)).endswith(b"-NOPERM\n")
        assert len(fake.journal) == 2
        with pytest.raises(ConfigurationError, match="kept stay with their release"):
            await fake.reset(keep_connections=True, dovecot="2.2.36")


# An outage


async def test_down_refuses_and_comes_back_at_the_same_addresses() -> None:
    async with AsyncFakeDovecot() as fake:
        addresses = fake.describe()["listeners"]
        stream = await connected(fake)
        fake.on("quota get").fail("NOPERM")
        async with fake.down():
            assert await stream.receive_some() == b""
            assert refused(fake) == [errno.ECONNREFUSED] * 2
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(fake.address())
            with pytest.raises(FakeDovecotError, match="down already"):
                async with fake.down():
                    pass
        await stream.aclose()
        assert fake.describe()["listeners"] == addresses
        assert refused(fake) == [0, 0]
        assert (await ask(fake, QUOTA)).endswith(b"-NOPERM\n")
        async with fake.down():
            pass
        assert refused(fake) == [0, 0]


async def test_nothing_is_left_when_it_ends_in_an_outage(temporary: Path) -> None:
    before = open_descriptors()
    with pytest.raises(KeyError):
        async with AsyncFakeDovecot() as fake, fake.down():
            raise KeyError
    assert open_descriptors() == before
    assert left_in(temporary) == []


# What goes wrong


async def test_an_exception_in_the_fake_ends_its_connection_and_is_raised_at_the_end() -> None:
    async def body() -> None:
        async with AsyncFakeDovecot() as fake:
            break_who(fake)
            async with await connected(fake) as other:
                assert await ask(fake, b"\t\twho") == b""
                assert (await asked(other, QUOTA)).endswith(b"+\n")

    with pytest.raises(AttributeError) as caught:
        await body()
    assert any("who" in str(entry.name) for entry in caught.traceback)


async def test_reset_raises_exceptions_in_the_fake_once_and_when_all_is_done() -> None:
    async with AsyncFakeDovecot() as fake:
        break_who(fake)
        await ask(fake, b"\t\twho")
        with pytest.raises(AttributeError):
            await fake.reset()
        assert (await ask(fake, b"\t\twho")).endswith(b"+\n")
        await fake.reset()


async def test_an_exception_in_the_fake_stands_before_the_failure_it_caused() -> None:
    async def body() -> None:
        async with AsyncFakeDovecot() as fake:
            break_who(fake)
            assert await ask(fake, b"\t\twho") != b"", "no answer"

    with pytest.raises(AttributeError) as caught:
        await body()
    assert isinstance(caught.value.__context__, AssertionError)


async def test_the_exception_of_a_test_comes_out_as_it_is() -> None:
    error = LookupError("mine")

    async def body() -> None:
        async with AsyncFakeDovecot() as fake:
            fake.on("who")
            raise error

    with pytest.raises(LookupError) as caught:
        await body()
    assert caught.value is error


async def test_cancelling_goes_through() -> None:
    with trio.CancelScope() as scope:
        async with AsyncFakeDovecot() as fake:
            await ask(fake, QUOTA)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_an_unarmed_stub_is_raised_with_its_line() -> None:
    fake = AsyncFakeDovecot()
    await fake.__aenter__()
    fake.on("quota get")
    line = sys._getframe().f_lineno - 1
    with pytest.raises(StubError, match=rf"test_fake\.py:{line}: on\('quota get'\) was never"):
        await fake.__aexit__(None, None, None)


async def test_several_problems_come_together() -> None:
    async with AsyncFakeDovecot() as fake:
        break_who(fake)
        await ask(fake, b"\t\twho")
        fake.on("quota get")
        with pytest.raises(ExceptionGroup) as caught:
            fake.check()
        assert [type(one) for one in caught.value.exceptions] == [AttributeError, StubError]
        fake.check()
