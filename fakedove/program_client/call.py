"""What to run, where, and how: the arguments of `execute`, checked."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

from fakedove.client import Address, ClientError
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import choose_release
from fakedove.errors import FakeDovecotError
from fakedove.wire.script import NOREPLY, REPLY, Header, build_header

#: Seconds that sieve_*_exec_timeout has by default; other features wait for ever.
RUN_SECONDS = 10.0
#: Seconds that quota warnings and welcome try to connect.
CONNECT_SECONDS = 1.0

#: Gets "C" or "S" and the bytes that the client sent or received.
Trace: TypeAlias = Callable[[str, bytes], None]


class ExecuteError(FakeDovecotError, ValueError):
    """What was asked for cannot even be tried: no such driver, a program that is not there."""


class Driver(enum.StrEnum):
    """How the program is reached."""

    UNIX = "unix"
    TCP = "tcp"
    #: Without a service: a child process.
    FORK = "fork"
    #: A service that is made for it and lasts as long as it.
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Target:
    """A program, or the service in front of it."""

    driver: Driver
    #: Of a socket or of a program; empty over TCP.
    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def of(cls, text: str) -> Target:
        """Read `unix:PATH`, `tcp:HOST:PORT`, `fork:PATH` or `script:PATH`; raises ExecuteError."""
        scheme, _, rest = text.partition(":")
        if scheme not in tuple(Driver) or not rest:
            what = "unix:PATH, tcp:HOST:PORT, fork:PATH or script:PATH"
            raise ExecuteError(f'"{text}" is no program: it must be {what}')
        if scheme != Driver.TCP:
            return cls(Driver(scheme), rest)
        try:
            address = Address.of(text)
        except ClientError:
            address = None
        if address is None or not address.port:
            raise ExecuteError(f'"{text}" is no address: it must be tcp:HOST:PORT')
        return cls(Driver.TCP, "", address.host, address.port)

    @property
    def name(self) -> str:
        """What Dovecot calls it beside its driver."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"

    @property
    def label(self) -> bytes:
        """What Dovecot calls it in the prefix of a log line."""
        driver = "exec" if self.driver is Driver.FORK else self.driver.value
        return f"{driver}:{self.name}".encode(errors="surrogateescape")


class CallOptions(TypedDict, total=False):
    """The options of `execute`, which says what they mean."""

    env: Mapping[str, str] | None
    stdin: bytes | None
    timeout: float | None
    alarm: int
    noreply: bool
    output: bool | None
    dotstream: bool | None
    dovecot: str | None
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Call:
    """One execution, as it was asked for."""

    target: Target
    header: Header
    #: None: there is none, which is not the same as an empty one.
    stdin: bytes | None
    #: What the program prints is wanted.
    wants_output: bool
    dotstream: bool
    #: Seconds from the connection on; None: for ever.
    timeout: float | None
    release: Release
    trace: Trace | None = None

    def tell(self, who: str, data: bytes) -> None:
        """Show `data` to whoever traces."""
        if self.trace is not None and data:
            self.trace(who, data)

    @property
    def wants_code(self) -> bool:
        """Whether the service is to tell how the program ended."""
        return self.header.option not in (None, NOREPLY)

    @property
    def waits(self) -> bool:
        """Whether the answer is read at all."""
        return self.wants_output or self.wants_code


def make_call(
    target: Target,
    args: Sequence[str | bytes] = (),
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = RUN_SECONDS,
    alarm: int = 0,
    noreply: bool = False,
    output: bool | None = None,
    dotstream: bool | None = None,
    dovecot: str | None = None,
    trace: Trace | None = None,
) -> Call:
    """Check the arguments of `execute`, which says what they mean; raises ExecuteError."""
    release = choose_release(dovecot, None)
    _check_number("alarm", alarm)
    if timeout is not None:
        _check_number("timeout", timeout)
    oneway = release.script.dialect.oneway
    header = Header(
        alarm=alarm,
        environment=tuple(_variables(env or {})),
        option=None if oneway else NOREPLY if noreply else REPLY,
        arguments=tuple(_argument(one) for one in args),
    )
    try:
        build_header(header, release.script.dialect)
    except ValueError as error:
        raise ExecuteError(f"Dovecot {release.number}: {error}") from None
    return Call(
        target=target,
        header=header,
        stdin=stdin,
        # Up to 2.0 the service hangs up before it runs anything.
        wants_output=not oneway and (not noreply if output is None else output),
        dotstream=target.driver is Driver.TCP if dotstream is None else dotstream,
        timeout=timeout,
        release=release,
        trace=trace,
    )


def _check_number(name: str, value: float) -> None:
    if value < 0:
        raise ExecuteError(f"{name}: must be 0 or more, not {value:g}")


def _variables(env: Mapping[str, str]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in env.items():
        if not name or "=" in name:
            raise ExecuteError(f'env: "{name}" is no name of a variable')
        yield _argument(name), _argument(value)


def _argument(value: str | bytes) -> bytes:
    data = os.fsencode(value)
    if b"\0" in data:
        raise ExecuteError(f"{value!r} has a NUL, which no program can be given")
    return data
