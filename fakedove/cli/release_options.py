"""The option that names a release, and the check of what it and `--protocol` say.

A bad one is a mistake on the command line, unlike one in a configuration file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fakedove.dovecot.releases import choose_release
from fakedove.errors import UnknownReleaseError

_F = TypeVar("_F", bound=Callable[..., Any])


def dovecot_option(function: _F) -> _F:
    """Give a command the option `--dovecot`."""
    text = 'Release to behave as: "2.3.19.1", "main".'
    return click.option("--dovecot", metavar="RELEASE", help=text)(function)


def check_release(dovecot: str | None, protocol: str | None = None) -> None:
    """Raise UsageError for a release or protocol that there is not, or two that disagree."""
    try:
        choose_release(dovecot, protocol)
    except UnknownReleaseError as error:
        raise click.UsageError(f"--{error}") from None
