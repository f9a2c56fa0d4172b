"""Play a recorded conversation over a real socket, to the real server or to fakedove.

    play(conversation, address, values, *, patience=5.0, grace=0.05) -> list[Heard]

The result goes to `tests.replay.compare.differences`. Nothing is timed but silence: a turn
is over as soon as all that the recording promises has come, so only a turn whose recording
is silence, or an answer that never comes, costs time.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tests.replay.compare import Heard, satisfied, substitute
from tests.replay.transcripts import (
    Action,
    Conversation,
    End,
    Send,
    ShutdownWrite,
    StartTls,
    Turn,
)

#: Where a server listens: the path of a UNIX socket, or host and port.
Address: TypeAlias = str | tuple[str, int]

#: Seconds that a server must keep silent to be believed.
SILENCE = 0.3

_CHUNK = 262144


@dataclass(slots=True)
class Client:
    """One client connection that reads until it has what it waits for."""

    connection: socket.socket
    end: End | None = None

    @classmethod
    def connect(cls, address: Address) -> Client:
        """Connect to a UNIX socket or over TCP, without Nagle's delay."""
        if isinstance(address, str):
            unix = socket.socket(socket.AF_UNIX)
            unix.connect(address)
            return cls(unix)
        tcp = socket.create_connection(address, timeout=10)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return cls(tcp)

    def close(self) -> None:
        """Close without a farewell, as a client does that has what it wants."""
        self.connection.close()

    def act(self, action: Action, values: Mapping[str, str]) -> None:
        """Do one thing; a server that has gone meanwhile is noticed when reading."""
        try:
            match action:
                case Send(data, one_byte_at_a_time=drip):
                    self._send(substitute(data, values), drip=drip)
                case ShutdownWrite():
                    self.connection.shutdown(socket.SHUT_WR)
                case StartTls():
                    self._start_tls()
        except (BrokenPipeError, ConnectionResetError):
            return

    def read(self, seconds: float) -> bytes:
        """Read what there is, waiting at most `seconds` for the first byte."""
        if self.end or not seconds:
            return b""
        self.connection.settimeout(seconds)
        try:
            data = self.connection.recv(_CHUNK)
        except TimeoutError:
            return b""
        except ConnectionResetError:
            self.end = End.RESET
            return b""
        except ssl.SSLEOFError:
            data = b""
        except ssl.SSLError:
            self.end = End.TLS_FAILED
            return b""
        if not data:
            self.end = End.EOF
        return data

    def tls_version(self) -> str | None:
        """Name the TLS version spoken, or return None without TLS."""
        return self.connection.version() if isinstance(self.connection, ssl.SSLSocket) else None

    def _send(self, data: bytes, *, drip: bool) -> None:
        self.connection.settimeout(10)
        if not drip:
            self.connection.sendall(data)
            return
        for byte in data:
            self.connection.sendall(bytes([byte]))

    def _start_tls(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.connection.settimeout(10)
        try:
            self.connection = context.wrap_socket(self.connection)
        except (ssl.SSLError, ConnectionResetError):
            self.end = End.TLS_FAILED


def play(
    conversation: Conversation,
    address: Address,
    values: Mapping[str, str],
    *,
    patience: float = 5.0,
    grace: float = 0.05,
) -> list[Heard]:
    """Play a conversation and return what was heard in each turn.

    `patience` is how many seconds an answer may take, `grace` how many the connection must
    stay open and silent after the last one.
    """
    client = Client.connect(address)
    heard: list[Heard] = []
    try:
        for turn in conversation.turns:
            last = turn is conversation.turns[-1]
            heard.append(_play_turn(client, turn, values, patience, grace if last else 0.0))
            if client.end:
                break
    finally:
        client.close()
    return heard


def _play_turn(
    client: Client, turn: Turn, values: Mapping[str, str], patience: float, grace: float
) -> Heard:
    for action in turn.actions:
        client.act(action, values)
    if _only_tls(turn):
        # The server's session tickets: closing with them unread would be a reset.
        client.read(grace)
        return Heard(end=client.end)
    if turn.received is None and turn.end is None:
        patience = min(patience, SILENCE if turn.actions else grace)
    heard = _listen(client, turn, values, patience)
    heard += client.read(grace)
    if turn.end is End.EOF and client.end is End.RESET and len(turn.actions) > 1:
        # What was sent in a hurry reached a server that had closed already: its EOF is then a
        # reset, and which of the two is a race.
        return Heard(heard, End.EOF)
    return Heard(heard, client.end)


def _only_tls(turn: Turn) -> bool:
    """Tell whether this turn is a handshake, after which the client speaks first."""
    return bool(turn.actions) and isinstance(turn.actions[-1], StartTls) and not turn.received


def _listen(client: Client, turn: Turn, values: Mapping[str, str], patience: float) -> bytes:
    deadline = time.monotonic() + patience
    data = bytearray()
    while not client.end and not satisfied(turn, Heard(bytes(data), client.end), values):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        data += client.read(left)
    return bytes(data)
