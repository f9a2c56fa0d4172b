"""The fake Dovecot in the caller's own Trio: everything put together.

    async with AsyncFakeDovecot(dovecot="2.3.19.1") as fake:
        stream = await trio.open_unix_socket(fake.path())

`fakedove.sync` offers the same from a thread, to code without Trio. What lies on disk is in
`fakedove.premises`, what listens in `fakedove.reception`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import trio

from fakedove.config import Config, load_config, make_config
from fakedove.configured import (
    armed_stubs,
    listener_settings,
    release_of,
    script_services,
    sockets_of,
    store_of,
)
from fakedove.double.exchange import Exchange
from fakedove.double.invocations import Invocation, Invocations
from fakedove.double.journal import Journal
from fakedove.double.patterns import Texts
from fakedove.double.script_stubs import ScriptStub
from fakedove.double.selecting import Selected
from fakedove.double.selection import Arguments, Selection
from fakedove.double.stubs import Expectation, Stub, Stubs
from fakedove.dovecot import scripts
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level
from fakedove.dovecot.store import Snapshot, Store
from fakedove.errors import (
    ConfigurationError,
    ExpectationError,
    FakeDovecotError,
    StubError,
    UnknownNameError,
    did_you_mean,
)
from fakedove.net.turns import Turns
from fakedove.net.waiting import first_found
from fakedove.plan import Session
from fakedove.premises import Premises
from fakedove.reception import Reception
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.script import ScriptSession
from fakedove.sessions.server_log import LogRecord, ServerLog
from fakedove.sessions.world import World

if TYPE_CHECKING:
    import ssl


@dataclass(slots=True)
class _Parts:
    """What there is once the fake has begun."""

    premises: Premises
    reception: Reception
    world: World


class AsyncFakeDovecot:
    """A fake Dovecot that begins and ends with `async with`.

    It takes the path of a configuration file, or any key of such a file as keyword; with
    both, the keyword takes the place of the file's key. All listeners are bound before the
    first is served. An exception in the fake itself ends the connection it happened on and is
    raised at the end, as is a StubError for a stub that was never told what to answer.

    Raises ConfigurationError when made; ListenError, StoreError or StubError when entered.
    """

    def __init__(self, config: str | os.PathLike[str] | None = None, **settings: object) -> None:
        self._file = config
        self._settings = settings
        #: The configuration in force: that of the start with what `reset` was given.
        self.config: Config = self._configuration({})
        #: What was asked and answered.
        self.journal = Journal()
        #: What Dovecot would have written to its log files.
        self.log = ServerLog()
        #: What script services were asked to run.
        self.invocations = Invocations()
        self._listeners = listener_settings(self.config)
        self._scripts = script_services(self.config)
        self._turns: dict[str, Turns] = {}
        #: Stores, and what they were at the start, by file and by the moment at which mail
        #: without a date was received.
        self._stores: dict[tuple[object, datetime | None], tuple[Store, Snapshot]] = {}
        self._begun: _Parts | None = None
        self._end = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._begun is not None:
            raise FakeDovecotError("this fake has run already; make a new one")
        async with AsyncExitStack() as stack:
            premises = Premises(self.config)
            stack.callback(premises.close)
            world = self._make_world(premises, self.config)
            if self.config.tls is not None:
                # The time to complain of wrong files is now, not with the first client.
                premises.server_context(alpn=False)
            reception = Reception(
                self.config.listener,
                premises.base_dir,
                self.make_session,
                self._server_context,
                self._turns_of,
            )
            stack.callback(reception.close)
            self._begun = _Parts(premises, reception, world)
            nursery = await stack.enter_async_context(trio.open_nursery())
            reception.serve_in(nursery)
            stack.callback(nursery.cancel_scope.cancel)
            self._end = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._end.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # The body's own exception goes on as it is, not in the nursery's wrapping.
            if group.exceptions != (error,):
                raise
        if error is None:
            self.check()
        elif not isinstance(error, KeyboardInterrupt | SystemExit):
            self.raise_crashes()

    # Where it is

    def path(self, name: str = "unix") -> str:
        """Return the absolute path of the UNIX listener `name`; raises UnknownNameError."""
        return str(self._parts.reception.path(name))

    def address(self, name: str = "tcp") -> tuple[str, int]:
        """Return host and port of the TCP listener `name`; raises UnknownNameError."""
        return self._parts.reception.address(name)

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
        return str(self._parts.premises.base_dir)

    @property
    def ca_path(self) -> str:
        """Path of the PEM file that clients trust; making it costs some milliseconds."""
        return str(self._parts.premises.certificate.ca)

    def client_ssl_context(self) -> ssl.SSLContext:
        """Return a new context for clients that trusts this server and no other."""
        return self._parts.premises.client_context()

    def describe(self) -> dict[str, object]:
        """Return what a client needs to know, fit for JSON.

        `ca` is the path of the PEM file that clients trust, or None where nobody speaks TLS.
        """
        return {
            "pid": os.getpid(),
            "dovecot": self.dovecot,
            "base_dir": self.base_dir,
            "doveadm_password": self.password,
            "ca": self.ca_path if self.config.speaks_tls else None,
            "listeners": self._parts.reception.describe(),
        }

    # What it is and has

    @property
    def release(self) -> Release:
        """The row of the release it behaves as."""
        return release_of(self.config)

    @property
    def dovecot(self) -> str:
        """The number of the release it behaves as, or "main"."""
        return self.release.number

    @property
    def store(self) -> Store:
        """Users, their mail, and what lies beside them."""
        return self._parts.world.store

    @property
    def clock(self) -> Clock:
        """What time it is for the fake."""
        return self.store.clock

    @property
    def stubs(self) -> Stubs:
        """The answers that stand in for the store's; see `on`."""
        return self._parts.world.stubs

    def on(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        line: bytes | None = None,
        times: int | None = None,
    ) -> Stub:
        """Select commands to be answered by a stub; see `Stubs.on`."""
        return self.stubs.on(
            command, user=user, args=args, listener=listener, line=line, times=times
        )

    def expect(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        line: bytes | None = None,
        times: int | None = None,
    ) -> Expectation:
        """Expect a command before the fake is checked or ends; see `Stubs.expect`."""
        return self.stubs.expect(
            command, user=user, args=args, listener=listener, line=line, times=times
        )

    def script(
        self,
        name: str,
        *,
        args: Sequence[str] | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptStub:
        """Select invocations of the service [script.NAME] to be answered by a stub.

        See `ScriptStubs.script`; raises UnknownNameError if there is no such service.
        """
        if name not in self.config.script:
            near = did_you_mean(name, self.config.script)
            known = ", ".join(self.config.script) or "none"
            raise UnknownNameError(f"there is no [script.{name}]{near} (there is: {known})")
        return self._parts.world.script_stubs.script(name, args=args, times=times, where=where)

    def forget_stubs(self) -> None:
        """Take all stubs and expectations away, whatever is wrong with them."""
        self.stubs.clear()
        self._parts.world.script_stubs.clear()

    # What happened

    def assert_called(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
        times: int | None = None,
    ) -> None:
        """Raise AssertionError unless a command was called, just `times` times if given.

        What is meant is said as for `Stubs.on`. The message shows the journal.
        """
        count = len(self.journal.commands(command, user=user, args=args, listener=listener))
        if count == times or (times is None and count):
            return
        wanted = "called" if times is None else f"called {times} times"
        named = _named(command, user, args, listener)
        self._fail(f"{named} was not {wanted}, but {count} times")

    def assert_not_called(
        self,
        command: Texts,
        *,
        user: Texts | None = None,
        args: Arguments | None = None,
        listener: str | None = None,
    ) -> None:
        """Raise AssertionError if a command was called; see `assert_called`."""
        if count := len(self.journal.commands(command, user=user, args=args, listener=listener)):
            named = _named(command, user, args, listener)
            self._fail(f"{named} was called, {count} times")

    def _fail(self, problem: str) -> NoReturn:
        raise AssertionError(f"{problem}; the journal:\n{self.journal.describe()}")

    async def wait_for(
        self, command: str, *, user: str | None = None, timeout: float = 5.0
    ) -> Exchange:
        """Return the newest exchange of `command`, waiting up to `timeout` seconds for one.

        Raises TimeoutError, which shows the journal.
        """
        found = await first_found(
            self.journal.followers, lambda: self.journal.commands(command, user=user), timeout
        )
        if found is not None:
            return found
        raise TimeoutError(
            f"no {_named(command, user)} within {timeout:g} seconds; "
            f"the journal:\n{self.journal.describe()}"
        )

    async def wait_for_invocation(
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
        found = await first_found(
            self.invocations.followers, lambda: self.invocations.over(script, args), timeout
        )
        if found is not None:
            return found
        named = "script" if script is None else f'script "{script}"'
        raise TimeoutError(
            f"no {named} was run to its end within {timeout:g} seconds; "
            f"the invocations:\n{self.invocations.describe()}"
        )

    def unfinished_stderr(self, script: str) -> bytes:
        """Return what the programs of [script.NAME] wrote to stderr since their last line end.

        A line of the log ends where theirs does, whichever of them it is that ends it.
        """
        return bytes(self._parts.world.script_stderr.get(script, b""))

    def check(self) -> None:
        """Raise, once, what went wrong in the fake, and what is wrong with stubs.

        That is StubError for stubs without answer, ExpectationError for expectations that are
        not met and for commands that nothing matched where that is an error.
        """
        _raise(self._take_problems())

    def take_complaints(self) -> list[str]:
        """Return, once, what `check` would raise about stubs and expectations, in words."""
        return [str(one) for one in self._take_stub_problems()]

    def verify(self) -> None:
        """Raise ExpectationError for what was expected and has not come so far."""
        _raise(self._unmet())

    def raise_crashes(self) -> None:
        """Raise, once, the exceptions that happened in the fake itself."""
        _raise(self._take_crashes())

    # What a test does to it

    async def reset(self, *, keep_connections: bool = False, **changes: object) -> None:
        """Make everything as it was at the start, but for `changes` of the configuration.

        Open connections are aborted and their end awaited, unless they are kept: a kept
        connection meets the restored store, and has to stay with its release. Listeners stay,
        so `listener`, `base_dir` and `tls` cannot change the sockets. Raises what `check`
        raises, when all is done; ConfigurationError before anything is.
        """
        parts = self._parts
        config = self._configuration(changes)
        self._refuse_moving(config)
        services = script_services(config)
        if keep_connections and release_of(config) != self.release:
            raise ConfigurationError("dovecot: connections that are kept stay with their release")
        await trio.lowlevel.checkpoint()
        if not keep_connections:
            await parts.reception.connections.drop()
        world = self._make_world(parts.premises, config)
        problems = self._take_problems()
        if keep_connections:
            # Their sessions hold the world, so it has to stay the same one.
            parts.world.store, parts.world.stubs = world.store, world.stubs
            parts.world.script_stubs = world.script_stubs
            parts.world.read_file = world.read_file
        else:
            parts.world = world
        self.config = config
        self._listeners = listener_settings(config)
        self._scripts = services
        self.journal.clear()
        self.invocations.clear()
        self.log.clear()
        _raise(problems)

    async def reload(self) -> None:
        """Read configuration and store files again; connections are dropped, listeners stay.

        Raises ConfigurationError or StoreError, and is as before, if the files are wrong.
        """
        stores, self._stores = self._stores, {}
        try:
            await self.reset()
        except FakeDovecotError:
            self._stores = stores
            raise

    def down(self) -> AbstractAsyncContextManager[None]:
        """Be out of order inside `async with`: connections are dropped and new ones refused.

        Afterwards the listeners are back at the same addresses. Store, stubs and journal go
        on.
        """
        return self._parts.reception.down()

    def close_copies(self) -> None:
        """Close the sockets in a forked child, where nobody serves them."""
        self._parts.reception.close_copies()

    # Inside

    @property
    def _parts(self) -> _Parts:
        if self._begun is None:
            raise FakeDovecotError("the fake has not begun; use `async with`")
        return self._begun

    def _configuration(self, changes: dict[str, object]) -> Config:
        settings = self._settings | changes
        if self._file is None:
            return make_config(**settings)
        return load_config(self._file, **settings)

    def _refuse_moving(self, config: Config) -> None:
        for key in ("base_dir", "tls"):
            if getattr(config, key) != getattr(self.config, key):
                raise ConfigurationError(f"{key}: cannot change in reset; start another fake")
        if sockets_of(config) != sockets_of(self.config):
            raise ConfigurationError("listener: sockets cannot change in reset; start another fake")

    def _make_world(self, premises: Premises, config: Config) -> World:
        release = release_of(config)
        store = self._fresh_store(premises, config)
        return World(
            release,
            store,
            armed_stubs(release, config),
            self.journal,
            self.log,
            self.invocations,
            read_file=partial(premises.read_file, store.files),
            base_dir=str(premises.base_dir),
            directory=str(premises.base_dir),
            doveadm_port=config.doveadm_port,
            random=Random(config.seed),
        )

    def _fresh_store(self, premises: Premises, config: Config) -> Store:
        """Return the configured store as it was at first, loading it the first time."""
        key = (config.store, config.clock)
        if key not in self._stores:
            store = store_of(config, str(premises.base_dir))
            self._stores[key] = store, store.snapshot()
        else:
            store, start = self._stores[key]
            store.restore(start)
        store.clock.become(config.clock)
        if config.seed is not None:
            store.random.seed(config.seed)
        return store

    def make_session(self, listener: str) -> Session:
        """Make the session of a new connection to `listener`; to be overridden."""
        if listener in self._scripts:
            return ScriptSession(self._parts.world, self._scripts[listener], listener)
        return DoveadmSession(self._parts.world, self._listeners[listener])

    def _turns_of(self, listener: str) -> Turns | None:
        """Return the turns of a script service; all its listeners share them, for good."""
        service = self._scripts.get(listener)
        if service is None:
            return None
        name = service.name
        turns = self._turns.setdefault(name, Turns(0, lambda: self._log_full(listener)))
        turns.limit = service.process_limit
        return turns

    def _log_full(self, listener: str) -> None:
        service = self._scripts[listener]
        self.log.append(LogRecord(b"master: ", Level.WARNING, scripts.full(service)))

    def _server_context(self, listener: str) -> ssl.SSLContext:
        alpn = self.release.alpn.offered(self._listeners[listener].ssl)
        return self._parts.premises.server_context(alpn=alpn)

    def _take_crashes(self) -> list[Exception]:
        crashes = self._parts.reception.crashes
        taken = crashes.copy()
        crashes.clear()
        return taken

    def _stub_problems(self) -> list[Exception]:
        stubs = self.stubs
        unmatched = [ExpectationError(stubs.explain_unmatched(one)) for one in stubs.unmatched]
        return [*self._unmet(), *self._unarmed(), *unmatched]

    def _unmet(self) -> list[Exception]:
        exchanges = tuple(self.journal)
        return [ExpectationError(one.explain(exchanges)) for one in self.stubs.unmet()]

    def _unarmed(self) -> list[Exception]:
        world = self._parts.world
        unarmed: list[Selected[Any]] = [*world.stubs.unarmed(), *world.script_stubs.unarmed()]
        return [StubError(one.complaint) for one in unarmed]

    def _take_stub_problems(self) -> list[Exception]:
        problems = self._stub_problems()
        world = self._parts.world
        world.stubs.forget_problems()
        for stub in world.script_stubs.unarmed():
            stub.remove()
        return problems

    def _take_problems(self) -> list[Exception]:
        return [*self._take_crashes(), *self._take_stub_problems()]


def _named(
    command: Texts,
    user: Texts | None,
    args: Arguments | None = None,
    listener: str | None = None,
) -> str:
    told = f'"{command}"'
    if user is not None:
        told += f' of user "{user}"'
    if args is not None:
        told += f" with {Selection(command, None, args, None, None).shown_args}"
    return told if listener is None else f'{told} at "{listener}"'


def _raise(problems: Sequence[Exception]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ExceptionGroup("several things went wrong in the fake", problems)
