"""A real Dovecot and the fakedove that its quota warnings, Sieve scripts and welcomes call.

    caller = Caller("2.4.1")
    caller.start()
    caller.fake.script("sieve-pipe").reply(exit=1)
    caller.write_sieve("ann", 'require "vnd.dovecot.pipe"; pipe "prog";')
    caller.deliver("ann", MAIL)                  # what LMTP answers
    caller.mails("ann"), caller.log("ann", 2)    # what became of it
    caller.stop()

Every user name is a user, with a home of its own. Dovecot connects to sockets below its
base_dir and no setting names them there, so fakedove binds them when Dovecot is up.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import fakedove
from fakedove import Invocation
from tests.real.master import PATIENCE, Master, new_folder

_CONFIGURATIONS = Path(__file__).parent / "conf"

#: Sections of the configuration, in their order: in 2.3 a list of plugins grows by each.
USUAL = ("quota", "welcome", "sieve")

#: Where each service listens, below base_dir.
SOCKETS = {
    "quota-warning": "quota-warning",
    "welcome": "welcome",
    "sieve-pipe": "sieve-pipe/prog",
    "sieve-filter": "sieve-filter/prog",
    "sieve-execute": "sieve-execute/prog",
}

#: The variables that Sieve's commands set.
SIEVE_ENVIRONMENT = ("USER", "HOME", "HOST", "SENDER", "RECIPIENT", "ORIG_RECIPIENT")

#: The envelope sender of all mails.
SENDER = "sender@example.org"

_USER_ID = 5000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of a Maildir: the folder that holds it, below the user's home, and its bytes."""

    folder: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What a program came to."""

    status: int
    output: str
    errors: str


class Caller:
    """One release's real server, and a fake of the same release."""

    def __init__(self, release: str) -> None:
        """Make a folder for a release's server; nothing is started yet."""
        self.release = release
        self.folder = new_folder()
        self._run = self.folder / "run"
        self._master = Master(release, self.folder, self._run / "lmtp")
        self.fake = self._fake()
        self._lines: list[str] = []

    def start(self) -> None:
        """Start the server, then the fake."""
        self.configure("dovecot", *USUAL)
        self._master.start()
        for path in SOCKETS.values():
            (self._run / path).parent.mkdir(exist_ok=True)
        self.fake.start()

    def stop(self) -> None:
        """End both, and remove the folder."""
        try:
            self.fake.stop()
        finally:
            self._master.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, name: str, *sections: str, more: str = "") -> Path:
        """Write a configuration file, `more` at its end, and return it."""
        folder = _CONFIGURATIONS / self.release
        texts = [(folder / f"{one}.conf").read_text("utf-8") for one in ("common", *sections)]
        file = self.folder / f"{name}.conf"
        file.write_text(self.filled("".join([*texts, more])), encoding="utf-8")
        return file

    def filled(self, text: str) -> str:
        """Put in the folder's name."""
        return text.replace("{{dir}}", str(self.folder))

    def home(self, user: str) -> Path:
        """Return a user's home."""
        return self.folder / "home" / user

    def write_sieve(self, user: str, script: str) -> None:
        """Make a user's home, with an active Sieve script."""
        home = self.home(user)
        home.mkdir(exist_ok=True)
        file = home / ".dovecot.sieve"
        file.write_text(script, encoding="utf-8")
        for path in (home, file):
            os.chown(path, _USER_ID, _USER_ID)

    def deliver(self, recipient: str, mail: bytes, *options: str) -> str:
        """Deliver a mail by LMTP; return the reply, or "" if the server hung up.

        `options` are those of RCPT TO.
        """
        with smtplib.LMTP(str(self._run / "lmtp"), local_hostname="me", timeout=PATIENCE) as lmtp:
            lmtp.ehlo()
            lmtp.mail(SENDER)
            lmtp.rcpt(recipient, options)
            try:
                code, text = lmtp.data(mail)
            except smtplib.SMTPServerDisconnected:
                return ""
        return f"{code} {text.decode('latin-1')}"

    def doveadm(self, *words: str, configuration: str = "dovecot") -> Said:
        """Run doveadm by one of the configuration files."""
        file = str(self.folder / f"{configuration}.conf")
        ended = subprocess.run(
            self._master.command("doveadm", "-c", file, *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="latin-1",
            timeout=PATIENCE,
            check=False,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def mails(self, user: str) -> list[Mail]:
        """Return all mails of a user."""
        home = self.home(user)
        found = sorted([*home.glob("Maildir/**/new/*"), *home.glob("Maildir/**/cur/*")])
        return [Mail(f"/{one.parent.relative_to(home)}", one.read_bytes()) for one in found]

    def invocations(self, service: str, count: int) -> list[Invocation]:
        """Return the invocations of a service that are over, once there are `count`."""
        return _wait(lambda: self.fake.invocations.over(service), count)

    def log(self, user: str, count: int) -> list[str]:
        """Return what was logged about a user's deliveries, once there are `count` lines."""

        def found() -> list[str]:
            self._lines += self._master.log()
            return [line for line in self._lines if line.startswith(f"lmtp({user})<")]

        return _wait(found, count)

    def _fake(self) -> fakedove.FakeDovecot:
        listeners = [
            {"name": name, "service": "script", "script": name, "path": path, "mode": "0666"}
            for name, path in SOCKETS.items()
        ]
        sieve = {"accept_env": list(SIEVE_ENVIRONMENT)}
        return fakedove.FakeDovecot(
            dovecot=self.release,
            base_dir=str(self._run),
            script={name: sieve if name.startswith("sieve") else {} for name in SOCKETS},
            listener=listeners,
        )


def _wait(find: Callable[[], list[_T]], count: int) -> list[_T]:
    """Return what is found, once that is `count` or time is over."""
    deadline = time.monotonic() + PATIENCE
    while len(found := find()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return found
