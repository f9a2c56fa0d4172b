"""The real `doveadm` program, run against a server, and what it said in comparable form.

    Program(real).run(place, Step("-f tab quota get @tss")) -> Said

It goes by the configuration of a running `RealDovecot` of its own release, whatever server it
talks to. `Real` and `Fake` are the servers; what the real one said to the same commands is
kept, since it says the same to all tests.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fakedove.certificates import make_server_certificate
from fakedove.sync import FakeDovecot
from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.variants import Variant
from tests.replay.fake import STORE
from tests.replay.sockets import Address

#: Seconds that a command may take.
_PATIENCE = 20

#: What differs from run to run, and what stands for it.
_VOLATILE = (
    (rb"(?m)^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d ", b""),
    (rb"<\d+><[\w+/=]+>", b"<pid><session>"),
    (rb"\(pid=\d+,", b"(pid=N,"),
    (rb"(certificate: )/O=.*?( \(check)", rb"\1{{name}}\2"),
)

_LISTENERS = (
    {"name": "unix", "path": "doveadm-server", "mode": "0600"},
    {"name": "unix-auth", "path": "doveadm-auth", "mode": "0666"},
    {"name": "tcp", "address": "127.0.0.1:0"},
    {"name": "ssl", "address": "127.0.0.1:0", "ssl": "yes"},
    {"name": "clear", "address": "127.0.0.1:0", "ssl": "no"},
)

#: Both programs see this by the same name, the one in the chroot too.
_SHARED = "/dev/shm"


@dataclass(frozen=True, slots=True)
class Place:
    """A server: the addresses of its listeners by name, and the folder of its store."""

    addresses: Mapping[str, Address]
    folder: str
    #: What else is to be replaced in what the program says.
    known: Mapping[str, str] = field(default_factory=dict)

    def shown(self, listener: str) -> str:
        """Return an address as `-S` takes it."""
        address = self.addresses[listener]
        return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


@dataclass(frozen=True, slots=True)
class Said:
    """What one command came to."""

    status: int
    output: bytes
    errors: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One command: its words as a shell would split them, and what is on its stdin.

    `@NAME` among the words stands for `-S ADDRESS -u NAME`, `@` alone for `-S ADDRESS`;
    `{{server}}` for the address, and `{{port}}` for its port.
    """

    words: str
    stdin: bytes = b""
    #: The server's listener that it goes to.
    listener: str = "unix"

    def split(self, address: str) -> Iterator[str]:
        """Yield the words for a server at `address`."""
        for word in shlex.split(self.words):
            if word.startswith("@"):
                yield from ("-S", address)
                yield from ("-u", word[1:]) if word[1:] else ()
            else:
                port = address.rpartition(":")[2]
                yield word.replace("{{server}}", address).replace("{{port}}", port)


class Program:
    """The doveadm of the release that `real` runs."""

    def __init__(self, real: RealDovecot) -> None:
        self.release = real.release
        self._folder = str(real.folder)
        enter = install.enter(install.root(real.release))
        self._before = [*enter, "doveadm", "-c", f"{self._folder}/dovecot.conf"]

    def run(self, place: Place, step: Step) -> Said:
        """Run one command against a server."""
        address = place.shown(step.listener)
        ended = subprocess.run(
            [*self._before, *step.split(address)],
            input=step.stdin,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        known = {address: "{{server}}", place.folder: "{{dir}}", self._folder: "{{client}}"}
        known |= place.known
        return Said(ended.returncode, _steady(ended.stdout, known), _steady(ended.stderr, known))


class Real:
    """The real server of a release, which remembers what it was asked."""

    def __init__(self, server: RealDovecot) -> None:
        self.server = server
        self.place = Place(server.addresses, str(server.folder))
        self._said: dict[tuple[str, Sequence[Step]], list[Said]] = {}

    def say(self, program: Program, steps: tuple[Step, ...]) -> list[Said]:
        """Return what the program says to commands, one after another, on a fresh store."""
        key = program.release, steps
        if key not in self._said:
            self.server.restore()
            self._said[key] = [program.run(self.place, step) for step in steps]
        return self._said[key]


@dataclass(frozen=True, slots=True)
class Fake:
    """A running fake, and the authority of its certificate."""

    server: FakeDovecot
    ca: Path

    @property
    def place(self) -> Place:
        """Where the programs find it."""
        unix = {name: self.server.path(name) for name in ("unix", "unix-auth")}
        tcp = {name: self.server.address(name) for name in ("tcp", "ssl", "clear")}
        return Place({**unix, **tcp}, self.server.base_dir)

    def say(self, program: Program, steps: tuple[Step, ...]) -> list[Said]:
        """Return what the program says to commands, one after another, on a fresh store."""
        self.server.reset()
        return [program.run(self.place, step) for step in steps]


@contextmanager
def running(variant: Variant) -> Iterator[dict[str, RealDovecot]]:
    """Run the real servers of all releases, started and ended at once."""
    servers = [RealDovecot(release, variant) for release in install.RELEASES]
    with ThreadPoolExecutor() as pool:
        try:
            list(pool.map(RealDovecot.__enter__, servers))
            yield {real.release: real for real in servers}
        finally:
            list(pool.map(RealDovecot.close, servers))


@contextmanager
def faking(release: str) -> Iterator[Fake]:
    """Run a fake with the store of the real ones."""
    with tempfile.TemporaryDirectory(dir=_SHARED) as folder:
        made = make_server_certificate(Path(folder) / "tls")
        with FakeDovecot(
            dovecot=release,
            store=STORE,
            base_dir=folder,
            listener=_LISTENERS,
            tls={"cert": str(made.certificate), "key": str(made.key)},
        ) as server:
            yield Fake(server, made.ca)


def _steady(data: bytes, known: Mapping[str, str]) -> bytes:
    for text, name in known.items():
        data = data.replace(text.encode(), name.encode())
    for pattern, stands in _VOLATILE:
        data = re.sub(pattern, stands, data)
    return data
