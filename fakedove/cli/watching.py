"""What `--wire` and `--journal` see: sessions are wrapped and looked at while they talk.

Without these options no session is wrapped, so watching costs nothing when nobody watches.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TextIO

from fakedove.double.conversation import Side
from fakedove.double.exchange import Exchange
from fakedove.double.exchange_json import json_line
from fakedove.double.journal import Journal
from fakedove.plan import (
    Close,
    Event,
    HalfClose,
    Peer,
    Plan,
    ProgramEnded,
    Reset,
    Run,
    Send,
    Session,
    StartTls,
    TlsReady,
    Wait,
)


class Watch:
    """Tells of all conversations of a fake, line by line to `tell` and as JSON to a file."""

    def __init__(self, tell: Callable[[str], None] | None, file: TextIO | None) -> None:
        self._tell = tell
        self._file = file
        self._numbers = count(1)
        self._new: list[Exchange] = []

    def follow(self, journal: Journal) -> None:
        """Take every exchange that is added to `journal` from now on."""
        if self._file is not None:
            journal.followers.append(self._new.append)

    def wrap(self, listener: str, session: Session) -> Session:
        """Return `session` under observation."""
        return _Watched(f"{listener} {next(self._numbers)}", session, self)

    def take_new(self) -> list[Exchange]:
        """Return the exchanges that began since the last call."""
        new = self._new.copy()
        self._new.clear()
        return new

    def tell(self, name: str, text: str) -> None:
        """Tell of connection `name`."""
        if self._tell is not None:
            for line in text.split("\n"):
                self._tell(f"[{name}] {line}")

    def write(self, exchange: Exchange) -> None:
        """Write an exchange that is at its end."""
        if self._file is not None:
            self._file.write(json_line(exchange))
            self._file.flush()


class _Watched:
    """A session that is listened to."""

    def __init__(self, name: str, session: Session, watch: Watch) -> None:
        self._name = name
        self._session = session
        self._watch = watch
        self._client, self._server = Side("C"), Side("S")
        self._exchanges: list[Exchange] = []

    @property
    def room(self) -> int:
        return self._session.room

    @property
    def take(self) -> Callable[[bytes], int] | None:
        return self._session.take

    @property
    def deadline(self) -> float | None:
        return self._session.deadline

    def open(self, peer: Peer) -> Plan:
        self._tell(f"C: (connects from {peer.address})" if peer.address else "C: (connects)")
        return self._told(self._session.open(peer))

    def receive(self, data: bytes) -> Plan:
        self._tell(self._client.shown(data) if data else "C: (no more)")
        return self._told(self._session.receive(data))

    def wake(self, event: Event) -> Plan:
        match event:
            case TlsReady():
                self._tell("C: (TLS is up)")
            case ProgramEnded(status):
                self._tell(f"   (the program ended: {status})")
        return self._told(self._session.wake(event))

    def end(self, unsent: int) -> None:
        self._session.end(unsent)
        for exchange in self._exchanges:
            self._watch.write(exchange)
        self._tell(f"   (over, {unsent} bytes unsent)" if unsent else "   (over)")

    def _told(self, plan: Plan) -> Plan:
        self._write_ended()
        for step in plan:
            match step:
                case Send():
                    self._tell(self._server.shown(step.data))
                case StartTls():
                    self._tell("S: (TLS from here)")
                case Run(words):
                    told = " ".join(map(repr, words))
                    self._tell(f"   (runs {told}, which has the connection now)")
                case HalfClose():
                    self._tell("S: (no more)")
                case Wait(seconds):
                    self._tell(f"   (waits {seconds:g} s)")
                case Close():
                    self._tell("S: (closes)")
                case Reset():
                    self._tell("S: (resets)")
        return plan

    def _write_ended(self) -> None:
        """Write all exchanges but one that goes on: that ends with its connection at the latest."""
        self._exchanges += self._watch.take_new()
        while self._exchanges and self._exchanges[0].ended is not None:
            self._watch.write(self._exchanges.pop(0))

    def _tell(self, text: str) -> None:
        self._watch.tell(self._name, text)
