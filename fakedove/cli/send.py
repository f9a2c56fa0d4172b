"""`fakedove send`: one command to a doveadm-server, as the doveadm program sends it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from fakedove.cli.command_words import CommandWords, parse_words
from fakedove.cli.connecting import ca_option, default_address, password_option, tls_option
from fakedove.client import Address, Client, ClientError, Reply, TlsMode
from fakedove.double.conversation import shown
from fakedove.dovecot.status import Status
from fakedove.wire import tabescape
from fakedove.wire.replies import LogLine

_LEVELS = {1: "Debug", 2: "Info", 3: "Warning", 4: "Error"}
#: What the program of 2.4 puts into the field that its `x` flag announces.
_EXTRA, _EXTRA_MINOR = "proxy-ttl=5", 3
_LARGEST_EXIT_STATUS = 255
#: doveadm's one letter options, which here must not be taken for those of the command.
_FLAGS = {"-v": "--verbose", "-D": "--debug"}


class _Send(click.Command):
    """Lets all options through that are not its own, in any place, and `--` as it stands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta["fakedove.behind_dashes"] = args[end:]
        return super().parse_args(ctx, [_FLAGS.get(arg, arg) for arg in args[:end]])


@click.command(
    "send",
    cls=_Send,
    options_metavar="[OPTIONS]",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ADDRESS] COMMAND...")
@password_option
@tls_option
@ca_option
@click.option(
    "--protocol",
    type=click.Choice(["1.0", "1.1", "1.2", "1.3", "1.4"]),
    default="1.3",
    show_default=True,
    help="Protocol version to offer.",
)
@click.option("--timeout", type=click.FloatRange(min=0.001), default=30.0, metavar="SECONDS")
@click.option("--verbose", is_flag=True, help="Ask for info lines, as doveadm -v; also -v.")
@click.option("--debug", is_flag=True, help="Ask for debug lines, as doveadm -D; also -D.")
@click.option("--wire", is_flag=True, help="Show the conversation on stderr.")
@click.pass_context
def command(
    ctx: click.Context,
    words: tuple[str, ...],
    password: str | None,
    tls: TlsMode,
    ca: str | None,
    protocol: str,
    timeout: float,
    verbose: bool,
    debug: bool,
    wire: bool,
) -> None:
    """Send COMMAND to the server at ADDRESS, as doveadm does.

    fakedove send unix:run/doveadm-server quota get -u ann

    ADDRESS is unix:PATH, tcp:HOST:PORT, a path or HOST:PORT; below `fakedove run` it may be
    left out. `save` takes the mail from stdin. Values are printed as a table with TABs, and
    escaped as doveadm -f tab does it, but on a terminal so that it can be read; the exit
    status is doveadm's: 67 no such user, 68 not found, 65 bad data, 64 usage, 75 trouble with
    the server.
    """
    address, words = _address(words)
    sent = parse_words([*words, *_behind_dashes(ctx)])
    flags = "D" * debug + "v" * verbose
    try:
        with Client.connect(
            address,
            password=password,
            tls=tls,
            ca=ca,
            minor=int(protocol.removeprefix("1.")),
            timeout=timeout,
            trace=_trace if wire else None,
        ) as client:
            minor = min(client.server_minor, int(protocol.removeprefix("1.")))
            reply = _send(client, sent, flags, minor)
    except ClientError as error:
        _show_log(address, error.log)
        click.echo(f"fakedove send: {error}", err=True)
        sys.exit(Status.TEMPFAIL.value)
    _show_log(address, reply.log)
    _show(reply, sent, minor)
    if not reply.ok:
        status = reply.status.decode(errors="replace")
        click.echo(f"fakedove send: {address}: the server answered {status}", err=True)
    sys.exit(exit_status(reply.status))


def exit_status(status: bytes) -> int:
    """Return doveadm's exit status for a status line.

    A name that is not known, or none, is TEMPFAIL as with doveadm 2.3; 2.4 has 255.
    """
    if status.startswith(b"+"):
        return 0
    name = status[1:].split(b" ")[0].decode(errors="replace")
    if name.isascii() and name.isdigit() and int(name) <= _LARGEST_EXIT_STATUS:
        return int(name)
    known = Status.__members__.get(name)
    if known is None or not 0 < known.value < _LARGEST_EXIT_STATUS:
        return Status.TEMPFAIL.value
    return known.value


def _address(words: tuple[str, ...]) -> tuple[Address, tuple[str, ...]]:
    """Return where to send, and the words of the command."""
    address = default_address()
    if words and (":" in words[0] or "/" in words[0]):
        address, words = Address.of(words[0]), words[1:]
    elif address is None:
        raise click.UsageError("no ADDRESS is given, and there is no $FAKEDOVE_UNIX either")
    if not words:
        raise click.UsageError('no COMMAND is given; one is "quota get -u ann"')
    return address, words


def _behind_dashes(ctx: click.Context) -> Sequence[str]:
    behind: list[str] = ctx.meta["fakedove.behind_dashes"]
    return behind


def _send(client: Client, sent: CommandWords, flags: str, minor: int) -> Reply:
    understood = sent.invocation(minor)
    body = None
    if understood is not None and understood.takes_body:
        body = sys.stdin.buffer.read()
    extra = _EXTRA if minor >= _EXTRA_MINOR else None
    return client.command(
        sent.name,
        user=sent.user,
        args=sent.arguments,
        body=body,
        flags=flags if extra is None else flags + "x",
        extra=extra,
    )


def _show(reply: Reply, sent: CommandWords, minor: int) -> None:
    """Print the values in rows, below the columns' names if the command is known."""
    understood = sent.invocation(minor)
    columns = () if understood is None else understood.columns
    escape = _readable if sys.stdout.isatty() else tabescape.escape
    lines = [reply.text] if reply.text else []
    if reply.fields:
        width = len(columns) or len(reply.fields)
        lines += ["\t".join(columns).encode()] if columns else []
        for start in range(0, len(reply.fields), width):
            row = reply.fields[start : start + width]
            lines.append(b"\t".join([escape(value) for value in row]))
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
    sys.stdout.buffer.flush()


def _readable(value: bytes) -> bytes:
    r"""Return `value` with control characters as `\n` or `\x01`; other text is as it is."""
    text = value.decode(errors="backslashreplace")
    shown = [
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    ]
    return "".join(shown).encode()


def _show_log(address: Address, log: Sequence[LogLine]) -> None:
    for line in log:
        level = _LEVELS.get(line.level, f"level {line.level}")
        text = line.text.decode(errors="backslashreplace")
        click.echo(f"{level}: remote({address}): {text}", err=True)


def _trace(who: str, data: bytes) -> None:
    click.echo(shown(who, data), err=True)
