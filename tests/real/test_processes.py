"""Connections that one doveadm process serves after each other: what is left of the earlier ones.

Both servers are asked over sockets, and packets and their cuts are compared. A connection ends
when the server has closed it too: then its process waits for the next one.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from contextlib import closing

import pytest

from fakedove import FakeDovecot
from tests.real import install
from tests.real.compared.canonical import Canonical
from tests.real.dovecot import HOSTNAME, RealDovecot
from tests.replay.compare import packets_of
from tests.replay.fake import STORE
from tests.replay.sockets import Address, Client
from tests.replay.transcripts import Packet

pytestmark = pytest.mark.real

#: Seconds that an answer may take.
_PATIENCE = 10.0

_VERSION = b"VERSION\tdoveadm-server\t1\t1\n"
_STATUS = re.compile(rb"\n[+-][^\n]*\n")

#: The service that the real server's second socket belongs to: its processes live on.
_SERVICE = re.compile(rb"doveadm2(?=[:(])")

_LIST = b"\ttss\tmailbox list\t*\n"
_UNKNOWN = b"\ttss\tnosuch\n"

#: What is sent on one connection after the other.
_CONNECTIONS: Sequence[Sequence[bytes]] = (
    (b"\ttss\tmailbox list\tI*\n",),
    (_UNKNOWN, _LIST),
    (_UNKNOWN, b"\ttss\tquota get\n", _LIST),
    # Without root's rights, which are gone in 2.3, the process dies of this.
    (b"\t\twho\n", b"\tnobody\tquota get\n"),
    (_UNKNOWN, b"\tnobody\tquota get\n"),
    (b"\ttss\tmailbox list\t-z\n", _LIST),
    (b"\t\tmailbox list\t-A\tI*\n", _UNKNOWN),
    (b"nosuch flags\ttss\tmailbox list\n",),
    (_UNKNOWN, _LIST),
    (b"\ttss\tfetch\tnosuch\tall\n",),
    (_UNKNOWN, _LIST),
    (b"\t\tmailbox list\t-F\t/absent\n", _UNKNOWN),
    (_UNKNOWN, _LIST),
)


def said(address: Address, lines: Sequence[bytes]) -> list[Packet]:
    """Send lines on one connection; return the packets of the answers."""
    packets: list[Packet] = []
    with closing(Client.connect(address)) as client:
        client.connection.sendall(_VERSION)
        greeting = b""
        while not greeting.endswith(b"\n+\n"):
            greeting += client.read(_PATIENCE)
        for line in lines:
            if not client.end:
                packets += _answer(client, line)
        if not client.end:
            client.connection.shutdown(socket.SHUT_WR)
            assert not client.read(_PATIENCE)
    return packets


def _answer(client: Client, line: bytes) -> Sequence[Packet]:
    """Return the packets of an answer, as far as there is one."""
    client.connection.sendall(line)
    data = b""
    while True:
        packets, rest = packets_of(data)
        if client.end or (packets and _STATUS.fullmatch(packets[-1].data)):
            assert not rest
            return packets
        more = client.read(_PATIENCE)
        assert more or client.end, f"no more than {data!r} to {line!r}"
        data += more


@pytest.mark.parametrize("release", install.RELEASES)
def test_a_process_keeps_what_it_keeps_in_the_real_server(release: str) -> None:
    if reason := install.missing(release):
        pytest.skip(reason)
    listener = {"name": "unix", "path": "doveadm-second", "service_count": 0}
    fake = FakeDovecot(dovecot=release, store=STORE, hostname=HOSTNAME, listener=[listener])
    canonical = Canonical({})

    def comparable(packets: Sequence[Packet]) -> list[tuple[int, bytes]]:
        return [
            (one.channel, canonical.text(_SERVICE.sub(b"doveadm", one.data))) for one in packets
        ]

    with RealDovecot(release) as real, fake:
        expected = [
            comparable(said(real.addresses["unix-second"], lines)) for lines in _CONNECTIONS
        ]
        heard = [comparable(said(fake.path("unix"), lines)) for lines in _CONNECTIONS]
    assert heard == expected
