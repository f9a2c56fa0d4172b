"""Who speaks in a log line: the prefix, and what 2.4 puts before the text."""

from __future__ import annotations

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Scope

#: What never reaches a client.
SERVER_ONLY = (Scope.STDERR, Scope.MASTER, Scope.STATS)

#: The process id that all of the fake's processes have in log lines.
PID = b"4242"


class LogPrefix:
    """Prefixes of one process's log lines."""

    __slots__ = ("_connection", "_inherited", "_own", "_peer", "_release", "_session", "settled")

    def __init__(self, release: Release, address: str | None = None, session: bytes = b"") -> None:
        self._release = release
        self._connection = self._inherited = b"doveadm: "
        #: What the connection's last command made of the prefix, scope and user; None: nothing.
        self._own: tuple[Scope, bytes] | None = None
        #: Whether any has looked a user up.
        self.settled = False
        self.connect(address, session)

    def connect(self, address: str | None, session: bytes) -> None:
        """Serve another connection; one without an address leaves the process's prefix alone."""
        before = self._own_prefix()
        self._session = session
        shown = address is not None and self._release.log_address
        self._peer = address.encode() if shown and address is not None else b""
        self._connection = b"doveadm(%b): " % self._peer if self._peer else b"doveadm: "
        self._inherited = self._connection if self._peer else before
        self._own = None

    def settle(self, scope: Scope, username: bytes) -> None:
        """Speak as in `scope` from here on wherever no command is at work on mail.

        The prefix belongs to the process, and looking up a user leaves its mark on it. So
        `scope` is one that has a prefix of its own.
        """
        self._own = scope, username
        self.settled = True

    def of(self, entry: Log, command: bytes, username: bytes, *, told: bool) -> tuple[bytes, bytes]:
        """Return prefix and text of a log line about `command` of `username`.

        `told`: the client has a log channel, which in some releases costs the prefix.
        """
        name = username if entry.user is None else entry.user
        if self._release.log_prefix_in_one_line:
            name = name.replace(b"\n", b" ")
        prefix = self._prefix(entry.scope, name)
        if told and not self._release.log_prefix and entry.scope not in SERVER_ONLY:
            return b"doveadm: ", entry.text
        if not self._release.log_names_command:
            return prefix, entry.text
        match entry.scope:
            case Scope.CONNECTION:
                return prefix, b"tcp: " + entry.text
            case Scope.PROTOCOL:
                return prefix, b"doveadm: " + entry.text
            case Scope.STDERR | Scope.MASTER | Scope.STATS:
                return prefix, entry.text
            case Scope.USERDB | Scope.STORAGE | Scope.LIBRARY:
                return prefix, entry.text
            case _ if entry.level == entry.level.FATAL:
                return prefix, entry.text
            case _:
                return prefix, b"cmd %b: %b" % (command, entry.text)

    def _prefix(self, scope: Scope, username: bytes) -> bytes:
        match scope:
            case Scope.MASTER:
                return b"master: "
            case Scope.STATS:
                return b"stats: "
            case Scope.STDERR:
                return b"doveadm: "
            case Scope.LOOKUP:
                if self._peer and self._release.log_prefix:
                    return b"doveadm(%b,%b): " % (self._peer, username)
                return b"doveadm(%b): " % username
            case Scope.MAIL | Scope.STORAGE if self._release.log_session:
                return b"doveadm(%b)<%b><%b>: " % (username, PID, self._session)
            case Scope.USERDB if self._release.log_session:
                return b"doveadm(%b)<%b><>: " % (username, PID)
            case Scope.MAIL | Scope.STORAGE | Scope.USERDB:
                return b"doveadm(%b): " % username
            case Scope.PROCESS if self._release.log_pid:
                return b"doveadm(%b): " % PID
            case Scope.PROCESS:
                return self._connection
            case _:
                return self._own_prefix()

    def _own_prefix(self) -> bytes:
        """Return the process's own prefix."""
        if self._own is None:
            return self._inherited
        scope, username = self._own
        return self._connection if scope is Scope.CONNECTION else self._prefix(scope, username)
