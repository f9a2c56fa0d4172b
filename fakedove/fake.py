"""The fake Dovecot in the caller's own Trio: everything put together.

    async with AsyncFakeDovecot(dovecot="2.3.19.1") as fake:
        stream = await trio.open_unix_socket(fake.path())

`fakedove.sync` offers the same from a thread, to code without Trio. What lies on disk is in
`fakedove.premises`, what listens in `fakedove.reception`.
"""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

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
from fakedove.double.script_stubs import ScriptExpectation, ScriptStub
from fakedove.double.selection import Arguments
from fakedove.double.spelling import Spelling
from fakedove.dovecot import scripts
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level
from fakedove.dovecot.store import Snapshot, Store
from fakedove.errors import (
    ConfigurationError,
    FakeDovecotError,
    UnknownNameError,
    did_you_mean,
)
from fakedove.net.turns import Turns
from fakedove.plan import Session
from fakedove.premises import Premises
from fakedove.reception import Reception
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.script import ScriptSession
from fakedove.sessions.server_log import LogRecord, ServerLog
from fakedove.sessions.world import World
from fakedove.witness import Witness, raise_all

if TYPE_CHECKING:
    import ssl


@dataclass(slots=True)
class _Parts:
    """What there is once the fake has begun."""

    premises: Premises
    reception: Reception
    world: World


class AsyncFakeDovecot(Witness):
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
        # Listeners stay, whatever a reset changes.
        self._spelling = Spelling([one.name for one in self.config.listener])
        super().__init__(self._spelling)
        #: What Dovecot would have written to its log files.
        self.log = ServerLog()
        self._listeners = listener_settings(self.config)
        self._scripts = script_services(self.config)
        self._turns: dict[str, Turns] = {}
        #: Stores, and what they were at the start, by file and by the moment at which mail
        #: without a date was received.
        self._stores: dict[tuple[object, datetime | None], tuple[Store, Snapshot]] = {}
        self._begun: _Parts | None = None
        self._end = AsyncExitStack()

    def __repr__(self) -> str:
        place = "not begun" if self._begun is None else self.base_dir
        return f"<{type(self).__name__}: Dovecot {self.dovecot}, {place}>"

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

    def script(
        self,
        name: str,
        *,
        args: Arguments | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptStub:
        """Select invocations of the service [script.NAME] to be answered by a stub.

        See `ScriptStubs.script`; raises UnknownNameError if there is no such service.
        """
        self._need_script(name)
        return self._parts.world.script_stubs.script(name, args=args, times=times, where=where)

    def expect_script(
        self,
        name: str,
        *,
        args: Arguments | None = None,
        times: int | None = None,
        where: str | None = None,
    ) -> ScriptExpectation:
        """Expect the service [script.NAME] to be called before the fake is checked or ends.

        See `ScriptStubs.expect`; raises UnknownNameError if there is no such service.
        """
        self._need_script(name)
        return self._parts.world.script_stubs.expect(name, args=args, times=times, where=where)

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
        raise_all(problems)

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
    def _world(self) -> World:
        return self._parts.world

    @property
    def _crashes(self) -> list[Exception]:
        return self._parts.reception.crashes

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

    def _need_script(self, name: str) -> None:
        if name not in self.config.script:
            near = did_you_mean(name, self.config.script)
            known = ", ".join(self.config.script) or "none"
            raise UnknownNameError(f"there is no [script.{name}]{near} (there is: {known})")

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
            armed_stubs(release, config, self._spelling),
            self.journal,
            self.log,
            self.invocations,
            read_file=partial(premises.read_file, store.files),
            base_dir=str(premises.base_dir),
            directory=str(premises.base_dir),
            hostname=config.hostname,
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
