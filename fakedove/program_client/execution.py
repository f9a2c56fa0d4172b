"""`execute`: one call, blocking or in Trio, whatever the driver."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Unpack

from fakedove.program_client.call import (
    RUN_SECONDS,
    Call,
    CallOptions,
    Driver,
    ExecuteError,
    Target,
    Trace,
    make_call,
)
from fakedove.program_client.forked import execute_forked
from fakedove.program_client.giving_up import GivingUp
from fakedove.program_client.outcome import Execution
from fakedove.program_client.remote import execute_remotely
from fakedove.program_client.temporary_service import execute_with_service


def execute(
    target: str | None = None,
    args: Sequence[str | bytes] = (),
    *,
    config: str | os.PathLike[str] | None = None,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = RUN_SECONDS,
    alarm: int = 0,
    noreply: bool = False,
    output: bool | None = None,
    dotstream: bool | None = None,
    dovecot: str | None = None,
    trace: Trace | None = None,
) -> Execution:
    """Have a program run as Dovecot's program client does, and return what it came to.

    `target` is `unix:PATH` or `tcp:HOST:PORT` (a script service), `fork:PATH` (a child
    process), or `script:PATH` (a child process behind a service that is made for it). With a
    configuration file as `config` it is the NAME of an [execute.NAME] there, None the only
    one; `user` fills in its variables, and `args` follow its own.

    `timeout` is in seconds from the connection on, None for ever; `alarm` is the service's own
    limit in seconds, 0 for none. `noreply` asks for no result code: quota warnings do, and
    hang up at once; with `output` too, what the program prints is read to its end, as the
    full-text decoder does. Without `output` a reply is read for its code alone. `dotstream`
    is by default what the driver has: yes over TCP, else no. `trace` gets "C" or "S" and the
    bytes as they go.

    A service that cannot be reached or answers nonsense is a verdict, not an exception.
    Raises ExecuteError for what cannot be tried; ConfigurationError, UnknownNameError.
    """
    call = _call(
        target,
        args,
        config,
        user,
        env=env,
        stdin=stdin,
        timeout=timeout,
        alarm=alarm,
        noreply=noreply,
        output=output,
        dotstream=dotstream,
        dovecot=dovecot,
        trace=trace,
    )
    return call if isinstance(call, Execution) else carry_out(call, GivingUp())


async def execute_in_trio(
    target: str | None = None,
    args: Sequence[str | bytes] = (),
    *,
    config: str | os.PathLike[str] | None = None,
    user: str | None = None,
    **options: Unpack[CallOptions],
) -> Execution:
    """Do what `execute` does, in a thread, for Trio; its options are the same.

    When it is cancelled, the execution ends first. `trace` is called in that thread.
    """
    import trio

    call = _call(target, args, config, user, **options)
    if isinstance(call, Execution):
        return call
    giving_up = GivingUp()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_give_up_at_the_end, giving_up)
        done = await trio.to_thread.run_sync(partial(carry_out, call, giving_up))
        nursery.cancel_scope.cancel()
    return done


def _call(
    target: str | None,
    args: Sequence[str | bytes],
    config: str | os.PathLike[str] | None,
    user: str | None,
    **options: Unpack[CallOptions],
) -> Call | Execution:
    """Return what is to be called, or what it comes to without a call."""
    if config is not None:
        from fakedove.program_client.by_block import call_by_block

        return call_by_block(config, target, user, args, **options)
    if user is not None:
        raise ExecuteError("user: fills in the variables of a configuration, and there is none")
    return make_call(Target.of(target or ""), args, **options)


async def _give_up_at_the_end(giving_up: GivingUp) -> None:
    import trio

    try:
        await trio.sleep_forever()
    finally:
        giving_up.now()


def carry_out(call: Call, giving_up: GivingUp) -> Execution:
    """Do what `call` says by its driver."""
    match call.target.driver:
        case Driver.FORK:
            return execute_forked(call, giving_up)
        case Driver.SCRIPT:
            return execute_with_service([call.target.path], call, giving_up)
        case _:
            return execute_remotely(call, giving_up)
