"""The script service with real programs, through the public door."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

import fakedove
from fakedove.errors import ConfigurationError

_PROGRAMS = Path(__file__).resolve().parents[1] / "fixtures" / "scripts"
_SHOWN: dict[str, object] = {
    "executable": [str(_PROGRAMS / "shown.sh"), "one"],
    "accept_env": ["FOO"],
}
_VERSION = b"VERSION\tscript\t4\t0\n"
#: Seconds that a killed process may take to be dead.
_PATIENCE = 5.0


def fake_with(script: dict[str, object]) -> fakedove.FakeDovecot:
    """Return a fake with one script service, "hello", on a UNIX socket."""
    listener = {"name": "script", "service": "script", "script": "hello", "path": "hello"}
    return fakedove.FakeDovecot(script={"hello": script}, listener=[listener])


def connected(fake: fakedove.FakeDovecot, request: bytes) -> socket.socket:
    """Connect, send a request, and return the socket."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(fake.path("script"))
    client.sendall(request)
    return client


def run(fake: fakedove.FakeDovecot, request: bytes) -> bytes:
    """Send a request, half-close, and return all that comes."""
    with connected(fake, request) as client:
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def shell(tmp_path: Path, text: str) -> dict[str, object]:
    """Return the settings of a service that runs a shell script."""
    program = tmp_path / "script.sh"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return {"executable": [str(program)]}


def test_a_program_gets_the_connection() -> None:
    with fake_with(_SHOWN) as fake:
        heard = run(fake, _VERSION + b"env_FOO=1\nenv_BAR=2\n-\nhello\ntss\n\nstdin\n")
        assert heard == b"<one><hello><tss>\nFOO=1 BAR=\nstdin\n+\n"
        done = fake.wait_for_invocation("hello")
        assert (done.args, done.env, done.status) == (("hello", "tss"), {"FOO": "1"}, 0)
        assert done.result == b"+\n"
        assert done.header is not None
        assert done.header.environment == ((b"FOO", b"1"), (b"BAR", b"2"))
        assert done.raw_header.endswith(b"tss\n\n")


def test_a_failing_program_is_logged(tmp_path: Path) -> None:
    with fake_with(shell(tmp_path, "echo out; echo err >&2; exit 7")) as fake:
        assert run(fake, _VERSION + b"-\n\n") == b"out\n-\n"
        assert fake.wait_for_invocation().status == 7
        assert [str(one) for one in fake.log] == [
            "hello: Error: err",
            "hello: Error: Script terminated abnormally, exit status 7",
        ]


def test_arguments_are_seen_by_no_shell(tmp_path: Path) -> None:
    with fake_with(_SHOWN) as fake:
        heard = run(fake, _VERSION + b"-\n$(touch %b/x); `id` *\n\n" % str(tmp_path).encode())
        assert b"<$(touch" in heard
    assert list(tmp_path.iterdir()) == []


def test_a_recorded_program(tmp_path: Path) -> None:
    with fake_with(shell(tmp_path, "cat; echo done; exit 2") | {"record": True}) as fake:
        assert run(fake, _VERSION + b"-\n\nstdin\n") == b"stdin\ndone\n-\n"
        done = fake.wait_for_invocation()
        assert (done.stdin, done.stdin_eof) == (b"stdin\n", True)
        assert (done.stdout, done.status, done.result) == (b"stdin\ndone\n", 2, b"-\n")


def test_much_goes_through_a_recorded_program_both_ways(tmp_path: Path) -> None:
    stdin = bytes(range(256)) * 20_000
    with (
        fake_with(shell(tmp_path, "exec cat") | {"record": True}) as fake,
        connected(fake, _VERSION + b"-\n\n") as client,
        ThreadPoolExecutor(1) as pool,
    ):
        heard = pool.submit(lambda: b"".join(iter(lambda: client.recv(65536), b"")))
        client.sendall(stdin)
        client.shutdown(socket.SHUT_WR)
        assert heard.result(10) == stdin + b"+\n"
        done = fake.wait_for_invocation()
        kept = 1 << 20
        assert (done.stdin_size, len(done.stdin), len(done.stdout)) == (len(stdin), kept, kept)


