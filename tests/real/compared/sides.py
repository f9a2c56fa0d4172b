"""The two that are compared: a real server over its socket, and fakedove in memory.

    with RealDovecot("2.4.1") as real:
        sides = Sides(real)
        sides.restore()                  # both stores as at the start, new connections
        sides.differences(question)      # [] when both said the same
        sides.close()

Both are asked over a multiplexed connection; what is compared is the text on each channel,
with the status line, and whether the connection was closed.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from random import Random

import msgspec

from fakedove.double.stubs import Stubs
from fakedove.dovecot.change_log import Event, ListChange
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.store import Store
from fakedove.dovecot.store_file import load_store
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import World
from tests.real.compared.canonical import Canonical
from tests.real.compared.questions import Question
from tests.real.dovecot import HOSTNAME, RealDovecot
from tests.replay.compare import packets_of
from tests.replay.fake import STORE, certificate_context, listener
from tests.replay.memory import MemoryServer
from tests.replay.sockets import Client
from tests.replay.transcripts import End

_VERSION = b"VERSION\tdoveadm-server\t1\t1\n"

#: Seconds that the real server may take for an answer, and to be silent after it.
_PATIENCE, _SILENCE = 10.0, 0.4

#: Seconds that both take for an answer, which is nearly always less.
_LAST = 0.15

_LOG = ord("L")
_STATUS = re.compile(rb"(?:^|\n)[+-][^\n]*\n\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one question, with placeholders."""

    rows: bytes
    log: bytes
    closed: bool

    def lines(self) -> list[str]:
        """Return it for people: one line for each line of the log, each row, and the end."""
        log = [f"L {line!r}" for line in self.log.splitlines()]
        rows = [f"0 {line!r}" for line in self.rows.split(b"\n")]
        return [*log, *rows, "(closed)"] if self.closed else [*log, *rows]


class _Fake:
    """Fakedove's side: a store of its own, and a session in memory."""

    def __init__(
        self, release: Release, directory: str, store_file: Path, mails: Mapping[str, str]
    ) -> None:
        self.release, self._directory = release, directory
        loaded = load_store(store_file, directory=directory, random=Random(1))
        self.store = _with_guids(loaded, mails)
        guids = _guids(self.store)
        self.names = {name: guid for guid, name in guids.items()}
        self.mailbox_names = {g: name for g, name in guids.items() if name.startswith("guid:")}
        self._server: MemoryServer | None = None
        self._canonical = Canonical({})

    def restore(self) -> None:
        self.store.restore()
        self._server = None
        self._canonical = Canonical(_guids(self.store))

    def close(self) -> None:
        self._server = None

    def ask(self, question: Question) -> Answer:
        server = self._server or self._connected()
        server.receive(question.bytes(self.names | {"dir": self._directory}))
        answer = _answer(server.take(), server.end, self._canonical)
        self._server = None if server.end else server
        return answer

    def _connected(self) -> MemoryServer:
        world = World(
            self.release,
            self.store,
            Stubs(self.release),
            read_file=self._read_file,
            base_dir=f"{self._directory}/run",
            directory=self._directory,
            hostname=HOSTNAME,
            random=Random(2),
        )
        where = listener("unix", self.release)
        session = DoveadmSession(world, where.settings)
        server = MemoryServer(session, where.peer, lambda: certificate_context(alpn=False))
        server.receive(_VERSION)
        server.take()
        return server

    def _read_file(self, path: str) -> bytes:
        name = path.removeprefix(f"{self._directory}/")
        if name in self.store.files:
            return self.store.files[name]
        if name.startswith("fs/"):
            # What lies there on the disk is the real server's.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return Path(path).read_bytes()


