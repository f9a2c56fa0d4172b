"""`fakedove execute`: has a program run as Dovecot's features do, and shows what comes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from fakedove.cli.release_options import check_release, dovecot_option
from fakedove.double.conversation import shown
from fakedove.dovecot.program_client import Verdict
from fakedove.dovecot.status import Status
from fakedove.errors import UnknownNameError
from fakedove.program_client import ExecuteError, Execution, execute
from fakedove.program_client.call import RUN_SECONDS

#: What each verdict is called, and the exit status for it. No command of doveadm ends with a
#: verdict (what welcome or a quota warning comes to leaves its exit status 0), so these are: 1
#: for a program that fails, and what doveadm has where it gets no answer that it can use.
_ENDINGS = {
    Verdict.SUCCESS: ("success", 0),
    Verdict.FAILURE: ("failure", 1),
    Verdict.INTERNAL_FAILURE: ("internal failure", Status.TEMPFAIL.value),
}


class _Execute(click.Command):
    """Leaves what stands behind `--` alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta["fakedove.behind_dashes"] = args[end + 1 :]
        return super().parse_args(ctx, args[:end])


@click.command("execute", cls=_Execute, options_metavar="[OPTIONS]")
@click.argument("words", nargs=-1, metavar="TARGET|NAME [-- ARGUMENTS...]")
@click.option(
    "-e",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    help="A variable for the program; may be repeated.",
)
@click.option("--stdin", metavar="FILE", type=click.File("rb"), help="Its stdin; - is our own.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=RUN_SECONDS,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for the answer; 0: for ever.",
)
@click.option(
    "--alarm",
    type=click.IntRange(min=0),
    default=0,
    metavar="SECONDS",
    help="How long the service is asked to wait for the program.",
)
@click.option("--noreply", is_flag=True, help="Ask for no result code, and hang up at once.")
@click.option(
    "--dotstream/--no-dotstream",
    default=None,
    help="Speak dot-stream, as Dovecot does over TCP only; its own script service does not.",
)
@dovecot_option
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with [execute.NAME].",
)
@click.option("--user", metavar="NAME", help="Who fills in the variables of [execute.NAME].")
@click.option("--wire", is_flag=True, help="Show the conversation on stderr.")
@click.pass_context
def command(
    ctx: click.Context,
    words: tuple[str, ...],
    variables: tuple[str, ...],
    stdin: IO[bytes] | None,
    timeout: float,
    alarm: int,
    noreply: bool,
    dotstream: bool | None,
    dovecot: str | None,
    config: Path | None,
    user: str | None,
    wire: bool,
) -> None:
    """Have a program run as Dovecot's quota warnings, Sieve and welcome do.

    fakedove execute script:./warn.sh -e USER=ann -- 80 ann

    TARGET is a script service, unix:PATH or tcp:HOST:PORT; fork:PATH, a program without one;
    or script:PATH, a program behind a service that is made for it. With --config it is the
    NAME of an [execute.NAME] there, or left out if there is but one. The program's output goes
    to stdout, log and verdict to stderr. The exit status is 0 for success, 1 for failure, 75
    if the service did not answer as one does.
    """
    behind: list[str] = ctx.meta["fakedove.behind_dashes"]
    if not words and config is None:
        raise click.UsageError("no TARGET is given; one is script:./hello.sh")
    check_release(dovecot)
    try:
        done = execute(
            words[0] if words else None,
            [*words[1:], *behind],
            config=config,
            user=user,
            env=dict(map(_variable, variables)),
            stdin=None if stdin is None else stdin.read(),
            timeout=timeout or None,
            alarm=alarm,
            noreply=noreply,
            dotstream=dotstream,
            dovecot=dovecot,
            trace=_trace if wire else None,
        )
    except ExecuteError as error:
        raise click.UsageError(str(error)) from None
    except UnknownNameError as error:
        click.echo(f"fakedove execute: {error}", err=True)
        sys.exit(Status.NOUSER.value)
    _show(done)
    sys.exit(_ENDINGS[done.verdict][1])


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f'-e: "{text}" is no NAME=VALUE')
    return name, value


def _trace(who: str, data: bytes) -> None:
    click.echo(shown(who, data), err=True)


def _show(done: Execution) -> None:
    """Print the output as it came, and then in words what else is known."""
    sys.stdout.buffer.write(done.output)
    sys.stdout.buffer.flush()
    for line in _words(done):
        click.echo(line, err=True)


def _words(done: Execution) -> Iterator[str]:
    logged = {record.text for record in done.log}
    for line in done.stderr.splitlines():
        # A service of ours has logged it already.
        if line not in logged:
            yield line.decode(errors="backslashreplace")
    yield from map(str, done.log)
    if done.environment is not None:
        pairs = [f"{name}={value}" for name, value in done.environment.items()]
        yield f"fakedove execute: environment: {' '.join(pairs) or '(empty)'}"
    yield f"fakedove execute: {_ENDINGS[done.verdict][0]}{_status(done.status)}"


def _status(status: int | None) -> str:
    """Say how the program ended, if anybody knows."""
    if status is None:
        return ""
    return f", signal {-status}" if status < 0 else f", exit status {status}"