def test_what_a_recorded_program_leaves_behind_is_heard(tmp_path: Path) -> None:
    script = "(sleep 0.1; echo late) & echo early"
    with fake_with(shell(tmp_path, script) | {"record": True}) as fake:
        assert run(fake, _VERSION + b"-\n\n") == b"early\n+\nlate\n"


def test_a_recorded_program_ends_with_the_fake(tmp_path: Path) -> None:
    with (
        fake_with(shell(tmp_path, "echo $$; exec sleep 1000") | {"record": True}) as fake,
        connected(fake, _VERSION + b"-\n\n") as client,
    ):
        pid = int(client.recv(100))
        fake.reset()
        assert _is_gone(pid)


def test_a_program_that_speaks_dot_stream(tmp_path: Path) -> None:
    service = shell(tmp_path, "cat; echo .; printf end") | {"dotstream": True}
    with fake_with(service) as fake, connected(fake, _VERSION + b"-\n\n") as client:
        client.sendall(b"one\r\n..two\r\n.\r\n")
        heard = b"".join(iter(lambda: client.recv(65536), b""))
        assert heard == b"one\r\n..two.\r\nend\r\n.\r\n+\n"
        assert fake.wait_for_invocation().stdin == b"one\r\n.two"


def test_a_stub_that_speaks_dot_stream() -> None:
    with fake_with({"dotstream": True}) as fake:
        fake.script("hello").handle(lambda invocation: invocation.stdin + b"\n.\n")
        with connected(fake, _VERSION + b"-\n\n" + b"\r\n.\r\n") as client:
            # The dot is the end of stdin, the client need not say so again.
            heard = b"".join(iter(lambda: client.recv(65536), b""))
            assert heard == b"\r\n..\r\n.\r\n+\n"


def test_a_program_with_an_alarm_meets_what_all_programs_meet() -> None:
    request = b"env_FOO=a=b\n%b\nhello\n\n"
    with fake_with(_SHOWN) as fake:
        usual = run(fake, _VERSION + request % b"noreply" + b"stdin\n")
        assert usual == b"<one><hello>\nFOO=a=b BAR=\nstdin\n"
        assert run(fake, _VERSION + b"alarm=99\n" + request % b"noreply" + b"stdin\n") == usual
    plain: dict[str, object] = {"executable": ["/usr/bin/env"]}
    with fake_with(plain | {"accept_env": ["LC_ALL"]}) as fake:
        assert run(fake, _VERSION + b"alarm=4294967295\nnoreply\n\n") == b""
        options = b"alarm=1\nenv_LC_ALL=\xff\nnoreply\n\n"
        assert run(fake, _VERSION + options) == b"LC_ALL=\xff\n"


def test_a_program_may_outlive_its_alarm(tmp_path: Path) -> None:
    text = "trap 'echo rang; exit 3' ALRM; sleep 9 & wait"
    with (
        fake_with(shell(tmp_path, text)) as fake,
        connected(fake, _VERSION + b"alarm=1\nnoreply\n\n") as client,
    ):
        assert client.recv(100) == b"rang\n"
        assert fake.wait_for_invocation().status == 3


@pytest.mark.parametrize("alarm", [b"", b"alarm=9\n"])
def test_a_program_that_is_none(tmp_path: Path, alarm: bytes) -> None:
    program = tmp_path / "program"
    program.write_text("echo run by the shell: $1\n")
    with fake_with({"executable": [str(program)]}) as fake:
        request = _VERSION + alarm + b"noreply\nx\n\n"
        assert run(fake, request) == b""
        assert fake.wait_for_invocation().status == 84
        assert f"execvp({program}) failed: Permission denied" in next(map(str, fake.log))
        program.chmod(0o755)
        assert run(fake, request) == b"run by the shell: x\n"


