"""The script service's recordings: played against fakedove, with the programs they ran."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

import fakedove
from tests.replay import scripts
from tests.replay.scripts import Player, Recording

_PROGRAMS = Path(__file__).resolve().parents[2] / "fixtures" / "scripts"

#: Seconds that the last line of the log may take to come.
_PATIENCE = 5.0

#: Recordings that cannot come out equal, each with the reason.
_NOT_EQUAL = {
    "hdr-trickle-timeout": "what was dripped is not in the recording",
}

#: Recordings of a service without a program, which is the test's own to answer for here.
_NO_PROGRAM = ("exec-nopath", "exec-nopath-noreply")

_LIMITED = re.compile(r"\(s-\w+\): client_limit \(\d+\)")

#: Recordings whose log holds what other conversations wrote, or what the master alone knows.
_OTHER_LOG = {
    "bg-child": "lines of conversations before it",
    "alarm-1-timing-noreply": "lines of the conversation before it",
    "stderr": "over TCP the rest of a line of the one before it",
    "stderr-noreply": "the rest of a line of the one before it",
    "stderr-proto": "the rest of a line of the one before it",
    "exec-nopath": "the service's process ends before it has begun",
    "exec-nopath-noreply": "the service's process ends before it has begun",
    "exec-rel-noreply": "a relative program is looked for elsewhere",
    "order-spaces-quoted": "a relative program is looked for elsewhere",
}


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the programs, the probe compiled."""
    if shutil.which("cc") is None:
        pytest.skip(
            "no C compiler: install gcc, and the recordings of the script service are played"
        )
    folder = tmp_path_factory.mktemp("programs")
    for file in _PROGRAMS.iterdir():
        shutil.copy(file, folder)
    subprocess.run(["cc", "-w", "-o", folder / "probe", folder / "probe.c"], check=True)
    return folder


def play(recording: Recording, folder: Path, *, record: bool = False) -> list[str]:
    """Play one recording on a fake of its own; return what differs."""
    service = scripts.service_settings(recording.script, folder) | {"record": record}
    where = {"path": "s"} if recording.listener == "unix" else {"address": "127.0.0.1:0"}
    listener = {"name": "s", "service": "script", "script": "s", **where}
    with fakedove.FakeDovecot(
        dovecot=recording.dovecot, script={"s": service}, listener=[listener]
    ) as fake:
        if recording.id in _NO_PROGRAM:
            fake.script("s").reset(before_header=True)
        address = fake.path("s") if recording.listener == "unix" else fake.address("s")
        found = Player(address, recording, folder).play()
        log = _log(fake, len(recording.log))
    if not found and recording.id not in _OTHER_LOG:
        names = {line.split(": ")[0].split(" ")[-1] for line in recording.log}
        wanted = scripts.log_lines(recording.log, "".join(names - {"master"}), folder)
        if wanted != scripts.log_lines(log, "s", folder):
            found = [f"L- {wanted}", f"L+ {log}"]
    return [f"{recording.dovecot} {recording.listener} {recording.id}", *found] if found else []


def _log(fake: fakedove.FakeDovecot, expected: int) -> list[str]:
    """Return the log, once there is as much of it as was recorded."""
    deadline = time.monotonic() + _PATIENCE
    while len(fake.log) < expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return [str(record) for record in fake.log]


def test_recordings_of_the_script_service(programs: Path) -> None:
    recordings = [one for one in scripts.load_service() if one.id not in _NOT_EQUAL]
    # Most of the time is waiting, so many are played at a time.
    with ThreadPoolExecutor(16) as pool:
        played = list(pool.map(lambda one: play(one, programs), recordings))
    for number, one in enumerate(recordings):
        if played[number] and scripts.is_timed(one):
            # The others may have made it late.
            played[number] = play(one, programs)
    found = ["\n  ".join(lines) for lines in played if lines]
    assert not found, "\n".join([f"{len(found)} of {len(played)} differ", *found])


def test_programs_that_are_recorded_behave_alike(programs: Path) -> None:
    recordings = [
        one
        for one in scripts.load_service()
        if one.id not in _NOT_EQUAL and not scripts.resets(one) and not scripts.is_timed(one)
    ]
    assert len(recordings) > 140
    with ThreadPoolExecutor(16) as pool:
        played = list(pool.map(lambda one: play(one, programs, record=True), recordings))
    found = ["\n  ".join(lines) for lines in played if lines]
    assert not found, "\n".join([f"{len(found)} of {len(played)} differ", *found])


def play_together(recordings: list[Recording], folder: Path) -> list[str]:
    """Play conversations with a service of one process; return what differs."""
    first = recordings[0]
    service = scripts.service_settings(first.script, folder)
    service["process_limit"] = 1
    with (
        fakedove.FakeDovecot(dovecot=first.dovecot, script={"s": service}) as fake,
        ThreadPoolExecutor(len(recordings)) as pool,
    ):
        players = [Player(fake.path("s"), one, folder) for one in recordings]
        found = [line for lines in pool.map(Player.play, players) for line in lines]
        log = {str(record) for record in fake.log}
    # There is no client_limit to be told of.
    wanted = {
        _LIMITED.sub("(s): client_limit (1000)", line.split(" ", 3)[-1]) for line in first.log
    }
    if log != wanted:
        found += [f"L- {wanted}", f"L+ {log}"]
    return [f"{first.dovecot} {first.id}", *found] if found else []


def test_a_service_of_one_process(programs: Path) -> None:
    together = scripts.load_together()
    assert len(together) == 4
    with ThreadPoolExecutor(4) as pool:
        played = list(pool.map(lambda one: play_together(one, programs), together))
    pairs = zip(played, together, strict=True)
    played = [lines and play_together(one, programs) for lines, one in pairs]
    assert not any(played), played


#: The services of the recordings by release: what they run.
_BY_RELEASE = {
    "sx-cat": {"executable": ["shown.sh", "conf"]},
    "sx-cate": {"executable": ["shown.sh"], "accept_env": ["FOO", "BAR"]},
    "sx-catf": {"executable": ["fails.sh"]},
}


def play_by_release(record: scripts.Step) -> list[str]:
    """Play one recording of the short list that every release was asked."""
    dovecot, name = scripts.text(record, "dovecot"), scripts.text(record, "sock")
    service = _BY_RELEASE[name]
    program, *arguments = service["executable"]
    service = service | {"executable": [str(_PROGRAMS / program), *arguments]}
    listener = {"name": "s", "service": "script", "script": "s", "path": "s"}
    try:
        fake = fakedove.FakeDovecot(dovecot=dovecot, script={"s": service}, listener=[listener])
    except fakedove.ConfigurationError:
        # The real service does not start either: -e is not known.
        return [] if record["recv"] == "" else [f"{dovecot} {record['id']}: refused"]
    with fake, socket.socket(socket.AF_UNIX) as client:
        client.connect(fake.path("s"))
        heard = _answer(client, record)
    return [] if heard == record["recv"] else [f"{dovecot} {record['id']}: {heard!r}"]


def _answer(client: socket.socket, record: scripts.Step) -> str:
    client.settimeout(_PATIENCE)
    heard = b""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for text in cast("list[str]", record["send"]):
            client.sendall(text.encode("latin-1"))
        if record["half_close"]:
            client.shutdown(socket.SHUT_WR)
        while data := client.recv(65536):
            heard += data
    return heard.decode("latin-1")


def test_the_same_on_every_release() -> None:
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(play_by_release, scripts.records("script-by-release.jsonl.xz"))
        found = [line for lines in results for line in lines]
    assert not found, "\n".join(found)
