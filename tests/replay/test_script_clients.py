"""What real program clients sent and concluded, asked again of ours over real sockets."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import fakedove
from fakedove.dovecot.reply import Level
from tests.replay.script_clients import ClientCall, load_calls, load_records

#: Recordings in which no client connected, each with what stands for it.
_NO_CONNECTION = {
    **dict.fromkeys(
        (
            *("welcome-tcp", "welcome-tcp-dot-reply", "welcome-tcp-dot-only", "welcome-tcp-empty"),
            *("welcome-tcp-nowait", "welcome-tcp-localhost", "welcome-conf-tcpset"),
            *("quota-warn-tcp", "tcp-nowait-crash-without-shim"),
        ),
        "the real client crashes before it connects",
    ),
    "welcome-seed-tcp-nodriver": "tests/program_client/test_remote.py: nobody is there",
    "welcome-conf-missing-sock": "tests/program_client/test_remote.py: nobody is there",
    "tcp-refused": "tests/program_client/test_remote.py: nobody is there",
    "welcome-conf-wfork": "tests/program_client/test_forked.py",
    "welcome-conf-wforkfail": "tests/program_client/test_forked.py",
    "welcome-conf-wforkmissing": "tests/program_client/test_forked.py",
    "quota-warn-fork": "tests/program_client/test_forked.py",
    "quota-warn-exec": "tests/program_client/test_forked.py",
    "welcome-conf-two": "tests/test_execute_blocks.py",
    "welcome-conf-tcpport0": "tests/test_execute_blocks.py",
    "welcome-conf-noexec": "doveconf's: a feature without its execute block",
    "welcome-conf-global": "doveconf's: a feature without its execute block",
    "tcp-real-script-service-cat": "the service was a real one, which keeps no record",
}

#: Recordings with a connection whose request was not kept whole; its verdict is compared.
_NOT_KEPT = {
    "pipe-close-at-accept": "the service did not read",
    "pipe-rst-like-close-big-unread": "the service did not read all, and of that the ends are kept",
    "pipe-hang-noread-big": "the service did not read",
    "pipe-big": "of 300 kB the ends are kept",
    "quota-warn-service-never-reads": "the service did not read",
}

#: Connections whose end is Dovecot's accident and not the client's verdict.
_NO_VERDICT = {
    "thr-execute-output-8200": "more than 8 kB of :output are never read to their end",
    "thr-execute-output-16384": "more than 8 kB of :output are never read to their end",
}

#: Seconds that a client waits where the real one gave up after three.
_GIVE_UP = 0.3
#: Longer than a socket's buffers.
_MUCH = b"x" * 600_000


@contextmanager
def service(call: ClientCall, folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Do to one client what the recorded service did; give the target and what was heard."""
    heard: list[bytes] = []
    if call.socket.startswith("tcp:"):
        listener = socket.create_server(("127.0.0.1", 0))
        target = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        path = folder / f"{threading.get_ident()}"
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
        target = f"unix:{path}"
    thread = threading.Thread(target=_serve, args=(listener, call, heard), daemon=True)
    thread.start()
    with listener:
        yield target, heard
        thread.join(10)


def _serve(listener: socket.socket, call: ClientCall, heard: list[bytes]) -> None:
    with listener.accept()[0] as client:
        client.settimeout(10)
        # A service that closes without reading does so when there is something to read.
        client.recv(1, socket.MSG_PEEK)
        _hear(client, call, heard)
        for kind, data in call.events:
            if kind == "sent":
                client.sendall(_whole(data))
        if call.timed_out:
            _wait_for_hang_up(client)


def _hear(client: socket.socket, call: ClientCall, heard: list[bytes]) -> None:
    """Read as much as the recorded service did, to EOF if it saw one."""
    saw_eof = any(kind == "eof" for kind, _ in call.events)
    missing = 0 if call.shortened else len(call.sent)
    while (saw_eof or missing > 0) and (data := client.recv(65536)):
        heard.append(data)
        missing -= len(data)


def _whole(sent: str) -> bytes:
    """Return an answer of which only the length was kept, with a good end."""
    if found := re.match(r"<(\d+) bytes>", sent):
        return b"q" * (int(found[1]) - 2) + b"+\n"
    return sent.encode("latin-1")


def _wait_for_hang_up(client: socket.socket) -> None:
    waiting = select.poll()
    waiting.register(client, select.POLLHUP | select.POLLERR)
    waiting.poll(10_000)


def play(call: ClientCall, folder: Path) -> list[str]:
    """Ask ours for the same; return what differs."""
    asked = call.asked
    with service(call, folder) as (target, heard):
        done = fakedove.execute(
            target,
            asked.arguments,
            env=asked.environment,
            stdin=_stdin(call),
            noreply=asked.noreply,
            output=asked.wants_output,
            timeout=_GIVE_UP if call.timed_out else 10,
            dovecot=call.dovecot,
        )
    found: list[str] = []
    if not call.shortened and b"".join(heard) != call.sent:
        found += [f"C- {call.sent!r}", f"C+ {b''.join(heard)!r}"]
    if call.verdict is not None and not call.is_welcome_of_23 and call.id not in _NO_VERDICT:
        if done.verdict is not call.verdict:
            found += [f"verdict {done.verdict!r} instead of {call.verdict!r}"]
        found += _differing_log(call, done, target)
    return [f"{call.dovecot} {call.id} {call.socket}", *found] if found else []


def _stdin(call: ClientCall) -> bytes | None:
    """Return what the program is given; where it was not kept, as much as matters."""
    if not call.stdin_unknown:
        return call.asked.stdin
    return _MUCH if "big" in call.id else b"mail"


def _differing_log(call: ClientCall, done: fakedove.Execution, target: str) -> list[str]:
    records = [one for one in done.log if call.tells_debug or one.level is not Level.DEBUG]
    ours = [f"{one.level.name.title()}: {_common(str(one), target)}" for one in records]
    theirs = [_common_of_theirs(line) for line in call.log]
    return [] if ours == theirs else [f"L- {theirs}", f"L+ {ours}"]


def _common(line: str, target: str) -> str:
    """Return one of our lines without its level, and with the recorded place in it."""
    line = line.replace(target, "TARGET")
    prefix, _, rest = line.partition("TARGET: ")
    return f"{prefix}TARGET: {rest.partition(': ')[2]}"


def _common_of_theirs(line: str) -> str:
    line = re.sub(r"(program|execute) (?:unix|tcp):\S+?: ", r"\1 TARGET: ", line)
    return line.replace("> 3000 msecs", f"> {round(_GIVE_UP * 1000)} msecs")


def test_clients_send_and_conclude_what_real_ones_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("c")
    with ThreadPoolExecutor(8) as pool:
        played = list(pool.map(lambda call: play(call, folder), load_calls()))
    found = ["\n  ".join(lines) for lines in played if lines]
    assert not found, "\n".join([f"{len(found)} of {len(played)} differ", *found])


def test_every_request_that_is_not_compared_is_named() -> None:
    assert {call.id for call in load_calls() if call.shortened} == set(_NOT_KEPT)


def test_every_recording_without_a_client_is_named() -> None:
    silent = {str(one["id"]) for one in load_records() if not one["service_saw"]}
    assert silent == set(_NO_CONNECTION)