def test_more_clients_than_processes_wait_in_line(tmp_path: Path) -> None:
    service = shell(tmp_path, 'echo "$1"; cat >/dev/null') | {"process_limit": 2}
    with fake_with(service) as fake, ExitStack() as stack:
        clients = [
            stack.enter_context(connected(fake, _VERSION + b"-\n%d\n\n" % number))
            for number in range(4)
        ]
        heard = [clients[0].recv(100), clients[1].recv(100)]
        assert heard == [b"0\n", b"1\n"]
        assert len(fake.invocations) == 2
        for done, following in ((0, 2), (1, 3)):
            clients[done].shutdown(socket.SHUT_WR)
            assert clients[following].recv(100) == b"%d\n" % following
        assert [str(line) for line in fake.log] == [
            "master: Warning: service(hello): process_limit (2) reached, "
            "client connections are being dropped"
        ]


def test_what_a_program_leaves_behind_ends_with_the_fake(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 1000 & echo $$ $! >{pids}; echo ready; exec sleep 1000"
    with fake_with(shell(tmp_path, script)) as fake:
        with connected(fake, _VERSION + b"-\n\n") as client:
            # The second process has started when it has written.
            assert client.recv(100)
        left = [int(line) for line in pids.read_text().split()]
    assert len(left) == 2
    for pid in left:
        assert _is_gone(pid)


def test_reset_ends_programs(tmp_path: Path) -> None:
    script = "echo $$; exec sleep 1000"
    with fake_with(shell(tmp_path, script)) as fake, connected(fake, _VERSION + b"-\n\n") as client:
        pid = int(client.recv(100))
        fake.reset()
        assert _is_gone(pid)
        assert client.recv(100) == b""


def test_a_client_that_says_nothing_is_in_the_journal() -> None:
    with fake_with(_SHOWN) as fake:
        connected(fake, b"VERSION").close()
        done = fake.wait_for_invocation("hello")
        assert (done.raw_header, done.header, done.result) == (b"VERSION", None, None)
        assert [str(one) for one in fake.log] == [
            "hello: Fatal: recv(MSG_PEEK) failed: disconnected"
        ]


def test_a_reset_to_a_release_without_the_setting_changes_nothing() -> None:
    with fake_with(_SHOWN) as fake:
        run(fake, _VERSION + b"-\n\n")
        with pytest.raises(ConfigurationError, match=r"^script\.hello\.accept_env: "):
            fake.reset(dovecot="2.2.13")
        assert len(fake.invocations) == 1
        assert fake.dovecot != "2.2.13"


def test_files_are_closed_and_zombies_buried() -> None:
    with fake_with(_SHOWN) as fake:
        run(fake, _VERSION + b"-\n\n")
        before = _open_files()
        for _ in range(20):
            run(fake, _VERSION + b"-\n\n")
        fake.reset()
        assert _open_files() <= before
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [pid for pid in children if "shown.sh" in _command_line(int(pid))]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"script": {"hello": {}}, "listener": []},
            "listener: is empty",
        ),
        (
            {"script": {"hello": {"executable": []}}},
            "script.hello.executable: must begin with a program",
        ),
        (
            {"script": {"hello": {"executable": ["x"], "exec": 1}}},
            "script.hello.exec: is not known",
        ),
        (
            {"listener": [{"name": "a", "service": "script", "path": "a"}]},
            "listener[0].script: is missing",
        ),
        (
            {
                "listener": [{"name": "a", "service": "script", "script": "hallo", "path": "a"}],
                "script": {"hello": {"executable": ["x"]}},
            },
            'listener[0].script: there is no [script.hallo]; did you mean "hello"?',
        ),
        (
            {"listener": [{"name": "a", "script": "hello", "path": "a"}]},
            'listener[0].script: belongs to service = "script", not "doveadm"',
        ),
        (
            {
                "dovecot": "2.2.13",
                "script": {"hello": {"executable": ["x"], "accept_env": ["A"]}},
                "listener": [{"name": "a", "service": "script", "script": "hello", "path": "a"}],
            },
            "script.hello.accept_env: Dovecot 2.2.13 has no -e",
        ),
    ],
)
def test_bad_configuration(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fakedove.AsyncFakeDovecot(None, **settings)
    assert str(caught.value).startswith(message)


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _is_gone(pid: int) -> bool:
    """Whether there is no such process, not counting what only waits to be buried.

    One that is killed closes its files before it counts as dead, so that may take a moment.
    """
    deadline = time.monotonic() + _PATIENCE
    while (alive := _is_alive(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
