"""`fakedove serve`: a fake for whatever is not Python, until a signal ends it."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click
import trio

from fakedove.cli.serving import FakeOptions, ServedFake, fake_options, say, served_fake
from fakedove.config import Listener, Ssl, script_socket
from fakedove.errors import FakeDovecotError, ListenError
from fakedove.net.listeners import is_loopback, tcp_listener

#: Where Dovecot's documentation has doveadm and script services listen.
DOCUMENTED_PORT, DOCUMENTED_SCRIPT_PORT = 24245, 12345

#: The script service of a run that is told of none.
_HELLO = Path(__file__).resolve().parents[1] / "data" / "scripts" / "hello.sh"
_DEFAULT_SCRIPTS = {"hello": ["/bin/sh", str(_HELLO)]}

_USERS_SHOWN = 20


@click.command("serve")
@click.argument("config", required=False, type=click.Path(dir_okay=False, path_type=Path))
@fake_options
@click.option("--host", metavar="HOST", help="Address to listen on over TCP; default 127.0.0.1.")
@click.option("--ephemeral", is_flag=True, help="Use free ports, not the documented one.")
@click.option("--json", "as_json", is_flag=True, help="Say on stdout, in a line of JSON, it runs.")
@click.option(
    "--ready-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write that line to FILE; FILE is removed at the end.",
)
def command(
    options: FakeOptions,
    host: str | None,
    ephemeral: bool,
    as_json: bool,
    ready_file: Path | None,
) -> None:
    """Run a fake Dovecot and say how to talk to it.

    CONFIG is a TOML file; without one the fake has a UNIX socket and, over TCP, a port with
    STARTTLS, one with TLS, and a script service. SIGTERM and SIGINT end it, SIGHUP reads
    configuration and store again.
    """
    if ready_file is not None:
        # One that a killed server left would say "ready" too early.
        ready_file.unlink(missing_ok=True)
    trio.run(_serve, options, host, ephemeral, as_json, ready_file)


async def _serve(
    options: FakeOptions,
    host: str | None,
    ephemeral: bool,
    as_json: bool,
    ready_file: Path | None,
) -> None:
    # Signals that come while the fake begins are kept for the loop below.
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        settings = _listening(options, host, ephemeral)
        async with served_fake(options, **settings) as fake:
            ready = json.dumps(fake.describe())
            _introduce(fake)
            with _ready_file(ready_file, ready):
                if as_json:
                    print(ready, flush=True)
                say("ready")
                async for number in signals:
                    if number != signal.SIGHUP:
                        break
                    await _reload(fake)
                _complain(fake)


def _listening(options: FakeOptions, host: str | None, ephemeral: bool) -> dict[str, object]:
    """Return the setting `listener`, unless the configuration has its own."""
    if options.names_listeners():
        if host is not None:
            raise click.UsageError("--host has no effect on the listeners of a configuration")
        return {}
    host = host or "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host

    def address(documented: int) -> str:
        return f"{shown}:{0 if ephemeral else _documented_port(host, documented)}"

    unix = {"name": "unix", "path": "doveadm-server", "mode": "0600"}
    tcp = {"name": "tcp", "address": address(DOCUMENTED_PORT)}
    tls = {"name": "tls", "address": f"{shown}:0", "ssl": "yes"}
    scripts = options.script_settings(_DEFAULT_SCRIPTS)
    names = list(options.load(**scripts).script)
    sockets = [script_socket(name) for name in names]
    if names:
        over_tcp = {"name": "script", "service": "script", "script": names[0]}
        sockets.append(over_tcp | {"address": address(DOCUMENTED_SCRIPT_PORT)})
    return scripts | {"listener": [unix, tcp, tls, *sockets]}


def _documented_port(host: str, port: int) -> int:
    """Return the documented port, or 0 if somebody has it."""
    try:
        tcp_listener(host, port).close()
    except ListenError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
            say(f"port {port} is in use; taking a free one")
            return 0
        raise
    return port


def _introduce(fake: ServedFake) -> None:
    """Say what runs where, and what to try."""
    say(f"fakedove: Dovecot {fake.dovecot}, protocol 1.{fake.release.dialect.minor}")
    for listener in fake.config.listener:
        say(f"  {listener.name:<8} {_place(fake, listener)}   {_access(listener)}")
        if listener.address is not None and not is_loopback(listener.address[0]):
            say(f"  warning: other machines can reach {listener.name}")
    if fake.config.speaks_tls:
        say(f"  {'ca':<8} {fake.ca_path}")
    say(f"users: {_users(fake)}")
    _suggest(fake)


def _users(fake: ServedFake) -> str:
    """Return the first users' names, and how many more there are."""
    shown = list(islice(fake.store.names(), _USERS_SHOWN))
    more = fake.store.count() - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _place(fake: ServedFake, listener: Listener) -> str:
    if listener.address is None:
        return fake.path(listener.name)
    host, port = fake.address(listener.name)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _access(listener: Listener) -> str:
    if listener.service == "script":
        return f"script {listener.script}"
    if listener.address is None and listener.mode == 0o600:
        return "no password needed"
    if not listener.doveadm_password:
        return "no password is set, so nobody is let in"
    tls = {Ssl.NO: "no TLS", Ssl.STARTTLS: "plain or STARTTLS", Ssl.YES: "TLS"}[listener.ssl]
    return f"{tls}, password {listener.doveadm_password}"


def _suggest(fake: ServedFake) -> None:
    tries = [*_doveadm_tries(fake), *_script_tries(fake)]
    for line in ("try:", *tries) if tries else ():
        say(line)


def _doveadm_tries(fake: ServedFake) -> list[str]:
    user = next(iter(fake.store.names()), "nobody")
    for listener in fake.config.listener:
        if listener.service == "doveadm" and listener.address is None and listener.mode == 0o600:
            path = fake.path(listener.name)
            hello = rf"VERSION\tdoveadm-server\t1\t0\n\t{user}\tquota get\n"
            return [
                f"  printf '{hello}' | nc -U {path}",
                f"  doveadm mailbox list -u {user} -S {path}",
                f"  fakedove send unix:{path} quota get -u {user}",
            ]
    return []


def _script_tries(fake: ServedFake) -> list[str]:
    for listener in fake.config.listener:
        if listener.service == "script" and listener.address is None:
            return [f"  fakedove execute unix:{fake.path(listener.name)} -- one two"]
    return []


@contextmanager
def _ready_file(file: Path | None, line: str) -> Iterator[None]:
    """Keep `line` in `file`, which is never seen half written."""
    if file is None:
        yield
        return
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(line + "\n", encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def _reload(fake: ServedFake) -> None:
    """Take over changed files; wrong ones are told, and the fake stays as it was."""
    _complain(fake)
    try:
        await fake.reload()
    except FakeDovecotError as error:
        say(f"fakedove serve: not reloaded: {' '.join(str(error).split())}")
    else:
        say("reloaded")


def _complain(fake: ServedFake) -> None:
    for complaint in fake.take_complaints():
        say(f"fakedove serve: {complaint}")
