"""The command line: `fakedove serve`, `send`, `run`, and what goes with them.

Each command is a module of this package and is imported when it is called for: `fakedove
--help` imports neither Trio nor the store. Every error is one line on stderr, and the exit
status says what kind it was: 1 a check failed, 2 usage, 69 an address cannot be bound, 70 an
error of the program itself, 78 the configuration is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from fakedove.errors import (
    ConfigurationError,
    FakeDovecotError,
    ListenError,
    StoreError,
    StubError,
    did_you_mean,
)

#: Exit statuses, as in sysexits.h.
FAILED, USAGE, UNAVAILABLE, SOFTWARE, CONFIG = 1, 2, 69, 70, 78

#: The commands, with what `--help` says of them; each is a module of this name.
COMMANDS = {
    "serve": "Run a fake Dovecot until it is told to stop.",
    "run": "Run a command with a fake Dovecot beside it.",
    "send": "Send one command to a doveadm-server, a fake or a real one.",
    "execute": "Have a program run behind a script service, as Dovecot does.",
    "wait": "Wait until a server is ready.",
    "contract": "Check that a server keeps the protocol.",
    "certs": "Write certificates for tests, good ones and bad ones.",
}
#: Commands that later work brings.
LATER_COMMANDS = ("record", "replay", "proxy")

_EXIT_STATUSES: tuple[tuple[type[FakeDovecotError], int], ...] = (
    (ListenError, UNAVAILABLE),
    (ConfigurationError, CONFIG),
    (StoreError, CONFIG),
    (StubError, CONFIG),
)


class _Main(click.Group):
    """The group of all commands: imports them when needed and words all errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"fakedove.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in LATER_COMMANDS:
            ctx.fail(f"{name} is not built yet; there is: {', '.join(COMMANDS)}")
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f'no command "{name}"{did_you_mean(name, COMMANDS)}')
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # this group is only ever the program
        self, args: Sequence[str] | None = None, prog_name: str = "fakedove", **extra: object
    ) -> NoReturn:
        """Run the program and exit; errors become one line on stderr."""
        try:
            status = super().main(args=args, prog_name=prog_name, standalone_mode=False)
        except click.UsageError as error:
            where = prog_name if error.ctx is None else error.ctx.command_path
            _complain(where, f"{error.format_message().rstrip('.')} (see {where} --help)")
            status = USAGE
        except click.ClickException as error:
            _complain(prog_name, error.format_message())
            status = error.exit_code
        except FakeDovecotError as error:
            _complain(prog_name, str(error))
            status = _exit_status(error)
        except (click.Abort, KeyboardInterrupt):
            status = 130
        except Exception as error:
            _complain(prog_name, f"internal error: {error!r} at {_place(error)}")
            status = SOFTWARE
        sys.exit(status)


def _exit_status(error: FakeDovecotError) -> int:
    return next((status for kind, status in _EXIT_STATUSES if isinstance(error, kind)), FAILED)


def _place(error: Exception) -> str:
    """Say in which line of code an error of the program itself happened."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _complain(where: str, text: str) -> None:
    """Write one line, whatever the text."""
    click.echo(f"{where}: {' '.join(text.split())}", err=True)


def _show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"fakedove {version('fakedove')}")
    except PackageNotFoundError:
        raise click.ClickException("run from a source tree, which has no version") from None
    ctx.exit()


@click.command(
    cls=_Main,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Fake Dovecot's admin plane for tests, byte for byte.

    `fakedove serve` runs a fake and says how to talk to it; `fakedove run -- COMMAND` runs
    your tests beside one.
    """
