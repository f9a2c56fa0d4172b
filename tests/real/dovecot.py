"""A real Dovecot with the recordings' store, started for a while.

    with RealDovecot("2.3.19.1") as real:
        real.addresses["unix"], real.values      # for tests.replay.sockets.play
        real.restore()                           # the store is as at the start again
        real.log()                               # log lines since the last call

The folder is on tmpfs since a listing of it shows the newest entry first, which is the order
that the recordings have.
"""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path
from types import TracebackType

import trustme

from tests.real import store
from tests.real.master import Master, new_folder
from tests.real.pristine import Pristine
from tests.real.variants import USUAL, Variant
from tests.replay.sockets import Address

STORE = Path(__file__).resolve().parents[2] / "fixtures" / "transcripts" / "store" / "store.toml"

_CONFIGURATIONS = Path(__file__).parent / "conf"

#: The passwd-file field that holds a user's storage limit.
_QUOTA_FIELDS = {
    "2.3.19.1": "userdb_quota_rule=*:storage=%s",
    "2.4.1": "userdb_quota_storage_size=%s",
}

#: Listeners over TCP: name, port's name, address of the `local` block with its settings.
_TCP = {
    "tcp": ("tcp", "127.0.0.1"),
    "ssl": ("ssl", "127.0.0.1"),
    "tcp-restricted": ("tcp", "127.0.0.2"),
    "tcp-nopassword": ("tcp", "127.0.0.3"),
    "nossl:tcp": ("tcp", "127.0.0.1"),
    "nocert:tcp": ("tcp", "127.0.0.1"),
}

_UNIX = {
    "unix": "doveadm-server",
    "unix-auth": "doveadm-auth",
    "unix-second": "doveadm-second",
}


#: What the configurations in conf/ call the server.
HOSTNAME = "oracle.example.com"


class RealDovecot:
    """The real server of one release, set up as usual or as another variant."""

    def __init__(self, release: str, variant: Variant = USUAL, *, store_file: Path = STORE) -> None:
        """Choose what to run; nothing is started yet."""
        self.release = release
        self._variant = variant
        self._store_file = store_file
        self._store = store.load(store_file)
        self._pristine: Pristine | None = None

    def __enter__(self) -> RealDovecot:
        """Start the server and build the store."""
        self.folder = new_folder()
        doveadm = self.folder / "run" / "doveadm-server"
        self._master = Master(
            self.release, self.folder, doveadm, b"VERSION\tdoveadm-server\t1\t0\n"
        )
        try:
            self._lay_out()
            self._master.start()
            if self._variant.mails:
                self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every process and remove the folder."""
        self.close()

    @property
    def values(self) -> dict[str, str]:
        """The placeholders of recordings whose value is known."""
        return {"dir": str(self.folder), "hostname": HOSTNAME}

    @property
    def addresses(self) -> dict[str, Address]:
        """Where each listener of the recordings listens."""
        unix = {name: str(self.folder / "run" / path) for name, path in _UNIX.items()}
        tcp = {name: (host, self._ports[port]) for name, (port, host) in _TCP.items()}
        return {**unix, **tcp}

    @property
    def imap(self) -> tuple[str, int]:
        """Where IMAP is spoken."""
        return "127.0.0.1", self._ports["imap"]

    def mail_guids(self) -> dict[str, str]:
        """Return the GUID of every mail, with its name in recordings: user/mailbox/uid."""
        names = store.names(self._store) if self._pristine else []
        return {
            guid: f"{name}/{mailbox}/{uid}"
            for name in names
            for mailbox, uid, guid in self._builder().mails(name)
        }

    def mailbox_guids(self) -> set[str]:
        """Return the GUIDs that the store file pins."""
        return set(store.mailbox_guids(self._store))

    def restore(self) -> None:
        """Put the store back, and the master too if a command has stopped it."""
        # A process died with this lock, and others still wait for it.
        lock = self.folder / "dict.lock"
        if lock.exists() or not self._master.running:
            self._master.stop()
            self._master.start()
        lock.unlink(missing_ok=True)
        if self._pristine:
            self._pristine.restore()

    def log(self) -> list[str]:
        """Return the log lines that came since the last call, without time stamps."""
        return self._master.log()

    def close(self) -> None:
        """End every process and remove the folder."""
        self._master.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lay_out(self) -> None:
        for name in ("tls", "fs"):
            (self.folder / name).mkdir()
        self._ports = _free_ports("tcp", "ssl", "imap")
        self._write_certificate()
        rule = _QUOTA_FIELDS[self.release]
        users = store.passwd_file(self._store, str(self.folder), rule)
        self._write("users", users + self._variant.users)
        self._write("dict", store.dict_file(self._store))
        for path, content in store.files(self._store).items():
            self._write(path, content)
        self._write("dovecot.conf", self._configuration())

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def _write_certificate(self) -> None:
        certificate = trustme.CA().issue_cert("oracle.example.com", "localhost", "127.0.0.1")
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        (self.folder / "tls" / "cert.pem").write_bytes(chain)
        certificate.private_key_pem.write_to_path(str(self.folder / "tls" / "key.pem"))

    def _configuration(self) -> str:
        text = (_CONFIGURATIONS / f"{self.release}.conf").read_text(encoding="utf-8")
        filled = {"dir": str(self.folder), "name": self.folder.name, "more": self._variant.settings}
        filled |= {f"port:{name}": str(port) for name, port in self._ports.items()}
        return re.sub(r"\{\{([a-z:]+)\}\}", lambda found: filled[found[1]], text)

    def _build(self) -> None:
        self._builder().build(self._store)
        homes = [f"home/{name}" for name in store.names(self._store)]
        kept = self.folder / "pristine"
        self._pristine = Pristine(self.folder, kept, [*homes, "dict", "fs"])
        self.log()

    def _builder(self) -> store.Builder:
        doveadm = str(self.folder / "run" / "doveadm-server")
        return store.Builder(doveadm, self.imap, self._store_file.parent)


def _free_ports(*purposes: str) -> dict[str, int]:
    """Find TCP ports that are free on all the loopback addresses in use."""
    held = [socket.socket() for _ in purposes]
    try:
        for one in held:
            one.bind(("0.0.0.0", 0))
        return {name: one.getsockname()[1] for name, one in zip(purposes, held, strict=True)}
    finally:
        for one in held:
            one.close()
