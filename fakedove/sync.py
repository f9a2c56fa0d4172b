"""The fake Dovecot for code without Trio: `AsyncFakeDovecot`, run in a thread of its own.

    with FakeDovecot(dovecot="2.3.19.1") as fake:
        client.connect(fake.path())

Everything may be used from any thread. What takes microseconds (addresses, store, stubs,
journal) may be used in a thread with an event loop, too; what waits (`start`, `stop`,
`reset`, `wait_for`, `down`, and so `with`) is refused there, for it would block the loop.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from fakedove.config import Config
from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation, Invocations
from fakedove.double.journal import Journal
from fakedove.double.patterns import Texts
from fakedove.double.script_stubs import ScriptExpectation, ScriptStub
from fakedove.double.selecting import caller
from fakedove.double.selection import Arguments, Looking, Selecting
from fakedove.double.stubs import Expectation, Stub, Stubs
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.release import Release
from fakedove.dovecot.store import Store
from fakedove.errors import FakeDovecotError
from fakedove.fake import AsyncFakeDovecot
from fakedove.guest import Guest
from fakedove.live import live
from fakedove.sessions.server_log import ServerLog

if TYPE_CHECKING:
    import ssl


class FakeDovecot:
    """A fake Dovecot in a thread, begun and ended by `with`, or by `start` and `stop`.

    It takes the path of a configuration file, or any key of such a file as keyword; with
    both, the keyword takes the place of the file's key. An exception in the fake itself ends
    the connection it happened on and is raised at the end, as is a StubError for a stub that
    was never told what to answer. `timeout` is in seconds everywhere.

    Raises ConfigurationError when made; ListenError, StoreError or StubError when started.
    """

    def __init__(self, config: str | os.PathLike[str] | None = None, **settings: object) -> None:
        self._make = partial(AsyncFakeDovecot, config, **settings)
        self._fake = self._make()
        self._guest = Guest(self._fake, self._fake.close_copies)

    def __repr__(self) -> str:
        # From the configuration alone: a debugger may ask at any time, in any thread.
        state = "running" if self._guest.running else "not running"
        return f"<{type(self).__name__}: Dovecot {self._fake.dovecot}, {state}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._guest.forked:
            # A child that leaves the block; the fake goes on in its parent.
            return
        if error is not None:
            # A test that failed half-way need not hear of the stub it had begun.
            self.forget_stubs()
        self.stop()

    def start(self, timeout: float = 5.0) -> Self:
        """Bind, serve, and return; raises what is wrong with addresses, store or stubs."""
        if self._guest.running:
            raise FakeDovecotError("the fake has been started already; stop() it first")
        if self._guest.ended:
            self._fake = self._make()
            self._guest = Guest(self._fake, self._fake.close_copies)
        self._guest.start(timeout)
        return self

    def stop(self, timeout: float = 5.0) -> None:
        """End everything and leave no trace; raises what went wrong in the fake meanwhile.

        Harmless if it is not running.
        """
        self._guest.stop(timeout)

    # Where it is

    def path(self, name: str = "unix") -> str:
        """Return the absolute path of the UNIX listener `name`; raises UnknownNameError."""
        return self._guest.call(self._fake.path, name)

    def address(self, name: str = "tcp") -> tuple[str, int]:
        """Return host and port of the TCP listener `name`; raises UnknownNameError."""
        return self._guest.call(self._fake.address, name)

    @property
    def host(self) -> str:
        """The host of the listener "tcp"."""
        return self.address()[0]

    @property
    def port(self) -> int:
        """The port of the listener "tcp"."""
        return self.address()[1]

    @property
    def password(self) -> str:
        """The doveadm_password of the configuration."""
        return self.config.doveadm_password

    @property
    def base_dir(self) -> str:
        """The directory that relative paths go by."""
        return self._guest.call(lambda: self._fake.base_dir)

    @property
    def ca_path(self) -> str:
        """Path of the PEM file that clients trust; making it costs some milliseconds."""
        return self._guest.call(lambda: self._fake.ca_path)

    def client_ssl_context(self) -> ssl.SSLContext:
        """Return a new context for clients that trusts this server and no other."""
        return self._guest.call(self._fake.client_ssl_context)

    def describe(self) -> dict[str, object]:
        """Return what a client needs to know, fit for JSON."""
        return self._guest.call(self._fake.describe)

    # What it is and has

    @property
    def config(self) -> Config:
        """The configuration in force: that of the start with what `reset` was given."""
        return self._guest.call(lambda: self._fake.config)

    @property
    def release(self) -> Release:
        """The row of the release it behaves as."""
        return self._guest.call(lambda: self._fake.release)

    @property
    def dovecot(self) -> str:
        """The number of the release it behaves as, or "main"."""
        return self.release.number

    @property
    def store(self) -> Store:
        """Users, their mail, and what lies beside them."""
        return live(self._guest.call(lambda: self._fake.store), self._guest.call)

    @property
    def clock(self) -> Clock:
        """What time it is for the fake."""
        return live(self._guest.call(lambda: self._fake.clock), self._guest.call)

    @property
    def journal(self) -> Journal:
        """What was asked and answered."""
        return live(self._fake.journal, self._guest.call)

    @property
    def invocations(self) -> Invocations:
        """What script services were asked to run."""
        return live(self._fake.invocations, self._guest.call)

    @property
    def log(self) -> ServerLog:
        """What Dovecot would have written to its log files."""
        return live(self._fake.log, self._guest.call)

    @property
    def stubs(self) -> Stubs:
        """The answers that stand in for the store's; see `on`."""
        return live(self._guest.call(lambda: self._fake.stubs), self._guest.call)

    def on(
        self, command: Texts, *, times: int | None = None, **selecting: Unpack[Selecting]
    ) -> Stub:
        """Select commands to be answered by a stub; see `Stubs.on`."""
        return self.stubs.on(command, times=times, where=caller(), **selecting)

    def expect(
        self, command: Texts, *, times: int | None = None, **selecting: Unpack[Selecting]
    ) -> Expectation:
        """Expect a command before the fake is checked or ends; see `Stubs.expect`."""
        return self.stubs.expect(command, times=times, where=caller(), **selecting)

    def script(
        self, name: str, *, args: Arguments | None = None, times: int | None = None
    ) -> ScriptStub:
        """Select invocations of the service [script.NAME] to be answered by a stub.

        See `ScriptStubs.script`; raises UnknownNameError if there is no such service.
        """
        where = caller()
        select = partial(self._fake.script, name, args=args, times=times, where=where)
        return live(self._guest.call(select), self._guest.call)

    def expect_script(
        self, name: str, *, args: Arguments | None = None, times: int | None = None
    ) -> ScriptExpectation:
        """Expect the service [script.NAME] to be called before the fake is checked or ends.

        See `ScriptStubs.expect`; raises UnknownNameError if there is no such service.
        """
        where = caller()
        expect = partial(self._fake.expect_script, name, args=args, times=times, where=where)
        return live(self._guest.call(expect), self._guest.call)

    def forget_stubs(self) -> None:
        """Take all stubs and expectations away, whatever is wrong with them."""
        self._guest.call(self._fake.forget_stubs)

    # What happened

    def assert_called(
        self, command: Texts, *, times: int | None = None, **looking: Unpack[Looking]
    ) -> None:
        """Raise ExpectationError unless a command came, just `times` times if given.

        That is an AssertionError. What is meant is said as for `Journal.commands`. The message
        shows what came, or what is closest to it.
        """
        self._guest.call(partial(self._fake.assert_called, command, times=times, **looking))

    def assert_not_called(self, command: Texts, **looking: Unpack[Looking]) -> None:
        """Raise ExpectationError if a command came; see `assert_called`."""
        self._guest.call(partial(self._fake.assert_not_called, command, **looking))

    def wait_for(
        self, command: Texts, *, times: int = 1, timeout: float = 5.0, **looking: Unpack[Looking]
    ) -> Exchange:
        """Return the newest exchange that is meant when there are `times`, waiting for them.

        What is meant is said as for `Journal.commands`; with `status` the answer has to be
        complete, too. `timeout` is in seconds. Raises TimeoutError, which shows what came.
        """
        wait = partial(self._fake.wait_for, command, times=times, timeout=timeout, **looking)
        return self._guest.wait("wait_for()", wait, timeout + 1)

    def wait_for_invocation(
        self,
        script: str | None = None,
        *,
        args: Sequence[str] | None = None,
        timeout: float = 5.0,
    ) -> Invocation:
        """Return the newest invocation of a script service that is over, or wait for one.

        `script` is the NAME of [script.NAME], `args` are all of its client's arguments, None
        any; `timeout` is in seconds. Raises TimeoutError, which shows all invocations.
        """
        wait = partial(self._fake.wait_for_invocation, script, args=args, timeout=timeout)
        return self._guest.wait("wait_for_invocation()", wait, timeout + 1)

    def unfinished_stderr(self, script: str) -> bytes:
        """Return what the programs of [script.NAME] wrote to stderr since their last line end."""
        return self._guest.call(self._fake.unfinished_stderr, script)

    def check(self) -> None:
        """Raise, once, what went wrong in the fake, and what is wrong with stubs.

        That is StubError for stubs without answer, ExpectationError for expectations that are
        not met and for commands that nothing matched where that is an error.
        """
        self._guest.call(self._fake.check)

    def take_complaints(self) -> list[str]:
        """Return, once, what `check` would raise about stubs and expectations, in words."""
        return self._guest.call(self._fake.take_complaints)

    def verify(self) -> None:
        """Raise ExpectationError for what was expected and has not come so far."""
        self._guest.call(self._fake.verify)

    def raise_crashes(self) -> None:
        """Raise, once, the exceptions that happened in the fake itself."""
        self._guest.call(self._fake.raise_crashes)

    # What a test does to it

    def reset(
        self, *, keep_connections: bool = False, timeout: float = 5.0, **changes: object
    ) -> None:
        """Make everything as it was at the start, but for `changes` of the configuration.

        Open connections are aborted and their end awaited, unless they are kept: a kept
        connection meets the restored store, and has to stay with its release. Listeners stay,
        so `listener`, `base_dir` and `tls` cannot change the sockets. Raises what `check`
        raises, when all is done; ConfigurationError before anything is.
        """
        reset = partial(self._fake.reset, keep_connections=keep_connections, **changes)
        self._guest.wait("reset()", reset, timeout)

    @contextmanager
    def down(self, timeout: float = 5.0) -> Iterator[None]:
        """Be out of order inside `with`: connections are dropped and new ones refused.

        Afterwards the listeners are back at the same addresses. Store, stubs and journal go
        on.
        """
        outage = self._guest.call(self._fake.down)
        self._guest.wait("down()", outage.__aenter__, timeout)
        try:
            yield
        finally:
            self._guest.wait("down()", partial(outage.__aexit__, None, None, None), timeout)
