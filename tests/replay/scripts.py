"""The script service's recordings: loaded, and played over real sockets.

A recording is a list of steps; what the client does is done again, and what was heard is
compared where it stands in the recording. What depends on the machine (the lines of the
probe about files and limits) is left out of the comparison.
"""

from __future__ import annotations

import json
import lzma
import re
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from tests.replay.transcripts import FOLDER, Json

Step: TypeAlias = dict[str, Json]

#: Seconds that an answer may be late or early.
_TOLERANCE = 0.3
#: Longest wait for anything, in seconds.
_PATIENCE = 15.0

#: What the probe tells of the machine rather than of the service.
_MACHINE = re.compile(rb"(?m)^(?:cwd|uid|fds|sigignored|nofile|ppid1|PWD)=[^\n]*\n")

#: Recordings that are about time; in the others it is how long the recorder listened.
_TIMED = re.compile(r"alarm-|concurrent-|hdr-(?!trickle)|sig-13|bg-child")

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Recording:
    """One conversation with a script service."""

    id: str
    dovecot: str
    listener: str
    #: `script -e FOO,BAR {{bin}}/probe one`
    script: str
    steps: tuple[Step, ...]
    log: tuple[str, ...]


def load_service() -> list[Recording]:
    """Return the recordings of 2.3.19.1 and 2.4.1 that are one conversation each."""
    return [
        _recording(record, record["steps"])
        for record in records("script-service.jsonl.xz")
        if record["steps"]
    ]


def load_together() -> list[list[Recording]]:
    """Return the recordings of several conversations at once, in the order of connecting."""
    return [
        [_recording(record, one["steps"]) for one in cast("list[Step]", record["connections"])]
        for record in records("script-service.jsonl.xz")
        if "connections" in record
    ]


def _recording(record: Step, steps: Json) -> Recording:
    return Recording(
        id=text(record, "id"),
        dovecot=text(record, "dovecot"),
        listener=text(record, "listener"),
        script=text(record, "script"),
        steps=tuple(cast("list[Step]", steps)),
        log=tuple(cast("list[str]", record["log"])),
    )


