"""The process behind a doveadm connection: what it keeps for the connections that come after.

The doveadm service ends a process with its first connection, service_count = 1 (which 2.4 calls
restart_request_count). Another setting has it serve more of them, one at a time: the formatter
goes on counting columns, rights that were given up stay so, and the log tells of whom it was
last (recordings x.second-service.*, and measured on 2.3.19.1 and 2.4.1).
"""

from __future__ import annotations

from fakedove.dovecot.escaped import EscapedBlocks
from fakedove.dovecot.getopt_memory import GetoptMemory
from fakedove.dovecot.output import Formatter
from fakedove.dovecot.release import Release
from fakedove.sessions.log_prefix import LogPrefix


class DoveadmProcess:
    """What is one process's own, whatever connection it serves."""

    __slots__ = (
        "bound",
        "era",
        "formatter",
        "getopt",
        "lives",
        "opened",
        "prefix",
        "served",
        "verbose",
    )

    def __init__(self, release: Release, escaped: EscapedBlocks, era: int = 0) -> None:
        """Be a process of `release` that was started in the given era of the configuration."""
        self.formatter = Formatter(release, escaped)
        #: Who speaks in the next log line.
        self.prefix = LogPrefix(release)
        #: Whose rights it has: whom it was busy with last, if there is such a user.
        self.opened: str | None = None
        #: Whether it has given up root's rights for good, as an old command does.
        self.bound = False
        #: What getopt remembers of earlier commands.
        self.getopt: GetoptMemory | None = None
        #: Whether its last command line asked for more to be told, with `v` or `D`.
        self.verbose = False
        #: Connections until now.
        self.served = 0
        #: How often the configuration had been read when it was started.
        self.era = era
        #: False: it is dead, or busy for good.
        self.lives = True


class Processes:
    """The idle processes of each listener."""

    __slots__ = ("_idle",)

    def __init__(self) -> None:
        """Have none yet."""
        self._idle: dict[str, list[DoveadmProcess]] = {}

    def take(self, listener: str, era: int) -> DoveadmProcess | None:
        """Return the process that has been idle for longest; None: one is to be started.

        Dovecot leaves it to the kernel which one that is. After a reload all are new.
        """
        idle = self._idle.pop(listener, [])
        able = [one for one in idle if one.era == era]
        if not able:
            return None
        first, *others = able
        if others:
            self._idle[listener] = others
        return first

    def put_back(self, listener: str, process: DoveadmProcess) -> None:
        """Have a process wait for its next connection."""
        self._idle.setdefault(listener, []).append(process)
