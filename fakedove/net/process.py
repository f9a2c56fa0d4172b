"""Child processes that hold a connection: started, listened to, and never left behind.

A program gets the socket itself as stdin and stdout, so its bytes cost us nothing; one that is
relayed gets another socket, and its bytes pass through our hands. Its stderr is a pipe that we
read. A second pipe, which no program writes to, tells when the last process
that it has started is gone: a script may leave others behind that go on writing.

The program leads a process group of its own; `close` kills the whole group. The leader stays
a zombie until then, so its number cannot belong to anybody else.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import trio
from trio.lowlevel import wait_readable, wait_writable

from fakedove.net import alarmed
from fakedove.plan import (
    AlarmRang,
    ProgramEnded,
    ProgramEvent,
    ProgramNotFound,
    ProgramSaid,
    ProgramWrote,
    Run,
)

_READ_BYTES: Final = 65536
#: More reads than a socket's buffer takes; another process may go on writing.
_LAST_READS: Final = 16
#: Seconds that killed processes may take to be gone.
_DYING: Final = 1.0


class Process:
    """One program and whatever it starts."""

    def __init__(self, run: Run, sock: socket.socket) -> None:
        """Start it on the connection `sock`; its first event tells if that was not possible."""
        self._events: deque[ProgramEvent] = deque()
        self._run = run
        #: When the wait for it is over.
        self._alarm_at: float | None = None
        if run.alarm and not run.alarm_kills:
            self._alarm_at = trio.current_time() + run.alarm
        self._watched = select.epoll()
        self._files: list[int] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._pidfd = self._stderr = self._life = -1
        #: Our end of a relayed program's connection.
        self._relay: socket.socket | None = None
        try:
            self._start(sock)
        except OSError as error:
            self._close_files()
            self._events.append(ProgramNotFound(os.strerror(error.errno or errno.ENOENT)))

    async def next_event(self) -> ProgramEvent | None:
        """Wait for what happens next; None when all processes are gone."""
        while not self._events:
            if not self._files:
                return None
            if self._alarm_at is None:
                await wait_readable(self._watched.fileno())
            else:
                with trio.move_on_at(self._alarm_at) as alarm:
                    await wait_readable(self._watched.fileno())
                if alarm.cancelled_caught:
                    self._alarm_at = None
                    self._events.append(AlarmRang())
                    continue
            self._look()
        return self._events.popleft()

    async def feed(self, data: bytes) -> None:
        """Give bytes to a relayed program's stdin, b"" for its end; lost if it is gone."""
        relay = self._relay
        if relay is None:
            return
        rest = memoryview(data)
        try:
            if not data:
                relay.shutdown(socket.SHUT_WR)
            while rest:
                try:
                    rest = rest[relay.send(rest) :]
                except BlockingIOError:
                    await wait_writable(relay)
        except OSError:
            return

    async def linger(self, tell: Callable[[ProgramEvent], object]) -> None:
        """Wait until all processes are gone, and `tell` what happens."""
        while (event := await self.next_event()) is not None:
            tell(event)

    def close(self) -> None:
        """Kill what is left of it, and wait for that."""
        if self._child is not None and self._child.returncode is None:
            # The leader is there at least as a zombie: the group is still this one.
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._see_them_gone()
        self._close_files()
        self._watched.close()
        if self._relay is not None:
            self._relay.close()

    def _see_them_gone(self) -> None:
        """Wait for the others of the group, which die at once; one that left it is not ours."""
        if self._life in self._files:
            select.select([self._life], [], [], _DYING)

    def _start(self, sock: socket.socket) -> None:
        with ExitStack() as ends:
            self._stderr, stderr_end = self._pipe(ends)
            self._life, life_end = self._pipe(ends)
            if self._run.relayed:
                sock = self._open_relay(ends)
            self._child = self._spawn(sock, stderr_end, life_end)
        self._pidfd = os.pidfd_open(self._child.pid)
        self._files.append(self._pidfd)
        for file in self._files:
            self._watched.register(file, select.EPOLLIN)

    def _open_relay(self, ends: ExitStack) -> socket.socket:
        """Return the program's end of another connection."""
        self._relay, given = socket.socketpair()
        ends.enter_context(given)
        self._relay.setblocking(False)
        self._files.append(self._relay.fileno())
        return given

    def _pipe(self, ends: ExitStack) -> tuple[int, int]:
        """Return both ends of a pipe: the one to keep, and the program's, which `ends` closes."""
        kept, given = os.pipe()
        ends.callback(os.close, given)
        self._files.append(kept)
        return kept, given

    def _spawn(self, sock: socket.socket, stderr: int, life: int) -> subprocess.Popen[bytes]:
        words, environment = list(self._run.words), dict(self._run.environment)
        if self._has_alarm:
            words = alarmed.words(self._run.words, self._run.environment, self._run.alarm, life)
            environment = {}
        stream = subprocess.DEVNULL
        if self._run.connected:
            stream = sock.fileno()
            os.set_blocking(stream, True)
        for attempt in (words, [alarmed.SHELL, *words]):
            try:
                return subprocess.Popen(
                    attempt,
                    stdin=stream,
                    stdout=stream,
                    stderr=stderr,
                    pass_fds=(life,),
                    env=environment,
                    cwd=self._run.directory,
                    umask=0o077,
                    process_group=0,
                    # SIGPIPE stays ignored, as Python has it and Dovecot too.
                    restore_signals=False,
                )
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
        raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))

    @property
    def _has_alarm(self) -> bool:
        """Whether the program gets a pending alarm, of which it dies unless it handles it."""
        return self._run.alarm_kills and self._run.alarm > 0

    def _look(self) -> None:
        """Gather what the watched files have to say; what was said before the end comes first."""
        ready = {file for file, _ in self._watched.poll(0)}
        if self._life in ready and self._has_alarm and (problem := os.read(self._life, 8)):
            self._fail(int(problem))
            return
        if self._relay is not None and self._relay.fileno() in self._files:
            self._hear(self._relay, everything=self._pidfd in ready)
        if self._stderr in ready or self._pidfd in ready:
            self._listen()
        if self._pidfd in ready:
            self._forget(self._pidfd)
            self._alarm_at = None
            assert self._child is not None
            self._events.append(ProgramEnded(self._status(), self._child.pid))
        if self._life in ready:
            self._forget(self._life)

    def _fail(self, problem: int) -> None:
        """Tell that there was no program to become."""
        self.close()
        self._events.append(ProgramNotFound(os.strerror(problem)))

    def _hear(self, relay: socket.socket, *, everything: bool) -> None:
        """Read what a relayed program wrote, up to what it had written when it ended."""
        for _ in range(_LAST_READS if everything else 1):
            try:
                data = relay.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self._events.append(ProgramWrote(data))
            if not data:
                # It stays open: the program may read although it does not write any more.
                self._watched.unregister(relay)
                self._files.remove(relay.fileno())
                return

    def _listen(self) -> None:
        if self._stderr not in self._files:
            return
        os.set_blocking(self._stderr, False)
        try:
            data = os.read(self._stderr, _READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._events.append(ProgramSaid(data))
        else:
            self._forget(self._stderr)

    def _status(self) -> int:
        """Return how the leader ended, without burying it."""
        assert self._child is not None
        info = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        assert info is not None
        return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status

    def _forget(self, file: int) -> None:
        self._watched.unregister(file)
        self._files.remove(file)
        os.close(file)

    def _close_files(self) -> None:
        for file in self._files:
            if self._relay is None or file != self._relay.fileno():
                os.close(file)
        self._files.clear()
