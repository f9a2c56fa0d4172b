"""Talk to a session as a client would, without a socket: what is said, what is heard."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from fakedove.double.stubs import Stubs
from fakedove.dovecot.releases import choose_release
from fakedove.dovecot.store import Store
from fakedove.plan import Peer
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import ListenerSettings, World
from tests.replay.fake import certificate_context
from tests.replay.memory import MemoryClient, MemoryServer
from tests.replay.transcripts import End

UNIX = Peer(mode=0o600)
TCP = Peer(address="127.0.0.1")
PLAIN = b"PLAIN\t%b\n" % base64.b64encode(b"\0doveadm\0secret")


def small_store() -> Store:
    """Return a store with one user, tss, with one mail."""
    store = Store(random=Random(1))
    store.add_user("tss").mailbox("INBOX").deliver(b"Subject: hi\r\n\r\nhello\r\n")
    return store


class Talk:
    """One connection to a fake of the given release or protocol."""

    def __init__(
        self,
        dovecot: str | None = None,
        protocol: str | None = None,
        *,
        peer: Peer = UNIX,
        store: Store | None = None,
        settings: ListenerSettings | None = None,
        stubs: Stubs | None = None,
        arm: Callable[[Stubs], object] | None = None,
        world: World | None = None,
    ) -> None:
        if world is None:
            release = choose_release(dovecot, protocol)
            stubs = Stubs(release) if stubs is None else stubs
            world = World(release, store or small_store(), stubs, random=Random(2))
        if arm is not None:
            arm(world.stubs)
        self.world = world
        self.session = DoveadmSession(
            self.world, settings or ListenerSettings("test", password=b"secret")
        )
        self._server = MemoryServer(self.session, peer, lambda: certificate_context(alpn=False))
        self.client = MemoryClient(self._server)

    def say(self, data: bytes) -> bytes:
        """Send `data` and return the answer."""
        self.client.send(data)
        return self.client.take()

    def hear(self) -> bytes:
        """Return what the server says by itself."""
        return self.client.take()

    def hello(self, minor: int) -> bytes:
        """Send the VERSION line and return the answer."""
        return self.say(b"VERSION\tdoveadm-server\t1\t%d\n" % minor)

    def hang_up(self) -> bytes:
        """Say that nothing more comes, and return what the server still says."""
        self.client.shut_down()
        return self.client.take()

    @property
    def open(self) -> bool:
        """Whether the server keeps the connection open."""
        return self._server.end is None

    @property
    def reset(self) -> bool:
        """Whether the connection was reset."""
        return self._server.end is End.RESET

    @property
    def log(self) -> list[str]:
        """The server log's lines."""
        return [str(record) for record in self.world.log]
