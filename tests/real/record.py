"""Ask the real server and write down what it says, in the form of the recordings.

    python -m tests.real.record 2.4.1 hs.ok.unix.1.0 'cmd.flag-*'     # these, anew
    python -m tests.real.record 2.4.1 --like FILE                     # new ones: what FILE sends

FILE has one conversation a line, of which `id`, `listener`, `minor`, `given` and the steps
that the client does are used. The recordings go to standard output, one a line.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import fnmatch
import hashlib
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.play import given
from tests.real.variants import by_variant
from tests.replay import sockets
from tests.replay.compare import packets_of
from tests.replay.transcripts import (
    Action,
    Conversation,
    End,
    Json,
    Send,
    ShutdownWrite,
    StartTls,
    conversation,
    load,
)

#: Seconds without a byte after which the server has said all it has to say.
_SILENCE = 1.5

#: Received data longer than this is kept as a digest, in bytes.
_LONG = 65536

#: How much of such data is kept at either end, in bytes.
_END = 300

_HANDSHAKE = re.compile(rb"(?:VERSION\t[^\n]*\n)?(?:-\n)?(?:\+\n)?")

_TIMES = (
    (rb"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d", b"{{logtime}}"),
    (rb"(?<=\))<\d+><[A-Za-z0-9+/=]{8,}>", b"<{{pid}}><{{session}}>"),
    (rb"(?<=doveadm\()\d+(?=\))", b"{{pid}}"),
    (rb"(?<=pid=)\d+", b"{{pid}}"),
)


class Recorder:
    """Records conversations on one running server."""

    def __init__(self, real: RealDovecot) -> None:
        """Note what the placeholders stand for on this server."""
        self._real = real
        self._mail_guids = real.mail_guids()
        self._mailbox_guids = real.mailbox_guids()
        known = {"{{dir}}": str(real.folder), "{{hostname}}": real.values["hostname"]}
        self._texts = {text.encode(): name.encode() for name, text in known.items()}

    def record(self, asked: Conversation) -> dict[str, Json]:
        """Do what the client of `asked` does; return a recording of it."""
        self._real.restore()
        with given(self._real, asked):
            self._real.log()
            steps = self._steps(asked)
            time.sleep(0.1)  # The log service writes a moment later.
            log = [self._placeholders(line.encode("latin-1")) for line in self._real.log()]
        recorded: dict[str, Json] = {
            "id": asked.id,
            "dovecot": self._real.release,
            "listener": asked.listener,
            "minor": asked.minor,
            "steps": list(steps),
            "log": [line.decode("latin-1") for line in log],
        }
        if asked.given:
            recorded["given"] = list(asked.given)
        if asked.volatile:
            recorded["volatile"] = True
        return recorded

    def _steps(self, asked: Conversation) -> list[dict[str, Json]]:
        client = sockets.Client.connect(self._real.addresses[asked.listener])
        steps: list[dict[str, Json]] = []
        framed = False
        with contextlib.closing(client):
            for turn in asked.turns:
                for action in turn.actions:
                    client.act(action, self._real.values)
                    hurried = isinstance(action, Send) and action is not turn.actions[-1]
                    steps.append(_told(action, client, hurried=hurried))
                data = _until_silence(client)
                if data:
                    step, framed = self._received(data, asked.minor or 0, framed)
                    steps.append(step)
                if client.end:
                    return [*steps, _ended(client.end)]
        return [*steps, {"close": True}]

    def _received(self, data: bytes, minor: int, framed: bool) -> tuple[dict[str, Json], bool]:
        """Describe received data; tell whether it is in packets from now on."""
        plain = 0
        if not framed and (found := _HANDSHAKE.match(data)):
            framed = minor >= 1 and found[0].endswith(b"+\n")
            plain = found.end()
        packets, rest = packets_of(data[plain:]) if framed else ([], b"")
        if len(data) > _LONG:
            sizes: list[Json] = [[_name(one.channel), len(one.data)] for one in packets]
            step = _digest(data)
            if sizes:
                step |= {"mux_packet_sizes": sizes, "mux_rest": len(rest)}
            return step, framed
        step = {"recv": self._placeholders(data).decode("latin-1")}
        if packets:
            step["mux"] = [
                [_name(one.channel), self._placeholders(one.data).decode("latin-1")]
                for one in packets
            ]
        return step, framed

    def _placeholders(self, data: bytes) -> bytes:
        for text, name in self._texts.items():
            data = data.replace(text, name)
        for pattern, name in _TIMES:
            data = re.sub(pattern, name, data)
        data = re.sub(rb"\b\d{10}(?:\.\d+)?\b", _recent_number, data)
        data = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", _recent_date, data)
        return re.sub(rb"\b[0-9a-f]{32}\b", self._guid, data)

    def _guid(self, found: re.Match[bytes]) -> bytes:
        """Name a mail's GUID; one that is neither a mail's nor pinned is new."""
        guid = found[0].decode()
        if guid in self._mail_guids:
            return b"{{mailguid:%s}}" % self._mail_guids[guid].encode()
        return found[0] if guid in self._mailbox_guids else b"{{guid}}"


def _until_silence(client: sockets.Client) -> bytes:
    data = bytearray()
    while not client.end and (more := client.read(_SILENCE)):
        data += more
    return bytes(data)


def _told(action: Action, client: sockets.Client, *, hurried: bool) -> dict[str, Json]:
    match action:
        case ShutdownWrite():
            return {"shutdown_write": True}
        case StartTls():
            version = client.tls_version()
            return {"starttls": True} | ({"version": version} if version else {})
        case Send(data, one_byte_at_a_time=drip) if len(data) <= _LONG:
            step: dict[str, Json] = {"send": data.decode("latin-1")}
            step |= {"one_byte_at_a_time": True} if drip else {}
        case Send(data):
            step = {
                "send_len": len(data),
                "send_head": data[:200].decode("latin-1"),
                "send_tail": data[-40:].decode("latin-1"),
                "send_sha256": hashlib.sha256(data).hexdigest(),
            }
    return step | ({"no_wait": True} if hurried else {})


def _ended(end: End) -> dict[str, Json]:
    match end:
        case End.EOF:
            return {"eof": True}
        case End.RESET:
            return {"eof": True, "error": "ConnectionResetError"}
        case End.TLS_FAILED:
            return {"tls_error": True}


def _digest(data: bytes) -> dict[str, Json]:
    return {
        "recv_len": len(data),
        "recv_sha256_raw": hashlib.sha256(data).hexdigest(),
        "recv_head": data[:_END].decode("latin-1"),
        "recv_tail": data[-_END:].decode("latin-1"),
    }


def _name(channel: int) -> int | str:
    return channel if channel == 0 else chr(channel)


def _recent_number(found: re.Match[bytes]) -> bytes:
    """Replace a UNIX time of these days; the store's own times are years ago."""
    return b"{{unixtime}}" if abs(float(found[0]) - time.time()) < 86400 else found[0]


