"""A script service for one execution, so that a program needs no second terminal.

It runs the program as `[script.NAME]` does, on a UNIX socket in a directory of its own, and
accepts all variables that the client sends. Afterwards both sides are known: what the client
concludes, and how the program ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fakedove.dovecot import scripts
from fakedove.dovecot.program_client import Verdict
from fakedove.dovecot.reply import Level
from fakedove.program_client.call import Call, Driver, Target
from fakedove.program_client.giving_up import GivingUp
from fakedove.program_client.outcome import Execution
from fakedove.program_client.remote import execute_remotely

if TYPE_CHECKING:
    from fakedove.sessions.server_log import LogRecord
    from fakedove.sync import FakeDovecot

_FOR_EVER: Final = float("inf")
#: Seconds after which somebody who gives up is heard.
_PATIENCE: Final = 0.2
_LISTENER: Final = "script"


def execute_with_service(command: Sequence[str], call: Call, giving_up: GivingUp) -> Execution:
    """Run `command`, program and first arguments, behind a service; then end the service."""
    from fakedove.sync import FakeDovecot

    begun = time.monotonic()
    name = os.fsencode(Path(command[0]).name).decode(errors="replace")
    with FakeDovecot(None, **_settings(name, command, call)) as fake:
        asked = replace(call, target=Target(Driver.UNIX, fake.path(_LISTENER)))
        done = execute_remotely(asked, giving_up)
        timeout = _FOR_EVER if call.timeout is None else call.timeout
        if done.verdict is not Verdict.INTERNAL_FAILURE:
            _see_the_end(fake, begun + timeout, giving_up)
        invocation = next(iter(fake.invocations), None)
        rest = fake.unfinished_stderr(name)
    records = tuple(fake.log)
    done = replace(done, log=(*records, *done.log))
    if invocation is None:
        return done
    stderr = [one.text + b"\n" for one in records if not _is_own(one, name, invocation.status)]
    return replace(
        done,
        environment=invocation.env,
        status=invocation.status,
        result=invocation.result,
        stderr=b"".join(stderr) + rest,
    )


def _settings(name: str, command: Sequence[str], call: Call) -> dict[str, object]:
    """Return the configuration of a fake that runs `command` and nothing else."""
    variables = [os.fsdecode(variable) for variable, _ in call.header.environment]
    listener = {"name": _LISTENER, "service": "script", "script": name, "path": _LISTENER}
    return {
        "dovecot": call.release.number,
        "script": {name: {"executable": list(command), "accept_env": variables}},
        "listener": [listener],
    }


def _see_the_end(fake: FakeDovecot, expiry: float, giving_up: GivingUp) -> None:
    """Wait for the program to end; a client that hangs up at once has not."""
    while not giving_up.wanted and (left := expiry - time.monotonic()) > 0:
        with suppress(TimeoutError):
            fake.wait_for_invocation(timeout=min(left, _PATIENCE))
            return


def _is_own(record: LogRecord, service: str, status: int | None) -> bool:
    """Tell whether a line of the log is the service's own, and not its program's stderr."""
    own = {scripts.WAIT_INTERRUPTED, scripts.RESULT_LOST, scripts.abnormal_end(status or 0)}
    named = record.prefix in (b"script: ", b"%b: " % service.encode())
    return not named or record.level is not Level.ERROR or record.text in own