class _Real:
    """The real server's side."""

    def __init__(self, real: RealDovecot, mailboxes: Mapping[str, str]) -> None:
        self._real = real
        self._guids = dict(mailboxes) | {
            guid: f"mailguid:{name}" for guid, name in real.mail_guids().items()
        }
        self._names = {name: guid for guid, name in self._guids.items()}
        self._client: Client | None = None
        self._canonical = Canonical({})

    def restore(self) -> None:
        self.close()
        self._real.restore()
        self._canonical = Canonical(self._guids)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask(self, question: Question, expected: Answer) -> Answer:
        client = self._client or self._connected()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.connection.sendall(question.bytes(self._names | self._real.values))
        data = self._heard(client, expected)
        if client.end:
            self.close()
        return _answer(data, client.end, self._canonical)

    def _heard(self, client: Client, expected: Answer) -> bytes:
        """Read until the answer is the expected one, or until nothing more comes."""
        deadline = time.monotonic() + _PATIENCE
        endless = not expected.closed and not _STATUS.search(expected.rows)
        data = bytearray()
        while not client.end and (left := deadline - time.monotonic()) > 0:
            whole = endless or _seems_whole(data)
            if data and whole and self._is(bytes(data), expected):
                break
            more = client.read(_SILENCE if whole else left)
            if not more:
                break
            data += more
        return bytes(data)

    def _is(self, data: bytes, expected: Answer) -> bool:
        return _answer(data, None, copy.deepcopy(self._canonical)) == expected

    def _connected(self) -> Client:
        client = self._client = Client.connect(self._real.addresses["unix"])
        client.connection.sendall(_VERSION)
        heard = b""
        while not heard.endswith(b"\n+\n"):
            heard += client.read(_PATIENCE)
        return client


class Sides:
    """A real server and fakedove, asked the same."""

    def __init__(self, real: RealDovecot, *, store_file: Path = STORE) -> None:
        """Join `real` with a fakedove of the store that it was made from."""
        self.release = find_release(real.release)
        mails = {name: guid for guid, name in real.mail_guids().items()}
        self._fake = _Fake(self.release, str(real.folder), store_file, mails)
        self._real = _Real(real, self._fake.mailbox_names)

    def restore(self) -> None:
        """Put both stores back, and forget the connections."""
        self._fake.restore()
        self._real.restore()

    def close(self) -> None:
        """Close the connections: the next question is the first on another, on both sides."""
        self._fake.close()
        self._real.close()

    def differences(self, question: Question) -> list[str]:
        """Ask both; return what differs, `-` being the real server, or an empty list."""
        _await_second()
        fake = self._fake.ask(question)
        real = self._real.ask(question, fake)
        if real == fake:
            return []
        found: list[str] = []
        for one, other in zip_longest(real.lines(), fake.lines()):
            if one == other:
                found.append(f"  {one}")
            else:
                found += [f"{sign} {line}" for sign, line in (("-", one), ("+", other)) if line]
        return found


def _await_second() -> None:
    """Wait, near the end of a second, for the next: what both note down is to have one time."""
    left = 1 - time.time() % 1
    if left < _LAST:
        time.sleep(left)


def _with_guids(store: Store, mails: Mapping[str, str]) -> Store:
    """Return a store whose mails have the GUIDs that they have in the real server.

    In which order two mails are taken is decided by them here and there. And who has been made
    in the real server has subscribed, as its log tells a sync.
    """
    seeds = []
    for user in store.users.values():
        seed = user.freeze()
        boxes = tuple(_box_with_guids(box, seed.name, mails) for box in seed.mailboxes)
        log = tuple(
            ListChange(Event.SUBSCRIBED, name, int(time.time())) for name in seed.subscriptions
        )
        seeds.append(msgspec.structs.replace(seed, mailboxes=boxes, list_log=log))
    return Store(
        seeds, sessions=store.sessions, keys=store.dict, files=store.files, random=Random(1)
    )


def _box_with_guids(box: MailboxSeed, user: str, mails: Mapping[str, str]) -> MailboxSeed:
    messages = (
        msgspec.structs.replace(one, guid=mails[f"{user}/{box.name}/{one.uid}"])
        for one in box.messages
    )
    return msgspec.structs.replace(box, messages=tuple(messages))


def _guids(store: Store) -> dict[str, str]:
    boxes = [(name, box) for name in store.names() for box in store.users[name].mailboxes.values()]
    mails = {
        message.guid: f"mailguid:{name}/{box.name}/{message.uid}"
        for name, box in boxes
        for message in box.messages
    }
    return mails | {box.guid: f"guid:{name}/{box.name}" for name, box in boxes}


def _seems_whole(data: bytes | bytearray) -> bool:
    """Whether a status line may be the last on channel 0; looked at only if it can be."""
    return b"\n" in data[-1:] and _STATUS.search(_channels(bytes(data))[0]) is not None


def _channels(data: bytes) -> tuple[bytes, bytes]:
    """Return what stands on channel 0 and on the log channel."""
    packets, rest = packets_of(data)
    rows = b"".join(packet.data for packet in packets if packet.channel == 0)
    return rows + rest, b"".join(packet.data for packet in packets if packet.channel == _LOG)


def _answer(data: bytes, end: End | None, canonical: Canonical) -> Answer:
    rows, log = _channels(data)
    return Answer(canonical.text(rows), canonical.text(log), end is not None)
