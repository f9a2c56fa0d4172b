"""`fakedove certs`: the ready-made certificates, with keys of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("certs")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def command(directory: Path) -> None:
    """Write an authority, certificates and keys for tests into DIRECTORY.

    One good chain for localhost and every way of being wrong that a client must notice;
    README.md beside them says which is which.
    """
    from fakedove.certificates import write_certificates

    try:
        written = write_certificates(directory)
    except OSError as error:
        text = f"{error.filename or directory}: cannot be written: {error.strerror}"
        raise click.ClickException(text) from error
    click.echo(f"{len(written)} files in {directory}")
