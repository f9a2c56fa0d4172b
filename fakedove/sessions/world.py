"""What a connection is bound to at accept: release, store, settings and the double's parts."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from fakedove.double.invocations import Invocations
from fakedove.double.journal import Journal
from fakedove.double.script_stubs import ScriptStubs
from fakedove.double.stubs import Stubs
from fakedove.dovecot.escaped import EscapedBlocks
from fakedove.dovecot.registry import Invocation
from fakedove.dovecot.release import Release
from fakedove.dovecot.store import Store
from fakedove.sessions.doveadm_process import DoveadmProcess, Processes
from fakedove.sessions.server_log import ServerLog

#: Command lines whose parse is kept; beyond that the cache starts anew.
_KEPT_LINES = 1024
#: Bytes of a session id, which is then written in base64.
_SESSION_BYTES = 12


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """What one listener's sessions go by."""

    name: str
    password: bytes = b""
    #: Commands that may be used, as field 3 of the line; None: all.
    allowed_commands: frozenset[bytes] | None = None
    #: "no", "starttls" or "yes" (TLS from the first byte).
    ssl: str = "starttls"
    #: Whether there is a certificate to speak TLS with.
    certificate: bool = True
    #: Connections that one process serves, one after another; 0: any number.
    service_count: int = 1


def no_files(path: str) -> bytes:
    """Read nothing: the file reader of a world without files."""
    raise FileNotFoundError(2, "No such file or directory", path)


@dataclass(slots=True)
class World:
    """Everything that a reset replaces, and what outlives it (journal and log)."""

    release: Release
    store: Store
    stubs: Stubs
    journal: Journal = field(default_factory=Journal)
    log: ServerLog = field(default_factory=ServerLog)
    invocations: Invocations = field(default_factory=Invocations)
    script_stubs: ScriptStubs = field(default_factory=ScriptStubs)
    #: Content of a file on the server; raises OSError.
    read_file: Callable[[str], bytes] = no_files
    #: Where the sockets of the server's processes would lie.
    base_dir: str = "/var/run/dovecot"
    #: The directory that the paths of the store's files are relative to.
    directory: str = "/var/run/dovecot"
    #: The server's own name.
    hostname: str = "localhost"
    #: Not 0: users whose passdb says so are referred to other hosts.
    doveadm_port: int = 0
    #: Longest mail taken in, in bytes.
    mail_limit: int = 64 * 1024 * 1024
    random: Random = field(default_factory=Random)
    connections: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    #: By script service: what its programs wrote to stderr since the last end of a line.
    script_stderr: dict[str, bytearray] = field(default_factory=dict)
    #: Large mails as they were sent last.
    escaped: EscapedBlocks = field(default_factory=EscapedBlocks)
    #: Parsed command lines, by the line with its LF.
    lines: dict[bytes, Invocation] = field(default_factory=dict)
    #: Those of doveadm-server that wait for a connection.
    processes: Processes = field(default_factory=Processes)

    def keep_line(self, line: bytes, invocation: Invocation) -> None:
        """Remember what a command line means, but for odd ones that end with a CR."""
        if line.endswith(b"\r"):
            return
        if len(self.lines) >= _KEPT_LINES:
            self.lines.clear()
        self.lines[line + b"\n"] = invocation

    def process_of(self, settings: ListenerSettings) -> DoveadmProcess:
        """Return the process that serves a new connection to a doveadm listener."""
        era = self.store.daemons.reloads
        waiting = settings.service_count != 1 and self.processes.take(settings.name, era)
        process = waiting or DoveadmProcess(self.release, self.escaped, era)
        process.served += 1
        return process

    def release_process(self, process: DoveadmProcess, settings: ListenerSettings) -> None:
        """Have a process wait for another connection, if it serves more."""
        if process.lives and process.served != settings.service_count:
            self.processes.put_back(settings.name, process)

    def new_session_id(self) -> bytes:
        """Return a session id as it stands in log prefixes."""
        return b64encode(self.random.randbytes(_SESSION_BYTES))
