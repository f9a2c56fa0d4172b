"""The journal of a running fake: who was connected how, and what became of each command."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from fakedove import Client, ClientError, Connection, FakeDovecot, Status
from fakedove.double.connections import Authentication
from fakedove.errors import ExpectationError, StubError

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
PASSWORD = Authentication.PASSWORD
#: Over UNIX with a password, too.
LISTENERS = [
    {"name": "unix", "path": "doveadm-server"},
    {"name": "open", "path": "open", "mode": "0666"},
    {"name": "tcp", "address": "127.0.0.1:0"},
    {"name": "tls", "address": "127.0.0.1:0", "ssl": "yes"},
]


def place(fake: FakeDovecot, listener: str) -> str:
    if listener in ("unix", "open"):
        return fake.path(listener)
    host, port = fake.address(listener)
    return f"tcp:{host}:{port}"


def who(fake: FakeDovecot, listener: str, *, tls: str = "no", minor: int = 2) -> Connection:
    """Send a command by a listener; return what the journal knows of the connection."""
    with Client.connect(
        place(fake, listener),
        password="secret",
        tls=tls,  # type: ignore[arg-type] # one of the three
        ca=fake.ca_path,
        minor=minor,
    ) as client:
        assert client.command("who").ok
    return fake.journal[-1].connection


def test_how_a_client_came_to_be_trusted() -> None:
    with FakeDovecot(dovecot="2.4.1", listener=LISTENERS) as fake:
        fake.clock.set(NOON)
        unix = who(fake, "unix", minor=0)
        assert unix == Connection(
            number=1,
            listener="unix",
            address=None,
            dovecot="2.4.1",
            accepted=unix.accepted,
            tls=False,
            client_minor=0,
            authentication=Authentication.PREAUTHENTICATED,
        )
        assert unix.began == NOON
        over_unix = who(fake, "open")
        in_clear = who(fake, "tcp")
        by_starttls = who(fake, "tcp", tls="starttls")
        by_tls = who(fake, "tls", tls="yes")
        assert [
            (one.address, one.tls, one.client_minor, one.authentication)
            for one in (over_unix, in_clear, by_starttls, by_tls)
        ] == [
            (None, False, 2, PASSWORD),
            ("127.0.0.1", False, 2, PASSWORD),
            ("127.0.0.1", True, 2, PASSWORD),
            ("127.0.0.1", True, 2, PASSWORD),
        ]
        assert fake.journal.passwords_sent_in_clear == [in_clear]
        assert in_clear.describe() == (
            "connection 3: tcp from 127.0.0.1, Dovecot 2.4.1, protocol 1.2 of the client, "
            "password in clear"
        )
        assert by_tls.describe().endswith(", TLS, password")


def test_a_wrong_password_was_sent_all_the_same() -> None:
    with FakeDovecot() as fake:
        with pytest.raises(ClientError), Client.connect(place(fake, "tcp"), password="wrong"):
            pass
        (refused,) = fake.journal.passwords_sent_in_clear
        assert refused.authentication is Authentication.REFUSED
        assert fake.journal.describe().split("\n")[1:] == ["   (no command)"]


def test_connections_without_a_command() -> None:
    with FakeDovecot() as fake:
        with socket.create_connection(fake.address()) as silent:
            silent.sendall(b"VERSION\tdoveadm-server\t1\t1\nLOGIN\tsecret\n")
            while silent.recv(4096):
                pass
        (one,) = fake.journal.connections
        assert (one.client_minor, one.authentication) == (1, None)
        assert not len(fake.journal)
        assert not fake.journal.passwords_sent_in_clear
        fake.reset()
        assert fake.journal.connections == []


def test_a_connection_that_a_reset_keeps_is_known_by_its_next_command() -> None:
    with FakeDovecot() as fake, Client.connect(fake.path()) as client:
        assert client.command("who").ok
        (before,) = fake.journal.connections
        fake.reset(keep_connections=True)
        assert fake.journal.connections == []
        assert client.command("who").ok
        assert fake.journal.connections == [before]


def test_times_go_by_the_clock_of_the_fake() -> None:
    with FakeDovecot() as fake:
        fake.clock.set(NOON)

        def late(_: object) -> None:
            fake.clock.advance(2.5)

        fake.on("quota get").handle(late)
        with Client.connect(fake.path()) as client:
            assert client.command("quota get", user="ann").ok
        one = fake.journal[-1]
        assert (one.began, one.seconds) == (NOON, 2.5)
        assert one.ended == fake.clock.now()


def test_the_line_and_the_mail_as_they_were_sent() -> None:
    mail = b"Subject: hi\r\n\r\n.\r\nhello\r\n"
    large = b"x" * (1024 * 1024 + 5) + b"\r\n"
    with FakeDovecot() as fake:
        with Client.connect(fake.path()) as client:
            assert client.command("save", user="ann", args=["-m", "INBOX"], body=mail).ok
            assert client.command("save", user="ann", body=large).ok
            assert client.command("who").ok
        short, long, without = fake.journal
        assert short.line == b"\tann\tsave\t-m\tINBOX"
        assert (short.body, short.body_size) == (mail, len(mail))
        assert (long.body, long.body_size) == (large[: 1024 * 1024], len(large))
        assert (without.body, without.body_size) == (b"", 0)


def test_which_stub_answered() -> None:
    with FakeDovecot() as fake:
        stub = fake.on("quota get", user="ann").fail("TEMPFAIL").then.handle(lambda _: None)
        with Client.connect(fake.path()) as client:
            for user in ("ann", "bob@example.com", "ann"):
                client.command("quota get", user=user)
        assert [one.stub for one in fake.journal] == [stub.where, None, stub.where]
        assert stub.where.startswith(__file__)
        assert [one.status for one in fake.journal] == [Status.TEMPFAIL, Status.OK, Status.OK]


def test_log_lines_are_those_of_the_command() -> None:
    with FakeDovecot(dovecot="2.4.1") as fake:
        with Client.connect(fake.path(), minor=3) as client:
            for user in ("nobody", "ann", "none"):
                client.command("quota get", user=user)
        lost, found, also = fake.journal
        assert [str(line) for one in (lost, also) for line in one.log] == list(map(str, fake.log))
        assert found.log == ()
        (line,) = lost.log
        assert line.channel == b"doveadm(nobody): cmd quota get: User doesn't exist"
        assert str(line) == "doveadm(nobody): Error: cmd quota get: User doesn't exist"
        assert lost.describe().split("\n")[1:] == [
            "L: Error: doveadm(nobody): cmd quota get: User doesn't exist",
            r"S: \n",
            r"S: -NOUSER\n",
        ]
        read = json.loads(fake.journal.as_json_lines().splitlines()[0])
        assert (read["log"], read["log_channel"]) == ([str(line)], [line.channel.decode()])


def test_what_was_and_was_not_called() -> None:
    with FakeDovecot() as fake:
        with Client.connect(fake.path()) as client:
            client.command("mailbox list", user="ann", args=["INBOX"])
        fake.assert_called("mailbox *", user="a*", args=["INB*"], listener="unix", times=1)
        fake.assert_not_called("quota get")
        fake.assert_not_called("mailbox list", user="bob")
        fake.assert_not_called("mailbox list", args=[])
        fake.assert_not_called("mailbox list", listener="tcp")
        with pytest.raises(AssertionError) as caught:
            fake.assert_not_called("mailbox *", user="a*", args=["INBOX", ...], listener="unix")
        assert str(caught.value) == (
            "expected never: 'mailbox *', user='a*', args=['INBOX', ...], listener='unix'\n"
            "it came once\n"
            "  'mailbox list INBOX' of user 'ann' (connection 1)"
        )
        with pytest.raises(ExpectationError) as caught:
            fake.assert_called("mailbox list", args=[], status="OK", connection=2)
        assert str(caught.value) == (
            "expected at least once: 'mailbox list', args=[], status='OK', connection=2\n"
            "it never came\n"
            "closest of 1 command:\n"
            "               expected         sent (connection 1)\n"
            "    command    'mailbox list'   'mailbox list'\n"
            "    user       any              'ann'\n"
            "  > args       []               ['INBOX']\n"
            "    status     'OK'             'OK'\n"
            "  > connection 2                1"
        )


@pytest.mark.parametrize(
    "ask",
    [
        lambda fake, *words, **looking: fake.journal.commands(*words, **looking),
        lambda fake, *words, **looking: fake.assert_called(*words, **looking),
        lambda fake, *words, **looking: fake.assert_not_called(*words, **looking),
        lambda fake, *words, **looking: fake.wait_for(*words, timeout=0, **looking),
    ],
    ids=["commands", "assert_called", "assert_not_called", "wait_for"],
)
def test_what_matches_nothing_is_a_mistake_everywhere(ask: Callable[..., object]) -> None:
    with FakeDovecot() as fake:
        with pytest.raises(StubError, match=r'no release has a command "quota gte".*"quota get"'):
            ask(fake, "quota gte")
        with pytest.raises(StubError, match=r"no listener 'unxi'; did you mean \"unix\"\?"):
            ask(fake, "quota get", listener="unxi")
        with pytest.raises(StubError, match=r"^args must be a sequence of texts, not 'INBOX'"):
            ask(fake, "quota get", args="INBOX")
        with pytest.raises(StubError, match=r"^user must be a text or a pattern"):
            ask(fake, "quota get", user=b"ann")
        with pytest.raises(TypeError, match=r'not selected by "usr"; did you mean "user"'):
            ask(fake, "quota get", usr="ann")


def test_a_stub_for_a_listener_that_there_is_not() -> None:
    with FakeDovecot() as fake:
        for select in (fake.on, fake.expect):
            with pytest.raises(StubError, match=r"no listener 'tpc'; did you mean \"tcp\"\?"):
                select("quota get", listener="tpc")
        fake.on("quota get", listener="t*").reply()
        with pytest.raises(TypeError, match='not selected by "status"'):
            fake.on("quota get", status="OK")  # type: ignore[call-arg]  # that is the point


def test_what_was_sent_and_is_no_command_can_be_asked_for() -> None:
    with FakeDovecot() as fake:
        with Client.connect(fake.path()) as client:
            client.command("nonsense")
        fake.assert_called("nonsense", times=1)


def test_waiting_for_several_and_for_the_end_of_an_answer() -> None:
    with FakeDovecot() as fake, ThreadPoolExecutor(1) as pool:
        second = pool.submit(fake.wait_for, "quota get", args=[], times=2)
        with Client.connect(fake.path()) as client:
            client.command("quota get", user="ann")
            fake.on("quota get").passthrough(delay=0.05)
            end = pool.submit(fake.wait_for, "quota get", user="bob*", status="OK")
            client.command("quota get", user="bob@example.com")
        assert second.result(10).user == "bob@example.com"
        assert end.result(10).status is Status.OK
        with pytest.raises(TimeoutError, match=r"^expected 3 times within 0 seconds: 'quota get'"):
            fake.wait_for("quota get", times=3, timeout=0)
