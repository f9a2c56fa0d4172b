"""A listener whose processes serve several connections, through the public door."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import fakedove

_LISTENER = {"name": "unix", "path": "doveadm-server", "service_count": 0}


def first_packet(path: Path) -> bytes:
    """Return the first packet of a list of mailboxes; its connection is over then."""
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(b"VERSION\tdoveadm-server\t1\t1\n\tzoe\tmailbox list\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    _, _, packets = answer.partition(b"\n+\n")
    return packets[5 : 5 + packets[4]]


def test_a_process_serves_one_connection_after_another_until_a_reset() -> None:
    with fakedove.FakeDovecot(dovecot="2.4.1", listener=[_LISTENER]) as fake:
        fake.store.add_user("zoe").create_mailbox("Sent")
        path = Path(fake.path("unix"))
        assert [first_packet(path), first_packet(path)] == [b"Sent\t", b"Sent\tINBOX\t"]
        fake.reset()
        fake.store.add_user("zoe").create_mailbox("Sent")
        assert first_packet(path) == b"Sent\t"
