"""Options of the commands that connect to a server, and where it is when nobody says."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import click

from fakedove.client import Address

_F = TypeVar("_F", bound=Callable[..., object])


def password_option(function: _F) -> _F:
    """Add `--password`; `fakedove run` exports what it falls back to."""
    return click.option(
        "--password",
        metavar="TEXT",
        envvar="FAKEDOVE_PASSWORD",
        help="doveadm_password of the server; default $FAKEDOVE_PASSWORD.",
    )(function)


def tls_option(function: _F) -> _F:
    """Add `--tls`."""
    return click.option(
        "--tls",
        type=click.Choice(["no", "starttls", "yes"]),
        default="no",
        show_default=True,
        help="Whether and when TLS begins; yes: with the first byte.",
    )(function)


def ca_option(function: _F) -> _F:
    """Add `--ca`."""
    return click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        envvar="FAKEDOVE_CA",
        help="PEM file of the authority to trust; default $FAKEDOVE_CA.",
    )(function)


def default_address() -> Address | None:
    """Return where `fakedove run` says its fake is, or None outside of it."""
    path = os.environ.get("FAKEDOVE_UNIX")
    if path:
        return Address(path)
    host, port = os.environ.get("FAKEDOVE_HOST"), os.environ.get("FAKEDOVE_PORT")
    return Address.of(f"tcp:{host}:{port}") if host and port else None
