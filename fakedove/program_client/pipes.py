"""The stdin, the stdout and the end of a child process, looked after at the same time."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from fakedove.program_client.polling import poll

_CHUNK_BYTES: Final = 65536
_FOR_EVER: Final = float("inf")


class Pipes:
    """What a child is told and says, as far as these are pipes; it is not waited for here.

    Stdin is in its pipe, as far as it fits, before there is a child: one that ends without
    reading is no failure then, as it is none with the real client.
    """

    def __init__(self, stdin: bytes | None) -> None:
        #: What the child has printed.
        self.output = bytearray()
        self._unsent = memoryview(stdin or b"")
        self._polled = select.poll()
        self._acts: dict[int, Callable[[], None]] = {}
        self._stdin = self._stdout = self._pidfd = -1
        #: The child's own stdin.
        self.stdin = subprocess.DEVNULL
        if stdin is not None:
            self.stdin, self._stdin = os.pipe()
            os.set_blocking(self._stdin, False)
            self._write()

    def attend(self, child: subprocess.Popen[bytes]) -> None:
        """Look after a child that was given `stdin`."""
        self._pidfd = os.pidfd_open(child.pid)
        self._watch(self._pidfd, select.POLLIN, lambda: self._forget(self._pidfd))
        if self.stdin != subprocess.DEVNULL:
            os.close(self.stdin)
            self.stdin = subprocess.DEVNULL
        if self._stdin >= 0:
            self._watch(self._stdin, select.POLLOUT, self._send)
        if child.stdout is not None:
            self._stdout = child.stdout.fileno()
            os.set_blocking(self._stdout, False)
            self._watch(self._stdout, select.POLLIN, self._receive)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        # Stdout is its Popen's to close.
        for file in (self.stdin, self._stdin, self._pidfd):
            if file >= 0:
                os.close(file)

    @property
    def sent(self) -> bool:
        """Whether all of stdin has left."""
        return not self._unsent

    def converse(self, timeout: float | None) -> None:
        """Go on until all has been sent, stdout is at its end, and the child too.

        Raises TimeoutError after `timeout` seconds, BrokenPipeError if it does not read.
        """
        expiry = _FOR_EVER if timeout is None else time.monotonic() + timeout
        while self._acts:
            left = expiry - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for file, _ in poll(self._polled, left):
                self._acts[file]()

    def wait(self, seconds: float) -> None:
        """Wait for the child to end, no longer than `seconds`."""
        select.select([self._pidfd], [], [], seconds)

    def _watch(self, file: int, event: int, act: Callable[[], None]) -> None:
        self._polled.register(file, event)
        self._acts[file] = act

    def _forget(self, file: int) -> None:
        self._polled.unregister(file)
        del self._acts[file]

    def _receive(self) -> None:
        data = os.read(self._stdout, _CHUNK_BYTES)
        self.output += data
        if not data:
            self._forget(self._stdout)

    def _send(self) -> None:
        """Go on with stdin; the pipe ends when all of it has left."""
        if self._unsent:
            self._write()
        if not self._unsent:
            self._forget(self._stdin)
            os.close(self._stdin)
            self._stdin = -1

    def _write(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                sent = os.write(self._stdin, self._unsent[:_CHUNK_BYTES])
                self._unsent = self._unsent[sent:]
