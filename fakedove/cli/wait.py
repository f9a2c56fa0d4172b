"""`fakedove wait`: for scripts that start a server in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import click

from fakedove.cli.connecting import default_address
from fakedove.client import Address, Client, ClientError, PasswordNeededError

#: Seconds between two looks.
_PAUSE = 0.02


@click.command("wait")
@click.argument("address", required=False)
@click.option(
    "--ready-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Wait for the file that `fakedove serve --ready-file FILE` writes.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after this time, with exit status 1.",
)
def command(address: str | None, ready_file: Path | None, timeout: float) -> None:
    """Wait until a server is ready: one that writes FILE, or answers at ADDRESS.

    ADDRESS is unix:PATH or tcp:HOST:PORT, and no port that speaks TLS from the first byte.
    """
    where = default_address() if address is None else Address.of(address)
    if (address is not None and ready_file is not None) or not (where or ready_file):
        raise click.UsageError("give either ADDRESS or --ready-file FILE")
    expiry = monotonic() + timeout
    if ready_file is not None:
        what, ready = str(ready_file), _file_complete(ready_file)
    else:
        assert where is not None
        what, ready = str(where), _answers(where, expiry)
    while not ready():
        if monotonic() >= expiry:
            raise click.ClickException(f"{what}: no server was ready within {timeout:g} s")
        sleep(_PAUSE)


def _file_complete(file: Path) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return file.read_bytes().endswith(b"\n")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise click.ClickException(f"{file}: cannot be read: {error.strerror}") from error

    return ready


def _answers(address: Address, expiry: float) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            Client.connect(address, timeout=max(expiry - monotonic(), _PAUSE)).close()
        except PasswordNeededError:
            return True
        except ClientError:
            return False
        return True

    return ready
