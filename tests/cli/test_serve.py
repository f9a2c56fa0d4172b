"""`fakedove serve`: what it says, what it serves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from fakedove.cli.serve import DOCUMENTED_PORT
from fakedove.client import Client
from tests.cli.conftest import CONFIG
from tests.cli.program import PATIENCE, PROGRAM, Served, environment, fakedove, serving

STORE = '[[user]]\nname = "{name}"\n'


def quota(served: Served, user: str) -> bytes:
    with Client.connect(served.place("unix")) as client:
        return client.command("quota get", user=user).status


def test_it_is_ready_when_it_says_so(served: Served) -> None:
    ready = served.ready
    assert ready["pid"] == served.process.pid
    assert ready["doveadm_password"] == "secret"
    assert ready["dovecot"] == "2.4.4"
    assert Path(str(ready["ca"])).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    assert list(dict(ready["listeners"])) == ["unix", "tcp", "tls"]  # type: ignore[call-overload]  # JSON
    for listener, tls in (("unix", "no"), ("tcp", "starttls"), ("tls", "yes")):
        with Client.connect(
            served.place(listener),
            password="secret",
            tls=tls,  # type: ignore[arg-type]  # one of the three, as just said
            ca=str(ready["ca"]),
        ) as client:
            assert client.command("quota get", user="ann").ok


def test_the_printed_lines_work_when_copied(short_path: Path) -> None:
    with serving("--ephemeral", env={"TMPDIR": str(short_path)}) as served:
        served.wait_for_line("ready")
        path = served.place("unix").removeprefix("unix:")
        tries = served.said[served.said.index("try:") + 1 : -1]
        printf, doveadm, send, execute = (line.strip() for line in tries)
        said = subprocess.run(
            ["sh", "-c", printf.partition(" | ")[0]], capture_output=True, check=True
        ).stdout
        assert printf.endswith(f" | nc -U {path}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            heard = b"".join(iter(lambda: client.recv(65536), b""))
        assert heard.startswith(b"+\nUser quota\tSTORAGE\t")
        assert heard.endswith(b"\t\n+\n")
        assert doveadm == f"doveadm mailbox list -u ann -S {path}"
        for line in (send, execute):
            program, *args = line.split()
            assert program == "fakedove"
            assert fakedove(*args).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_nothing_is_left(short_path: Path, number: int) -> None:
    ready_file = short_path / "ready.json"
    temporary = short_path / "tmp"
    temporary.mkdir()
    with serving(
        "--ephemeral", "--ready-file", ready_file, env={"TMPDIR": str(temporary)}
    ) as served:
        assert json.loads(ready_file.read_text()) == served.ready
        base_dir = Path(str(served.ready["base_dir"]))
        assert stat.S_IMODE(base_dir.stat().st_mode) == 0o700
        with Client.connect(served.place("unix")):
            served.end(number)
    assert served.status == 0
    assert served.said[-1] == "ready"
    assert list(temporary.iterdir()) == []
    assert not ready_file.exists()


def test_a_signal_before_it_is_ready_ends_it_too(short_path: Path) -> None:
    # A FIFO as store holds the program until the signal is there.
    store = short_path / "store.toml"
    os.mkfifo(store)
    program = subprocess.Popen(
        [*PROGRAM, "serve", "--ephemeral", "--store", store],
        env=environment({"TMPDIR": str(short_path)}),
        stderr=subprocess.PIPE,
    )
    with program, store.open("w") as stream:
        program.send_signal(signal.SIGTERM)
        stream.write(STORE.format(name="ann"))
        stream.close()
        assert program.wait(PATIENCE) == 0
    assert list(short_path.iterdir()) == [store]


def test_the_documented_port_or_a_free_one() -> None:
    try:
        taken = socket.create_server(("127.0.0.1", DOCUMENTED_PORT))
    except OSError:
        # Somebody else has it, which is as good.
        taken = socket.socket()
    with taken, serving() as served:
        served.wait_for_line("ready")
        assert served.said[0] == f"port {DOCUMENTED_PORT} is in use; taking a free one"
        with Client.connect(served.place("tcp"), password="secret") as client:
            assert client.command("quota get", user="ann").ok


def test_options_stand_above_the_configuration(short_path: Path) -> None:
    config, store = short_path / "fakedove.toml", short_path / "store.toml"
    config.write_text('dovecot = "2.4.1"\n' + CONFIG)
    store.write_text(STORE.format(name="dora"))
    options = ("--dovecot", "2.3.19.1", "--store", store, "--password", "other")
    with serving(config, *options) as served:
        assert served.ready["dovecot"] == "2.3.19.1"
        with Client.connect(served.place("tcp"), password="other") as client:
            assert client.server_minor == 2
            assert client.command("quota get", user="dora").ok


def test_a_script_service_over_unix_and_tcp(short_path: Path) -> None:
    with serving("--ephemeral", env={"TMPDIR": str(short_path)}) as served:
        done = fakedove("execute", served.place("hello"), "--", "one", "two")
        assert (done.returncode, done.stdout) == (0, "hello one two\n")
        host, _, port = served.place("script").rpartition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"VERSION\tscript\t4\t0\n-\n\n")
            heard = b"".join(iter(lambda: client.recv(65536), b""))
        assert heard == b"hello world\n+\n"


def test_script_services_by_option(short_path: Path) -> None:
    arguments = ("--script", "echo=/bin/echo one", "--script", "no=/bin/false")
    with serving("--ephemeral", *arguments, env={"TMPDIR": str(short_path)}) as served:
        done = fakedove("execute", served.place("echo"), "--", "two")
        assert (done.returncode, done.stdout) == (0, "one two\n")
        assert fakedove("execute", served.place("no")).returncode == 1
        listeners = dict(served.ready["listeners"])  # type: ignore[call-overload]  # JSON
        assert list(listeners) == ["unix", "tcp", "tls", "echo", "no", "script"]


def test_a_configured_script_service_has_its_sockets(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text('[script.greet]\nexecutable = ["/bin/echo", "hi"]\n')
    with serving("--ephemeral", str(config), env={"TMPDIR": str(short_path)}) as served:
        assert fakedove("execute", served.place("greet")).stdout == "hi\n"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("hello", '"hello" must be NAME=COMMAND, such as hello=./hello.sh'),
        ("hello= ", '"hello= " must be NAME=COMMAND'),
        ("a/b=x", '"a/b=x": NAME is a file\'s name'),
        ("hello=/nosuch one", '"hello=/nosuch one": /nosuch: No such file or directory'),
        ("hello=/tmp", '"hello=/tmp": /tmp: Is a directory'),
        ("hello=/etc/passwd", '"hello=/etc/passwd": /etc/passwd: is not executable'),
    ],
)
def test_a_wrong_script_option_is_one_line(value: str, problem: str) -> None:
    done = fakedove("serve", "--script", value)
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_script_options_and_configured_services_do_not_go_together(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text("[script.greet]\n")
    done = fakedove("serve", str(config), "--script", "hello=/bin/true")
    assert done.returncode == 2
    assert "write [script.NAME] into the configuration" in done.stderr


def test_hangup_reads_configuration_and_store_again(short_path: Path) -> None:
    config, store = short_path / "fakedove.toml", short_path / "store.toml"
    config.write_text('store = "store.toml"\n' + CONFIG)
    store.write_text(STORE.format(name="dora"))
    with serving(config) as served:
        served.wait_for_line("ready")
        assert (quota(served, "dora"), quota(served, "emil")) == (b"+", b"-NOUSER")
        store.write_text(STORE.format(name="emil"))
        config.write_text('store = "store.toml"\ndovecot = "2.3.19.1"\n' + CONFIG)
        served.process.send_signal(signal.SIGHUP)
        served.wait_for_line("reloaded")
        assert (quota(served, "dora"), quota(served, "emil")) == (b"-NOUSER", b"+")
        with Client.connect(served.place("unix")) as client:
            assert client.server_minor == 2


def test_hangup_tells_what_was_expected_and_never_came(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text('[[expect]]\ncommand = "who"\n')
    with serving("--ephemeral", config, env={"TMPDIR": str(short_path)}) as served:
        served.process.send_signal(signal.SIGHUP)
        served.wait_for_line("reloaded")
        told = [line for line in served.said if "expect[0]" in line]
        assert told == ["fakedove serve: expect[0]: expected at least once: 'who'"]
    assert served.status == 0


@pytest.mark.parametrize(
    ("file", "content"), [("fakedove.toml", "nonsense = 1"), ("store.toml", "nonsense = 1")]
)
def test_wrong_files_at_hangup_change_nothing(short_path: Path, file: str, content: str) -> None:
    config, store = short_path / "fakedove.toml", short_path / "store.toml"
    config.write_text('store = "store.toml"\n' + CONFIG)
    store.write_text(STORE.format(name="dora"))
    with serving(config) as served:
        served.wait_for_line("ready")
        (short_path / file).write_text(content)
        served.process.send_signal(signal.SIGHUP)
        served.wait_for_line("nonsense: ")
        assert served.said[-1].startswith("fakedove serve: not reloaded: ")
        assert quota(served, "dora") == b"+"


def test_wire_shows_conversations_and_journal_keeps_them(short_path: Path) -> None:
    journal = short_path / "journal.jsonl"
    with serving("--ephemeral", "--wire", "--journal", journal) as served:
        served.wait_for_line("ready")
        with Client.connect(served.place("tcp"), password="secret", minor=0) as client:
            client.command("mailbox list", user="ann", args=["INBOX"])
            client.command("quota get", user="nosuch")
        served.wait_for_line("(over)")
    assert served.said[served.said.index("ready") + 1 :] == [
        "[tcp 1] C: (connects from 127.0.0.1)",
        r"[tcp 1] C: VERSION\tdoveadm-server\t1\t0\n",
        r"[tcp 1] S: -\n",
        r"[tcp 1] C: PLAIN\t(a password)\n",
        r"[tcp 1] S: +\n",
        r"[tcp 1] C: \tann\tmailbox list\tINBOX\n",
        r"[tcp 1] S: INBOX\t\n",
        r"[tcp 1] S: +\n",
        r"[tcp 1] C: \tnosuch\tquota get\n",
        "doveadm(127.0.0.1,nosuch): Error: cmd quota get: User doesn't exist",
        r"[tcp 1] S: \n",
        r"[tcp 1] S: -NOUSER\n",
        "[tcp 1] C: (no more)",
        "[tcp 1] S: (closes)",
        "[tcp 1]    (over)",
    ]
    kept = [json.loads(line) for line in journal.read_text().splitlines()]
    about = {
        "connection": 1,
        "listener": "tcp",
        "address": "127.0.0.1",
        "tls": False,
        "authentication": "password",
        "client_minor": 0,
        "dovecot": "2.4.4",
        "body": "",
        "body_size": 0,
        "log_channel": [],
        "cut_short": False,
        "stub": None,
    }
    for one in kept:
        assert one.pop("began") <= one.pop("ended")
        assert one.pop("seconds") >= 0
    assert kept == [
        about
        | {
            "command": "mailbox list",
            "user": "ann",
            "args": ["INBOX"],
            "line": "\tann\tmailbox list\tINBOX",
            "reply": "INBOX\t\n+\n",
            "status": "OK",
            "log": [],
        },
        about
        | {
            "command": "quota get",
            "user": "nosuch",
            "args": [],
            "line": "\tnosuch\tquota get",
            "reply": "\n-NOUSER\n",
            "status": "NOUSER",
            "log": ["doveadm(127.0.0.1,nosuch): Error: cmd quota get: User doesn't exist"],
        },
    ]


def test_the_journal_has_answers_without_status_too(short_path: Path) -> None:
    config, journal = short_path / "fakedove.toml", short_path / "journal.jsonl"
    config.write_text(CONFIG + '[[stub]]\ncommand = "who"\nraw = "cut"\n')
    with serving(config, "--wire", "--journal", journal) as served:
        served.wait_for_line("ready")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(served.place("unix").removeprefix("unix:"))
            client.sendall(b"VERSION\tdoveadm-server\t1\t0\n\t\twho\n\t\twho\n")
            client.shutdown(socket.SHUT_WR)
            assert b"".join(iter(lambda: client.recv(65536), b"")) == b"+\ncutcut"
        served.wait_for_line("(over)")
    kept = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(one["reply"], one["status"]) for one in kept] == [("cut", None), ("cut", None)]


def test_an_open_address_is_warned_of(short_path: Path) -> None:
    with serving("--ephemeral", "--host", "0.0.0.0") as served:
        served.wait_for_line("ready")
    warnings = [line.strip() for line in served.said if "warning" in line]
    assert warnings == [
        "warning: other machines can reach tcp",
        "warning: other machines can reach tls",
        "warning: other machines can reach script",
    ]


def test_host_and_configured_listeners_do_not_go_together(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text(CONFIG)
    done = fakedove("serve", config, "--host", "127.0.0.1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_an_address_in_use_is_one_line_and_69(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(f'[[listener]]\nname = "tcp"\naddress = "{address}"\n')
        done = fakedove("serve", config)
    text = f"fakedove: {address}: the port is in use; use another one, or 0 for a free one\n"
    assert (done.stderr, done.returncode) == (text, 69)


def test_a_journal_that_cannot_be_is_one_line(short_path: Path) -> None:
    done = fakedove("serve", "--ephemeral", "--journal", short_path / "none" / "journal")
    text = f"fakedove: {short_path}/none/journal: cannot be written: No such file or directory\n"
    assert (done.stderr, done.returncode) == (text, 1)