def records(name: str) -> list[Step]:
    """Return the lines of a file of recordings."""
    with lzma.open(FOLDER / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def text(record: Step, key: str) -> str:
    """Return a text of a recording."""
    return cast("str", record[key])


def service_settings(script: str, folder: Path) -> dict[str, object]:
    """Return `script -e NAMES -p PROGRAM ARGUMENTS` as configuration."""
    words = script.removeprefix("script").split()
    settings: dict[str, object] = {}
    while words and words[0] in ("-e", "-p"):
        if words.pop(0) == "-p":
            settings["passthrough"] = True
        else:
            settings["accept_env"] = words.pop(0).split(",")
    if not words:
        return settings
    program = words[0].replace("{{bin}}/env.sh", "{{bin}}/environment.sh")
    program = program.replace("{{bin}}", str(folder))
    path = program if "/" in program else str(folder / program)
    return settings | {"executable": [path, *words[1:]]}


def is_timed(recording: Recording) -> bool:
    """Whether a recording is about time, or long for another reason.

    It is if the client goes on sending while the service closes, too.
    """
    moments = [float(cast("float", step.get("t", 0))) for step in recording.steps]
    races = any("send_error" in step for step in recording.steps)
    return races or _TIMED.match(recording.id) is not None or max(moments, default=0) > 1.5


def resets(recording: Recording) -> bool:
    """Whether stdin was left unread at the end, which a relay has read nevertheless."""
    return any("recv_error" in step for step in recording.steps)


class Player:
    """One client that does what a recording's client did."""

    def __init__(self, address: str | tuple[str, int], recording: Recording, folder: Path) -> None:
        self._steps = recording.steps
        self._timed = _TIMED.match(recording.id) is not None
        self._folder = str(folder).encode()
        self._started = time.monotonic()
        #: Sending found already what was to be read: that the other side has hung up.
        self._hung_up = False
        if isinstance(address, str):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(address)
        else:
            self._socket = socket.create_connection(address)
        self._socket.settimeout(_PATIENCE)

    def play(self) -> list[str]:
        """Do everything; return what differs."""
        found: list[str] = []
        with self._socket:
            for step in self._steps:
                found += self._step(step)
        return found

    def _step(self, step: Step) -> list[str]:
        match step:
            case {"send": str(data)}:
                self._send(data.encode("latin-1"))
            case {"send_len": int(length), "send_head": str(head)}:
                self._send(_long(length, head))
            case {"send_repeat": [str(letter), int(count)]}:
                self._flood(letter.encode() * count)
            case {"shutdown_write": True}:
                self._socket.shutdown(socket.SHUT_WR)
            case {"sleep": float(pause)} if self._socket.fileno() >= 0:
                # As long as the program needs to be at work; what is longer is for its end.
                self._silent(min(pause, 0.5))
            case {"rst": True}:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self._socket.close()
            case {"close": True}:
                self._socket.close()
            case {"open_after": float(seconds)}:
                return self._silent(seconds)
            case {"recv": str(expected), "t": float() | int() as moment}:
                return self._received(expected.encode("latin-1"), float(moment))
            case {"recv_len": int(length), "recv_tail": str(tail)}:
                return self._received_much(length, tail.encode("latin-1"))
            case {"eof": True, "t": float() | int() as moment}:
                return self._ended(b"", float(moment))
            case {"recv_error": str(error)}:
                return self._ended(error.removeprefix("error:").encode(), None)
        return []

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self._hung_up = True

    def _flood(self, data: bytes) -> None:
        """Send what the other side takes, as a client does that does not wait for ever."""
        self._socket.settimeout(0.3)
        try:
            self._socket.sendall(data)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self._socket.settimeout(_PATIENCE)

    def _silent(self, seconds: float) -> list[str]:
        self._socket.settimeout(seconds)
        try:
            data = self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return []
        finally:
            self._socket.settimeout(_PATIENCE)
        return [] if data else ["S+ (closed) where the connection stays open"]

    def _received(self, expected: bytes, moment: float) -> list[str]:
        wanted = _MACHINE.sub(b"", expected.replace(b"{{bin}}", self._folder))
        heard = b""
        while len(_MACHINE.sub(b"", heard)) < len(wanted) and (data := self._read()):
            heard += data
        if _MACHINE.sub(b"", heard) != wanted:
            return [f"S- {wanted!r}", f"S+ {_MACHINE.sub(b'', heard)!r}"]
        return self._in_time(moment)

    def _received_much(self, length: int, tail: bytes) -> list[str]:
        heard = b""
        while not heard.endswith(tail) and (data := self._read()):
            heard += data
        # The path of the probe is longer or shorter here.
        same = abs(len(heard) - length) < 200
        return [] if same else [f"S- {length} bytes", f"S+ {len(heard)} bytes"]

    def _ended(self, error: bytes, moment: float | None) -> list[str]:
        if error and self._hung_up:
            return []
        try:
            heard = self._socket.recv(65536)
        except ConnectionResetError:
            return [] if error == b"ConnectionResetError" or moment is None else ["S+ (reset)"]
        if heard or error:
            return [f"S- ({error.decode() or 'closed'})", f"S+ {heard!r}"]
        return [] if moment is None else self._in_time(moment)

    def _read(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except ConnectionResetError:
            return b""

    def _in_time(self, moment: float) -> list[str]:
        """Where a recording waits for something, so have we, and as long."""
        passed = time.monotonic() - self._started
        if not self._timed or moment < 0.5 or abs(passed - moment) < _TOLERANCE:
            return []
        return [f"S- after {moment:.1f} s", f"S+ after {passed:.1f} s"]


def _long(length: int, head: str) -> bytes:
    """Return a long header again: its head, more of its last argument, and the empty line."""
    data = head.encode("latin-1")
    return data + data[-1:] * (length - len(data) - 2) + b"\n\n"


_TIME = re.compile(r"^\w{3} [ \d]\d \d\d:\d\d:\d\d ")
_CHILD = re.compile(r"child \d+")
_CRASH = re.compile(r"signal 11 \([^)]*(?:\([^)]*\)[^)]*)*\)")


def log_lines(lines: Sequence[str], service: str, folder: Path) -> list[str]:
    """Return log lines without what differs from run to run, of a service called `service`."""
    found: list[str] = []
    for line in lines:
        line = _CHILD.sub("child 1", _TIME.sub("", line)).replace("{{bin}}", str(folder))
        line = _CRASH.sub("signal 11", line)
        found.append(
            line.replace(f"service({service})", "service(s)").replace(f"{service}: ", "s: ")
        )
    return found
