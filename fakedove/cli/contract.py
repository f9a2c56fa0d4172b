"""`fakedove contract`: the checks that a doveadm-server, fake or real, has to pass."""

from __future__ import annotations

import sys

import click

from fakedove.cli.connecting import ca_option, password_option, tls_option
from fakedove.client import TlsMode


@click.command("contract")
@click.argument("address")
@password_option
@tls_option
@ca_option
@click.option("--user", metavar="NAME", help="A user who exists; default: the server is asked.")
@click.option(
    "--only",
    multiple=True,
    metavar="TEXT",
    help='Run the checks with TEXT in their names, "1.1" or "tls"; may be repeated.',
)
def command(
    address: str,
    password: str | None,
    tls: TlsMode,
    ca: str | None,
    user: str | None,
    only: tuple[str, ...],
) -> None:
    """Check that the server at ADDRESS keeps the protocol.

    ADDRESS is unix:PATH or tcp:HOST:PORT. Nothing on the server is changed. The exit status
    is 1 if a check failed or the server cannot be reached.
    """
    from fakedove.contract import run

    sys.exit(run(address, password=password, tls=tls, ca=ca, user=user, out=sys.stdout, only=only))
