"""`fakedove run -- COMMAND`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import PATIENCE, PROGRAM, environment, fakedove


def test_the_command_finds_the_fake_in_its_environment(short_path: Path) -> None:
    program = """if True:
        import json, os
        from fakedove.client import Client
        e = os.environ
        for address, tls in (
            (f"unix:{e['FAKEDOVE_UNIX']}", "no"),
            (f"{e['FAKEDOVE_HOST']}:{e['FAKEDOVE_PORT']}", "starttls"),
            (f"{e['FAKEDOVE_HOST']}:{e['FAKEDOVE_TLS_PORT']}", "yes"),
        ):
            password, ca = e["FAKEDOVE_PASSWORD"], e["FAKEDOVE_CA"]
            with Client.connect(address, password=password, tls=tls, ca=ca) as client:
                print(client.command("quota get", user="ann").status.decode())
        print(os.path.isdir(e["FAKEDOVE_BASE_DIR"]), e["FAKEDOVE_DOVECOT"])
    """
    options = ("--dovecot", "2.3.19.1", "--password", "other")
    env = {"TMPDIR": str(short_path)}
    done = fakedove("run", *options, "--", sys.executable, "-c", program, env=env)
    assert (done.stderr, done.stdout) == ("", "+\n+\n+\nTrue 2.3.19.1\n")
    assert done.returncode == 0
    assert list(short_path.iterdir()) == []


def test_a_script_service_beside_the_command() -> None:
    shell = '[ -S "$FAKEDOVE_UNIX" ] && exec "$0" -m fakedove execute "unix:$FAKEDOVE_SCRIPT" -- x'
    done = fakedove("run", "--script", "echo=/bin/echo", "--", "sh", "-c", shell, sys.executable)
    assert (done.stdout, done.returncode) == ("x\n", 0)


def test_send_below_run_needs_no_address() -> None:
    done = fakedove("run", "--", *PROGRAM, "send", "mailbox", "list", "-u", "ann", "INBOX")
    assert (done.stdout, done.stderr, done.returncode) == ("mailbox\nINBOX\n", "", 0)


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 7", 7), ("kill -9 $$", 128 + 9), ("cat; exit 3", 3)],
)
def test_its_status_is_the_commands(command: str, status: int) -> None:
    assert fakedove("run", "--", "sh", "-c", command).returncode == status


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        ("no-such-command", 127, "No such file or directory"),
        ("/dev/null", 126, "Permission denied"),
    ],
)
def test_a_command_that_cannot_run(command: str, status: int, text: str) -> None:
    done = fakedove("run", "--", command)
    assert (done.stderr, done.returncode) == (f"fakedove run: {command}: {text}\n", status)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_go_to_the_command(short_path: Path, number: int) -> None:
    program = """if True:
        import os, signal
        def heard(number, frame):
            raise SystemExit(number)
        signal.signal(signal.SIGTERM, heard)
        signal.signal(signal.SIGINT, heard)
        print("listening", flush=True)
        while True:
            signal.pause()
    """
    with subprocess.Popen(
        [*PROGRAM, "run", "--", sys.executable, "-c", program],
        env=environment({"TMPDIR": str(short_path)}),
        stdout=subprocess.PIPE,
        # Without a terminal, whose Ctrl-C would reach the command by itself.
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"listening\n"
        running.send_signal(number)
        assert running.wait(PATIENCE) == number
    assert list(short_path.iterdir()) == []


def test_what_the_command_asked_is_kept(short_path: Path) -> None:
    journal = short_path / "journal.jsonl"
    command = (*PROGRAM, "send", "quota", "get", "-u", "ann")
    assert fakedove("run", "--journal", journal, "--", *command).returncode == 0
    (line,) = journal.read_text().splitlines()
    assert json.loads(line)["command"] == "quota get"


def test_options_of_the_command_are_its_own() -> None:
    done = fakedove("run", "echo", "--wire", "--", "-x")
    assert done.stdout == f"--wire -- -x{os.linesep}"


def test_a_wrong_configuration_is_one_line_and_78(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text("nonsense = 1")
    done = fakedove("run", "--config", config, "--", "true")
    assert done.stderr.startswith("fakedove: nonsense: is not known")
    assert (done.stderr.count("\n"), done.returncode) == (1, 78)


_EXPECT = '[[expect]]\ncommand = "quota get"\nuser = "ann"\ntimes = 1\n'


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("send", "quota", "get", "-u", "ann"), 0, []),
        (("send", "mailbox", "list", "-u", "ann"), 1, ["it never came", "  > command"]),
        (("send", "quota", "get", "-u", "nobody"), 67, ["it never came", "  > user"]),
    ],
)
def test_verify(short_path: Path, words: tuple[str, ...], status: int, told: list[str]) -> None:
    config = short_path / "fakedove.toml"
    config.write_text(_EXPECT)
    done = fakedove("run", "--config", config, "--verify", "--", *PROGRAM, *words)
    assert done.returncode == status
    assert ("expect[0]: expected once: 'quota get', user='ann'" in done.stderr) is bool(told)
    assert all(text in done.stderr for text in told)
    # Nobody asked this time.
    silent = fakedove("run", "--config", config, "--", *PROGRAM, *words)
    assert "expected" not in silent.stderr
    assert silent.returncode == (0 if status == 1 else status)


def test_verify_under_perl(short_path: Path) -> None:
    config = short_path / "fakedove.toml"
    config.write_text('unmatched = "fail"\n' + _EXPECT)
    program = (
        "use IO::Socket::UNIX; "
        "my $s = IO::Socket::UNIX->new(Peer => $ENV{FAKEDOVE_UNIX}) or die; "
        r'print $s "VERSION\tdoveadm-server\t1\t0\n\tann\t$ARGV[0]\n"; '
        "my $n = 0; while (<$s>) { last if /^[-+]/ && $n++ }"
    )
    if shutil.which("perl") is None:
        pytest.skip("no perl here: install it, and a client in another language is tested")
    statuses = [
        fakedove("run", "--config", config, "--verify", "--", "perl", "-e", program, command)
        for command in ("quota get", "who")
    ]
    assert [done.returncode for done in statuses] == [0, 1]
    assert "nothing matches 'who' of user 'ann'" in statuses[1].stderr
