"""`fakedove send` against a running fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakedove.cli.send import exit_status
from tests.cli.conftest import ENDINGS
from tests.cli.program import Served, fakedove, fakedove_on_a_terminal
from tests.scripted_server import scripted_server

QUOTA = ("quota", "get", "-u", "ann")


def test_values_are_a_table_below_the_columns_names(served: Served) -> None:
    done = fakedove("send", served.place("unix"), *QUOTA)
    heading, storage, messages = done.stdout.splitlines()
    assert heading == "root\ttype\tvalue\tlimit\tpercent"
    assert storage.startswith("User quota\tSTORAGE\t")
    assert messages.startswith("User quota\tMESSAGE\t")
    assert (done.stderr, done.returncode) == ("", 0)


def test_an_unknown_user_is_67_with_the_servers_log(served: Served) -> None:
    address = served.place("unix")
    done = fakedove("send", address, "quota", "get", "-u", "nosuch")
    where = address.removeprefix("unix:")
    assert done.stderr.splitlines() == [
        f"Error: remote({where}): doveadm(nosuch): cmd quota get: User doesn't exist",
        f"fakedove send: {where}: the server answered -NOUSER",
    ]
    assert (done.stdout, done.returncode) == ("", 67)


def test_values_are_escaped_and_json_is_not(served: Served) -> None:
    done = fakedove("send", served.place("unix"), "who")
    assert done.stdout == "username\tconnections\tservice\tpids\tips\na\tb\x01tc\n"
    done = fakedove("send", served.place("unix"), "user", "ann")
    assert done.stdout.startswith('{"ann":{"uid":')


def test_values_can_be_read_on_a_terminal(served: Served) -> None:
    shown = fakedove_on_a_terminal("send", served.place("unix"), "who")
    assert shown.splitlines()[1:] == ["a\tb\\tc"]


@pytest.mark.parametrize(("name", "status"), ENDINGS.items())
def test_exit_statuses_are_doveadms(served: Served, name: str, status: int) -> None:
    done = fakedove("send", served.place("unix"), "quota", "get", "-u", name.lower())
    assert done.stderr.endswith(f": the server answered -{name}\n")
    assert done.returncode == status


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"+", 0),
        (b"+ more text", 0),
        (b"-NOUSER", 67),
        (b"-NOTFOUND", 68),
        (b"-DATAERR", 65),
        (b"-USAGE", 64),
        (b"-TEMPFAIL", 75),
        (b"-NOPERM", 77),
        (b"-", 75),
        (b"-65", 65),
        (b"-1000", 75),
        (b"-DASH", 75),
        (b"-OK", 75),
        (b"-REFERRAL ann@127.0.0.9", 75),
        (b"-NOSUCHCODE", 75),
    ],
)
def test_exit_status_of_a_status_line(line: bytes, status: int) -> None:
    assert exit_status(line) == status


def test_save_takes_the_mail_from_stdin(served: Served) -> None:
    address = served.place("unix")
    mail = b"Subject: from stdin\n\n.dot\n"
    saved = fakedove("send", address, "save", "-u", "ann", "-m", "Trash", stdin=mail)
    assert (saved.stdout, saved.stderr, saved.returncode) == ("", "", 0)
    done = fakedove("send", address, "fetch", "-u", "ann", "text", "mailbox", "Trash", "all")
    assert done.stdout.startswith("text\n")
    assert done.stdout.endswith("\nSubject: from stdin\x01n\x01n.dot\x01n\n")


@pytest.mark.parametrize(("listener", "tls"), [("tcp", "no"), ("tcp", "starttls"), ("tls", "yes")])
def test_over_tcp_and_tls(served: Served, listener: str, tls: str) -> None:
    options = ("--password", "secret", "--tls", tls, "--ca", str(served.ready["ca"]))
    done = fakedove("send", served.place(listener), *QUOTA, *options)
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "the server wants a password"),
        (("--password", "wrong"), "the server refused the password"),
        (
            ("--password", "secret", "--tls", "starttls"),
            "the server's certificate is not good: unable to get local issuer certificate",
        ),
    ],
)
def test_what_the_server_will_not_have_is_one_line_and_75(
    served: Served, options: tuple[str, ...], text: str
) -> None:
    address = served.place("tcp")
    done = fakedove("send", *options, address, *QUOTA)
    assert (done.stderr, done.returncode) == (f"fakedove send: {address}: {text}\n", 75)


def test_nobody_there_is_one_line_and_75(short_path: Path) -> None:
    done = fakedove("send", short_path / "none", *QUOTA)
    text = f"fakedove send: {short_path}/none: cannot connect: No such file or directory\n"
    assert (done.stderr, done.returncode) == (text, 75)


@pytest.mark.parametrize("address", ["tcp:localhost", "unix:"])
def test_no_address(address: str) -> None:
    done = fakedove("send", address, *QUOTA)
    assert done.stderr.startswith(f'fakedove: "{address}" is no address: ')
    assert (done.stderr.count("\n"), done.returncode) == (1, 1)


def test_it_speaks_like_the_program_of_2_4() -> None:
    script = [
        ("C", b"VERSION\tdoveadm-server\t1\t3\n"),
        ("S", b"VERSION\tdoveadm-client\t1\t3\n+\n"),
        ("C", b"\t\tOPTION\tlog-passthrough\nDx\tproxy-ttl=5\tann\tquota get\t-u\tann\t--\n"),
        ("S", b"\0\0\0\0\x03\n+\n"),
    ]
    with scripted_server(script) as address:
        assert fakedove("send", str(address), *QUOTA, "-D").returncode == 0


def test_it_speaks_like_the_program_of_2_3() -> None:
    script = [
        ("C", b"VERSION\tdoveadm-server\t1\t2\n"),
        ("S", b"VERSION\tdoveadm-client\t1\t2\n+\n"),
        ("C", b"v\tann\tquota get\t-u\tann\t--\n"),
        ("S", b"L\0\0\0\x05\x02inf\n\0\0\0\0\x05a\tb\t\n\0\0\0\0\x02-\n"),
    ]
    with scripted_server(script) as address:
        done = fakedove("send", "--protocol", "1.2", "-v", str(address), *QUOTA)
    assert done.stdout == "root\ttype\tvalue\tlimit\tpercent\na\tb\n"
    assert done.stderr.splitlines() == [
        f"Info: remote({address}): inf",
        f"fakedove send: {address}: the server answered -",
    ]
    assert done.returncode == 75


def test_wire_shows_the_conversation(served: Served) -> None:
    options = ("--wire", "--protocol", "1.0", "--password", "secret")
    done = fakedove("send", *options, served.place("tcp"), "mailbox", "list", "-u", "ann", "INBOX")
    assert done.stderr.splitlines() == [
        r"C: VERSION\tdoveadm-server\t1\t0\n",
        r"S: -\n",
        r"C: PLAIN\t(a password)\n",
        r"S: +\n",
        r"C: \tann\tmailbox list\t-u\tann\t--\tINBOX\n",
        r"S: INBOX\t\n",
        r"S: +\n",
    ]
