"""How a check is declared, and what it can need of the server.

    @check("1.0 handshake: a client of minor 0 hears + or - alone", needs=[LOGIN])
    def minor_zero(server: Server) -> None: ...

A need that is not met skips the check and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from fakedove.contract.server import Facts, Server

_Case = TypeVar("_Case")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a check cannot do without."""

    met: Callable[[Facts], bool]
    #: Why a check is skipped; `{minor}` is the server's.
    otherwise: str


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check; `run` raises `Failed`."""

    name: str
    needs: tuple[Need, ...]
    run: Callable[[Server], None]
    #: The module that declares it.
    family: str

    def obstacle(self, facts: Facts) -> str | None:
        """Return why this check cannot be done on such a server, None if it can."""
        for need in self.needs:
            if not need.met(facts):
                return need.otherwise.format(minor=facts.minor)
        return None


CHECKS: list[Check] = []

CLIENT_FIRST = Need(lambda facts: not facts.greets_first, "the server speaks first")
SERVER_FIRST = Need(lambda facts: facts.greets_first, "the client speaks first")
PREAUTHENTICATED = Need(lambda facts: facts.preauthenticated, "the server wants a password")
#: Somebody who connects has to authenticate.
ASKS = Need(lambda facts: not facts.preauthenticated, "this listener wants no password")
ANSWERS_AUTH = Need(
    lambda facts: not facts.silent, "the server answers no authentication (Dovecot before 2.1)"
)
PASSWORD = Need(lambda facts: facts.has_password, "no password was given")
LOGIN = Need(lambda facts: facts.login, "without a good password nothing can be asked")
USER = Need(lambda facts: facts.user is not None, "no user is known; name one with --user")
NOUSER = Need(
    lambda facts: facts.nouser != b"", "the process dies of an unknown user (before 2.1.2)"
)
MANY = Need(lambda facts: not facts.one_command, "the server closes after one reply (before 2.0.8)")
ONE_COMMAND = Need(lambda facts: facts.one_command, "the server takes any number of commands")
USERNAME = Need(
    lambda facts: not facts.user_option, "the server does not look at the username (2.2.22)"
)
STRICT = Need(
    lambda facts: facts.strict, "the server reads no minor and takes short lines (before 2.2.0)"
)
MINOR_0 = Need(lambda facts: facts.minor == 0, "the server has minor {minor}")
MINOR_1 = Need(lambda facts: facts.minor >= 1, "the server has minor {minor}: no multiplexing")
MINOR_2 = Need(lambda facts: facts.minor >= 2, "the server has minor {minor}: 2 is needed")
MINOR_3 = Need(lambda facts: facts.minor >= 3, "the server has minor {minor}: 3 is needed")
MINOR_4 = Need(lambda facts: facts.minor >= 4, "the server has minor {minor}: no STREAM format")
BELOW_MINOR_2 = Need(
    lambda facts: facts.minor < 2, "the server has minor {minor}: it knows STARTTLS"
)
BELOW_MINOR_3 = Need(
    lambda facts: facts.minor < 3, "the server has minor {minor}: it knows OPTION and x"
)
BELOW_MINOR_4 = Need(
    lambda facts: facts.minor < 4, "the server has minor {minor}: it has the STREAM format"
)
STARTTLS_KNOWN = Need(lambda facts: facts.minor >= 2, "the server has minor {minor}: no STARTTLS")
PLAINTEXT = Need(lambda facts: not facts.tls_first, "this listener speaks TLS from the first byte")
TLS_FIRST = Need(lambda facts: facts.tls_first, "this listener begins without TLS")
STARTTLS = Need(lambda facts: facts.starttls, "the server refuses STARTTLS: it has no TLS set up")


def check(
    name: str, *, needs: Sequence[Need] = ()
) -> Callable[[Callable[[Server], None]], Callable[[Server], None]]:
    """Declare a check."""

    def declare(function: Callable[[Server], None]) -> Callable[[Server], None]:
        CHECKS.append(Check(name, tuple(needs), function, function.__module__))
        return function

    return declare


def check_each(
    name: str, cases: Mapping[str, _Case], *, needs: Sequence[Need] = ()
) -> Callable[[Callable[[Server, _Case], None]], Callable[[Server, _Case], None]]:
    """Declare a check for each case: its key stands in the name's `{}`."""

    def declare(function: Callable[[Server, _Case], None]) -> Callable[[Server, _Case], None]:
        for key, case in cases.items():
            run = partial(_run_case, function, case)
            CHECKS.append(Check(name.format(key), tuple(needs), run, function.__module__))
        return function

    return declare


def _run_case(function: Callable[[Server, _Case], None], case: _Case, server: Server) -> None:
    function(server, case)
