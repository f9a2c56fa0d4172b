"""What `--wire` tells of a session, piece by piece."""

from __future__ import annotations

from fakedove.cli.watching import Watch
from tests.sessions.talk import PLAIN, TCP, Talk

HELLO = b"VERSION\tdoveadm-server\t1\t0\n"


def test_a_password_in_pieces_is_not_told() -> None:
    told: list[str] = []
    session = Watch(told.append, None).wrap("tcp", Talk("2.4.1").session)
    session.open(TCP)
    session.receive(HELLO + PLAIN[:3])
    for start in range(3, len(PLAIN)):
        session.receive(PLAIN[start : start + 1])
    assert [line for line in told if "C: " in line][:5] == [
        "[tcp 1] C: (connects from 127.0.0.1)",
        r"[tcp 1] C: VERSION\tdoveadm-server\t1\t0\n",
        "[tcp 1] C: PLA",
        "[tcp 1] C: I",
        "[tcp 1] C: N",
    ]
    assert told[-1] == r"[tcp 1] S: +\n"
    secret = [line.removeprefix("[tcp 1] C: ") for line in told[6:-1]]
    assert set(secret) == {r"\t", "(a password)", r"\n"}
