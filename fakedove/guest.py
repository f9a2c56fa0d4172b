"""A thread that runs Trio as a guest in somebody else's program.

The guest disturbs nothing: it is a daemon thread, ended at exit if nobody did so before; it
touches no signal handler, umask, working directory or environment; and in a forked child,
where threads do not live on, its sockets are closed and every call is refused.

What the thread owns is touched in the thread alone: `call` runs a function there in one step,
`wait` a coroutine function. Both may be used from any thread, `call` from this one too.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import TypeVar, TypeVarTuple

import trio

from fakedove.errors import FakeDovecotError

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

#: Seconds that one step in the thread may take, which is microseconds but for a bug.
STEP_SECONDS = 5.0

#: Seconds that a coroutine gets to end when its time is over.
_GRACE_SECONDS = 1.0


class Guest:
    """A Trio thread that enters an async context manager, and leaves it when stopped."""

    def __init__(
        self, host: AbstractAsyncContextManager[object], close_copies: Callable[[], None]
    ) -> None:
        """Prepare to enter `host`; `close_copies` closes its sockets in a forked child."""
        self._host = host
        self._close_copies = close_copies
        self._thread = threading.Thread(target=self._run, name="fakedove", daemon=True)
        self._begun: Future[tuple[trio.lowlevel.TrioToken, trio.Nursery]] = Future()
        self._failure: BaseException | None = None
        self._unwanted = False
        #: Whether this process is a forked child of the one with the thread.
        self.forked = False

    @property
    def running(self) -> bool:
        """Whether the thread has begun and not ended."""
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether the thread has begun and ended."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self, timeout: float) -> None:
        """Begin, and return when the host is entered; raises what entering it raises."""
        refuse_in_event_loop("start()")
        _guests.add(self)
        self._thread.start()
        try:
            _await(self._begun, timeout)
        except BaseException:
            self._unwanted = True
            self._cancel()
            self._thread.join(_GRACE_SECONDS)
            raise
        atexit.register(self._stop_at_exit)

    def stop(self, timeout: float) -> None:
        """End the thread and wait for it; raises what leaving the host raises.

        Harmless if it is not running.
        """
        refuse_in_event_loop("stop()")
        self._refuse_forked()
        atexit.unregister(self._stop_at_exit)
        if self.running:
            self._cancel()
            self._thread.join(timeout)
        if self.running:
            raise TimeoutError(f"the fake's thread did not end within {timeout:g} seconds")
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def call(self, function: Callable[[*_Ts], _T], *args: *_Ts) -> _T:
        """Run `function` in the thread in one step, and return what it returns.

        When the thread has ended, nobody else touches what it owned, and this one may.
        """
        self._refuse_forked()
        if threading.current_thread() is self._thread:
            return function(*args)
        result: Future[_T] = Future()
        try:
            self._inside()[0].run_sync_soon(_perform, result, function, args)
        except trio.RunFinishedError:
            self._thread.join(STEP_SECONDS)
            return function(*args)
        return _await(result, STEP_SECONDS)

    def wait(self, what: str, function: Callable[[], Awaitable[_T]], timeout: float) -> _T:
        """Run a coroutine function in the thread for at most `timeout` seconds.

        `what` names the call in messages. Refused in a thread where an event loop runs.
        """
        refuse_in_event_loop(what)
        self._refuse_forked()
        token, nursery = self._inside()
        result: Future[_T] = Future()
        try:
            token.run_sync_soon(nursery.start_soon, _attend, result, what, function, timeout)
        except trio.RunFinishedError:
            raise FakeDovecotError(f"{what}: the fake has ended") from self._failure
        return _await(result, timeout + _GRACE_SECONDS)

    def abandon(self) -> None:
        """Close what a forked child has of it, and be of no more use there."""
        self.forked = True
        self._close_copies()

    def _cancel(self) -> None:
        """Tell the thread to end, if it has come so far that it can be told."""
        if self._begun.done() and self._begun.exception() is None:
            token, nursery = self._begun.result()
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(nursery.cancel_scope.cancel)

    def _inside(self) -> tuple[trio.lowlevel.TrioToken, trio.Nursery]:
        if not self._begun.done():
            raise FakeDovecotError("the fake has not begun; use `with` or start()")
        return self._begun.result()

    def _refuse_forked(self) -> None:
        if self.forked:
            raise FakeDovecotError(
                "the fake stayed in the parent when this process was forked; "
                "hand over its addresses, or start one here"
            )

    def _stop_at_exit(self) -> None:
        if not self.forked:
            self.stop(STEP_SECONDS)

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:
            if self._begun.done():
                self._failure = error
            else:
                self._begun.set_exception(error)
        finally:
            _guests.discard(self)

    async def _main(self) -> None:
        async with self._host, trio.open_nursery() as nursery:
            self._begun.set_result((trio.lowlevel.current_trio_token(), nursery))
            if self._unwanted:
                nursery.cancel_scope.cancel()
            await trio.sleep_forever()


def refuse_in_event_loop(what: str) -> None:
    """Raise FakeDovecotError if this thread runs an event loop, which `what` would block."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        remedy = "await asyncio.to_thread(...) it"
    elif trio.lowlevel.in_trio_run():
        remedy = "use AsyncFakeDovecot, or await trio.to_thread.run_sync(...) it"
    else:
        return
    raise FakeDovecotError(f"{what} would block the event loop of this thread; {remedy}")


def _perform(result: Future[_T], function: Callable[..., _T], args: tuple[object, ...]) -> None:
    try:
        result.set_result(function(*args))
    except BaseException as error:
        result.set_exception(error)


async def _attend(
    result: Future[_T], what: str, function: Callable[[], Awaitable[_T]], timeout: float
) -> None:
    try:
        with trio.fail_after(timeout):
            result.set_result(await function())
    except trio.TooSlowError:
        result.set_exception(TimeoutError(f"{what} took more than {timeout:g} seconds"))
    except trio.Cancelled:
        result.set_exception(FakeDovecotError(f"{what}: the fake was stopped"))
        raise
    except Exception as error:
        result.set_exception(error)


def _await(result: Future[_T], seconds: float) -> _T:
    try:
        return result.result(seconds)
    except TimeoutError:
        if result.done():
            raise
        raise TimeoutError(f"the fake's thread gave no answer for {seconds:g} seconds") from None


_guests: weakref.WeakSet[Guest] = weakref.WeakSet()


def _abandon_all() -> None:
    for guest in list(_guests):
        guest.abandon()


os.register_at_fork(after_in_child=_abandon_all)
