"""Run the checks and report them, one line each.

ok      1.0 handshake: a client of minor 0 hears + or - and nothing else
skip    1.2 tls: STARTTLS ...: the server has minor 1: no STARTTLS
FAILED  1.0 reply: an unknown command is answered \\n-\\n
expected \\n-\\n, got \\n+\\n
C: VERSION\\tdoveadm-server\\t1\\t0\\n
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from fakedove.client import Address, TlsMode
from fakedove.contract import authentication, commands, framing, handshake, tls
from fakedove.contract.connection import Failed
from fakedove.contract.probe import probe, unknown
from fakedove.contract.registry import CHECKS, Check
from fakedove.contract.server import Facts, Server, Target
from fakedove.errors import FakeDovecotError

#: The modules that declare checks, in the order of the report.
_FAMILIES = tuple(one.__name__ for one in (handshake, authentication, commands, framing, tls))


class ContractError(FakeDovecotError):
    """The checks cannot be run: no server, or no such check."""


class Verdict(enum.Enum):
    """What became of a check."""

    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skip"


def run(
    address: str,
    *,
    password: str | None,
    tls: TlsMode = "no",
    ca: str | None = None,
    user: str | None = None,
    out: TextIO,
    only: Sequence[str] = (),
    patience: float = 5.0,
) -> int:
    """Check the server at `address` (unix:PATH, tcp:HOST:PORT) and write a report to `out`.

    `user` is one who exists; without it the server is asked for one (`user *`). `only`: parts
    of names of checks, such as "1.1" or "authentication". `patience` is how many seconds an
    answer may take. `ca` is a PEM file of the authority to trust; without it every
    certificate is good. Returns 0 if no check failed, else 1. Raises ContractError if the
    server cannot be reached or no check has such a name, ClientError for a bad address.
    """
    chosen = _choose(only)
    secret = None if password is None else password.encode()
    target = Target(Address.of(address), secret, tls, ca, patience)
    server = Server(target, unknown(target))
    try:
        return _report(server, chosen, user, out)
    except OSError as error:
        text = f"{target.address}: cannot connect: {error.strerror or error}"
        raise ContractError(text) from error
    finally:
        server.close()


def _choose(only: Sequence[str]) -> list[Check]:
    for part in only:
        if not any(part.lower() in check.name.lower() for check in CHECKS):
            topics = sorted({check.name.partition(":")[0] for check in CHECKS})
            raise ContractError(
                f'no check has "{part}" in its name; there are: {", ".join(topics)}'
            )
    parts = [part.lower() for part in only] or [""]
    chosen = [check for check in CHECKS if any(part in check.name.lower() for part in parts)]
    return sorted(chosen, key=lambda check: _FAMILIES.index(check.family))


def _report(server: Server, checks: Sequence[Check], user: str | None, out: TextIO) -> int:
    try:
        probe(server, user)
    except Failed as failure:
        _tell_failure(server, "the server speaks the protocol at all", failure, out)
        return 1
    finally:
        server.close()
    print(_described(server), file=out)
    count = Counter(_perform(server, check, out) for check in checks)
    print(", ".join(f"{count[verdict]} {verdict.value}" for verdict in Verdict), file=out)
    return 1 if count[Verdict.FAILED] else 0


def _perform(server: Server, check: Check, out: TextIO) -> Verdict:
    obstacle = check.obstacle(server.facts)
    if obstacle is not None:
        print(f"skip    {check.name}: {obstacle}", file=out)
        return Verdict.SKIPPED
    try:
        check.run(server)
    except Failed as failure:
        _tell_failure(server, check.name, failure, out)
        return Verdict.FAILED
    finally:
        server.close()
    print(f"ok      {check.name}", file=out)
    return Verdict.OK


def _tell_failure(server: Server, name: str, failure: Failed, out: TextIO) -> None:
    print(f"FAILED  {name}", file=out)
    print(f"        {failure}", file=out)
    for connection in server.connections:
        for line in connection.lines():
            print(f"        {line}", file=out)


def _described(server: Server) -> str:
    facts: Facts = server.facts
    said = [
        f"{server.target.address}: protocol 1.{facts.minor}",
        "the server speaks first" if facts.greets_first else "the client speaks first",
        "pre-authenticated" if facts.preauthenticated else "with a password",
        "no user is known" if facts.user is None else f"user {facts.user.decode(errors='replace')}",
    ]
    return ", ".join(said)