def _recent_date(found: re.Match[bytes]) -> bytes:
    moment = datetime.datetime.strptime(found[0].decode(), "%Y-%m-%d %H:%M:%S")
    apart = abs(moment - datetime.datetime.now())
    return b"{{datetime}}" if apart < datetime.timedelta(days=2) else found[0]


def _asked(release: str, patterns: list[str], like: Path | None) -> Iterator[Conversation]:
    if like:
        for line in like.read_text(encoding="utf-8").splitlines():
            yield conversation({"log": [], **json.loads(line), "dovecot": release})
    for one in load(release) if patterns else ():
        if any(fnmatch.fnmatchcase(one.id, pattern) for pattern in patterns):
            yield one


def main() -> int:
    """Record what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("release", choices=install.RELEASES)
    parser.add_argument("ids", nargs="*", help="ids of recordings; * and ? match")
    parser.add_argument("--like", type=Path, help="a file of conversations to have")
    options = parser.parse_args()
    if reason := install.missing(options.release):
        print(reason, file=sys.stderr)
        return install.EX_TEMPFAIL
    asked = _asked(options.release, options.ids, options.like)
    for variant, conversations in by_variant(asked).items():
        with RealDovecot(options.release, variant) as real:
            recorder = Recorder(real)
            for one in conversations:
                print(json.dumps(recorder.record(one)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
