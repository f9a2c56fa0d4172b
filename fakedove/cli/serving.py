"""What `serve` and `run` share: the options of a fake, and the fake they make."""

from __future__ import annotations

import errno
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from fakedove.cli.release_options import check_release, dovecot_option
from fakedove.cli.watching import Watch
from fakedove.config import Config, load_config, make_config
from fakedove.fake import AsyncFakeDovecot
from fakedove.plan import Session

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class FakeOptions:
    """The options as they were given; None is not given."""

    config: Path | None
    dovecot: str | None
    protocol: str | None
    store: Path | None
    password: str | None
    wire: bool
    journal: Path | None
    #: Programs of script services, by the service's name.
    scripts: dict[str, list[str]]

    def names_listeners(self) -> bool:
        """Whether the configuration file says where to listen. Raises ConfigurationError."""
        return self._configures("listener")

    def script_settings(self, default: Mapping[str, list[str]]) -> dict[str, object]:
        """Return the setting `script` that the options make, `default` without any.

        Raises ConfigurationError; UsageError if the configuration file has script services.
        """
        if not self._configures("script") and not self._configures("listener"):
            scripts = self.scripts or default
            return {"script": {name: {"executable": words} for name, words in scripts.items()}}
        if self.scripts:
            raise click.UsageError("--script: write [script.NAME] into the configuration")
        return {}

    def load(self, **settings: object) -> Config:
        """Return the configuration file with `settings` above it. Raises ConfigurationError."""
        if self.config is None:
            return make_config(**settings)
        return load_config(self.config, **settings)

    def _configures(self, key: str) -> bool:
        if self.config is None:
            return False
        load_config(self.config)
        return key in tomllib.loads(self.config.read_text(encoding="utf-8"))


def fake_options(function: Callable[Concatenate[FakeOptions, _P], None]) -> Callable[..., None]:
    """Give a command the options of a fake, as FakeOptions in its first argument."""

    @dovecot_option
    @click.option("--protocol", metavar="1.N", help="Instead: newest release with this protocol.")
    @click.option(
        "--store",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="TOML file with users and their mail; default a demo store.",
    )
    @click.option("--password", metavar="TEXT", help='doveadm_password; default "secret".')
    @click.option("--wire", is_flag=True, help="Show conversations on stderr as they happen.")
    @click.option(
        "--journal",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Add each command and its answer to FILE, one JSON line each.",
    )
    @click.option(
        "--script",
        "scripts",
        metavar="NAME=COMMAND",
        multiple=True,
        callback=_named_commands,
        help="A script service: socket NAME runs COMMAND, which is split at spaces.",
    )
    @wraps(function)
    def command(
        config: Path | None,
        dovecot: str | None,
        protocol: str | None,
        store: Path | None,
        password: str | None,
        wire: bool,
        journal: Path | None,
        scripts: dict[str, list[str]],
        *args: _P.args,
        **others: _P.kwargs,
    ) -> None:
        check_release(dovecot, protocol)
        options = FakeOptions(config, dovecot, protocol, store, password, wire, journal, scripts)
        function(options, *args, **others)

    return command


def _named_commands(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> dict[str, list[str]]:
    """Take `NAME=COMMAND` apart."""
    commands: dict[str, list[str]] = {}
    for value in values:
        name, equals, command = value.partition("=")
        if not (name and equals and command.split()):
            raise click.BadParameter(f'"{value}" must be NAME=COMMAND, such as hello=./hello.sh')
        if "/" in name or name in commands:
            problem = "is a file's name" if "/" in name else "is given twice"
            raise click.BadParameter(f'"{value}": NAME {problem}')
        commands[name] = command.split()
        if problem := _unfit(commands[name][0]):
            raise click.BadParameter(f'"{value}": {commands[name][0]}: {problem}')
    return commands


def _unfit(program: str) -> str:
    """Say why a program cannot be run, if that is to be seen: its first client is late for that."""
    path = Path(program)
    if not path.exists():
        return os.strerror(errno.ENOENT)
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    return "" if os.access(path, os.X_OK) else "is not executable"


class ServedFake(AsyncFakeDovecot):
    """A fake that can be watched."""

    def __init__(self, watch: Watch | None, options: FakeOptions, **settings: object) -> None:
        super().__init__(
            options.config,
            dovecot=options.dovecot,
            protocol=options.protocol,
            store=None if options.store is None else os.fspath(options.store),
            doveadm_password=options.password,
            **settings,
        )
        self._watch = watch
        self.log.sink = lambda record: say(record.shown)
        if watch is not None:
            watch.follow(self.journal)

    def make_session(self, listener: str) -> Session:
        """Make a session, under observation if somebody watches."""
        session = super().make_session(listener)
        return session if self._watch is None else self._watch.wrap(listener, session)


@asynccontextmanager
async def served_fake(options: FakeOptions, **settings: object) -> AsyncIterator[ServedFake]:
    """Run a fake as `options` and `settings` have it; the journal's file stays."""
    with ExitStack() as stack:
        watch = None
        if options.wire or options.journal is not None:
            file = None
            if options.journal is not None:
                try:
                    file = stack.enter_context(options.journal.open("a", encoding="utf-8"))
                except OSError as error:
                    text = f"{options.journal}: cannot be written: {error.strerror}"
                    raise click.ClickException(text) from error
            watch = Watch(say if options.wire else None, file)
        async with ServedFake(watch, options, **settings) as fake:
            yield fake


def say(text: str) -> None:
    """Write a line to stderr at once."""
    print(text, file=sys.stderr, flush=True)
