"""Where a fake lives on disk: its base_dir, the files below it, and its certificates.

Everything is made when it is needed and removed at the end, but for what was configured.
Certificates cost milliseconds and `ssl` and `cryptography` more to import, so neither is
touched until somebody speaks TLS or asks for the authority.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fakedove.certificates import ServerCertificate, make_server_certificate
from fakedove.config import Config, Tls
from fakedove.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl


class Premises:
    """The directories of one fake; `close` removes those that are its own."""

    def __init__(self, config: Config) -> None:
        """Make base_dir. Raises ConfigurationError if that is impossible."""
        self._tls: Tls | None = config.tls
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._own = ExitStack()
        if config.base_dir is None:
            self.base_dir = self._fresh_directory("fakedove-")
        else:
            self.base_dir = Path(config.base_dir).absolute()
            _make(self.base_dir)

    def close(self) -> None:
        """Remove the temporary directories."""
        self._own.close()

    def _fresh_directory(self, prefix: str) -> Path:
        directory = Path(tempfile.mkdtemp(prefix=prefix))
        self._own.callback(shutil.rmtree, directory, ignore_errors=True)
        return directory

    # Files

    def read_file(self, layer: Mapping[str, bytes], path: str) -> bytes:
        """Return the content of `path`: from `layer`, else from the disk below base_dir.

        A path is absolute or relative to base_dir, and ends at a NUL, as it does in C. What
        lies outside of base_dir is not there. Raises OSError.
        """
        path, _, _ = path.partition("\0")
        file = os.path.normpath(self.base_dir / path)
        below = os.path.relpath(file, self.base_dir)
        if below in layer:
            return layer[below]
        if not Path(file).resolve().is_relative_to(self.base_dir.resolve()):
            raise FileNotFoundError(2, "No such file or directory", path)
        # A FIFO without a writer would stop the whole fake.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            return stream.read()

    # TLS

    @cached_property
    def certificate(self) -> ServerCertificate:
        """The certificate of [tls], which is then its own authority, or a generated one."""
        if self._tls is not None:
            certificate = Path(self._tls.cert).absolute()
            return ServerCertificate(certificate, certificate, Path(self._tls.key).absolute())
        return make_server_certificate(self._fresh_directory("fakedove-tls-") / "pem")

    def server_context(self, *, alpn: bool) -> ssl.SSLContext:
        """Return the listeners' TLS context. Raises ConfigurationError for bad files."""
        from fakedove.net.tls import server_context

        if alpn not in self._contexts:
            made = self.certificate
            self._contexts[alpn] = server_context(str(made.certificate), str(made.key), alpn)
        return self._contexts[alpn]

    def client_context(self) -> ssl.SSLContext:
        """Return a new context for a client that trusts this server and no other."""
        import ssl

        context = ssl.create_default_context(cafile=self.certificate.ca)
        # A certificate of [tls] is trusted itself, whoever signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"base_dir: {directory}: cannot be made: {error.strerror}; use a directory of yours"
        ) from error
