"""`fakedove run`: a fake beside a command, a test suite in any language for example."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import click
import trio

from fakedove.cli.serving import FakeOptions, ServedFake, fake_options, say, served_fake
from fakedove.config import Listener, Ssl

#: Exit statuses of a shell: not executable, not found, ended by a signal.
_NOT_EXECUTABLE, _NOT_FOUND, _SIGNALLED = 126, 127, 128
#: A check has failed.
_UNMET = 1


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with the fake's configuration.",
)
@click.option("--verify", is_flag=True, help="Exit with 1 if an expectation is not met.")
@fake_options
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(options: FakeOptions, words: tuple[str, ...], verify: bool) -> None:
    """Run COMMAND with a fake Dovecot beside it, and exit as it does.

    With --verify it exits with 1, and explains, if COMMAND was content but an [[expect]] of the
    configuration was not met, or something came that nothing matched (unmatched = "fail").

    The fake listens on free ports. COMMAND finds it in its environment: FAKEDOVE_UNIX is the
    path of a socket that wants no password; FAKEDOVE_HOST and FAKEDOVE_PORT (STARTTLS),
    FAKEDOVE_TLS_PORT, FAKEDOVE_PASSWORD and FAKEDOVE_CA are for TCP; FAKEDOVE_SCRIPT and
    FAKEDOVE_SCRIPT_PORT are a script service's; FAKEDOVE_BASE_DIR and FAKEDOVE_DOVECOT, the
    release, may help too.
    """
    sys.exit(trio.run(_run, options, words, verify))


async def _run(options: FakeOptions, words: tuple[str, ...], verify: bool) -> int:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with served_fake(options, **options.script_settings({})) as fake:
            environment = os.environ | _exported(fake)
            try:
                child = await trio.lowlevel.open_process(
                    words, stdin=None, stdout=None, stderr=None, env=environment
                )
            except OSError as error:
                click.echo(f"fakedove run: {words[0]}: {error.strerror}", err=True)
                missing = isinstance(error, FileNotFoundError)
                return _NOT_FOUND if missing else _NOT_EXECUTABLE
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_forward, signals, child)
                status = await child.wait()
                nursery.cancel_scope.cancel()
            unmet = fake.take_complaints()
    status = status if status >= 0 else _SIGNALLED - status
    return (status or _UNMET) if verify and _told(unmet) else status


def _told(complaints: list[str]) -> bool:
    """Say what was expected and did not come; return whether there was anything."""
    for complaint in complaints:
        say(f"fakedove run: {complaint}")
    return bool(complaints)


async def _forward(signals: AsyncIterator[int], child: trio.Process) -> None:
    """Pass signals on; the child's end ends everything."""
    async for number in signals:
        if not (number == signal.SIGINT and _in_foreground()):
            child.send_signal(signal.Signals(number))


def _in_foreground() -> bool:
    """Whether a terminal has sent its Ctrl-C to the child as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def _exported(fake: ServedFake) -> dict[str, str]:
    """Return the variables that say where the fake is: the first listener of each kind."""
    exported = {
        "FAKEDOVE_PASSWORD": fake.password,
        "FAKEDOVE_BASE_DIR": fake.base_dir,
        "FAKEDOVE_DOVECOT": fake.dovecot,
    }
    if fake.config.speaks_tls:
        exported["FAKEDOVE_CA"] = fake.ca_path
    for listener in fake.config.listener:
        for key, value in _place(fake, listener).items():
            exported.setdefault(key, value)
    return exported


def _place(fake: ServedFake, listener: Listener) -> dict[str, str]:
    is_script = listener.service == "script"
    if listener.address is None:
        key = "FAKEDOVE_SCRIPT" if is_script else "FAKEDOVE_UNIX"
        return {key: fake.path(listener.name)}
    host, port = fake.address(listener.name)
    secure = listener.ssl is Ssl.YES and not is_script
    kind = "SCRIPT_" if is_script else "TLS_" if secure else ""
    return {"FAKEDOVE_HOST": host, f"FAKEDOVE_{kind}PORT": str(port)}
