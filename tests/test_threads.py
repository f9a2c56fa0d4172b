"""All that is public, from several threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from fakedove import Client, ClientError, FakeDovecot

THREADS, ROUNDS = 6, 6


def use(fake: FakeDovecot, user: str) -> None:
    """Use everything for one user, and find what others do nowhere in it."""
    inbox = fake.store.add_user(user).mailbox("INBOX")
    for number in range(1, ROUNDS + 1):
        inbox.deliver(b"Subject: x\r\n\r\nhello\r\n")
        stub = fake.on("quota get", user=user, times=1).fail("TEMPFAIL")
        expected = fake.expect("quota get", user=user, times=2)
        with Client.connect(fake.path()) as client:
            told = [client.command("quota get", user=user).status for _ in range(2)]
        assert told == [b"-TEMPFAIL", b"+"]
        assert (len(stub.calls), len(expected.calls)) == (1, 2)
        stub.remove()
        expected.remove()
        fake.wait_for("quota get", user=user, times=2 * number)
        fake.assert_called("quota get", user=user, times=2 * number)
        fake.store.dict[user] = str(number)
        assert user in fake.journal.as_text()
        assert fake.journal.describe()
        assert fake.describe()
        fake.clock.advance(1)
    assert inbox.message_count == ROUNDS


def test_stubs_store_and_journal() -> None:
    with FakeDovecot() as fake, ThreadPoolExecutor(THREADS) as pool:
        done = [pool.submit(use, fake, f"user{number}") for number in range(THREADS)]
        for one in done:
            one.result(30)
        assert len(fake.journal) == 2 * THREADS * ROUNDS


def test_resets_and_outages_meanwhile() -> None:
    over = threading.Event()

    def talk(fake: FakeDovecot) -> int:
        talked = 0
        while not over.is_set():
            try:
                with Client.connect(fake.path(), timeout=5) as client:
                    client.command("quota get", user="ann")
            except (OSError, ClientError):
                pass
            assert fake.journal.describe()
            assert list(fake.store.users)
            talked += 1
        return talked

    with FakeDovecot() as fake, ThreadPoolExecutor(4) as pool:
        talking = [pool.submit(talk, fake) for _ in range(4)]
        try:
            for number in range(12):
                fake.reset(dovecot=("2.2.36", "2.4.1")[number % 2])
                if number % 4 == 0:
                    with fake.down():
                        pass
        finally:
            over.set()
        assert all(one.result(30) for one in talking)
