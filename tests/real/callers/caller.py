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

import itertools
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

CONFIGURATIONS = Path(__file__).parent / "conf"

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

#: Services that run a program: where they listen, and what they run.
PROGRAMS = {
    "upper": ("sieve-filter/upper", "exec tr a-z A-Z"),
    "told": ("sieve-pipe/told", 'cat >/dev/null; echo "$USER heard $1" >&2; exit "$2"'),
    "deaf": ("sieve-pipe/deaf", "exit 0"),
}

#: The variables that Sieve's commands set.
SIEVE_ENVIRONMENT = ("USER", "HOME", "HOST", "SENDER", "RECIPIENT", "ORIG_RECIPIENT")

#: The envelope sender of all mails.
SENDER = "sender@example.org"

_USER_ID = 5000

_T = TypeVar("_T")


def mail_of(size: int) -> bytes:
    """Return a mail of about `size` bytes."""
    line = b"x" * 70 + b"\r\n"
    return b"Subject: big\r\n\r\n" + line * (size // len(line))


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
        self._users = itertools.count(1)

    def start(self) -> None:
        """Start the server, then the fake."""
        self.configure("dovecot", *USUAL)
        self._master.start()
        self.fake.start()

    def stop(self) -> None:
        """End both, and remove the folder."""
        try:
            self.fake.stop()
        finally:
            self._master.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, name: str, *sections: str) -> None:
        """Write the configuration file `name`.conf, of the common part and more sections."""
        folder = CONFIGURATIONS / self.release
        texts = [(folder / f"{one}.conf").read_text("utf-8") for one in ("common", *sections)]
        (self.folder / f"{name}.conf").write_text(self.filled("".join(texts)), "utf-8")

    def filled(self, text: str) -> str:
        """Put in the folder's name."""
        return text.replace("{{dir}}", str(self.folder))

    def new_user(self) -> str:
        """Return the name of a user who has not been heard of."""
        return f"user{next(self._users)}"

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

    def status(self, user: str, configuration: str = "dovecot") -> Said:
        """Ask doveadm for the status of a user's INBOX, which it makes if there is none."""
        words = ("mailbox", "status", "-u", user, "messages", "INBOX")
        return self.doveadm(*words, configuration=configuration)

    def doveadm(
        self,
        *words: str,
        configuration: str = "dovecot",
        stdin: bytes = b"",
        patience: float = PATIENCE,
    ) -> Said:
        """Run doveadm by one of the configuration files, for `patience` seconds at most."""
        file = str(self.folder / f"{configuration}.conf")
        ended = subprocess.run(
            self._master.command("doveadm", "-c", file, *words),
            input=stdin,
            capture_output=True,
            timeout=patience,
            check=False,
        )
        output, errors = ended.stdout.decode("latin-1"), ended.stderr.decode("latin-1")
        return Said(ended.returncode, output, errors)

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
            return [line for line in self.lines() if line.startswith(f"lmtp({user})<")]

        return _wait(found, count)

    def crash_log(self, start: int) -> list[str]:
        """Return what was logged from line `start` on, once a process has been killed."""
        _wait(lambda: [one for one in self.lines()[start:] if " killed with signal " in one], 1)
        return self.lines()[start:]

    def lines(self) -> list[str]:
        """Return all that was logged so far."""
        self._lines += self._master.log()
        return self._lines

    def _fake(self) -> fakedove.FakeDovecot:
        services = {name: {"accept_env": list(SIEVE_ENVIRONMENT)} for name in (*SOCKETS, *PROGRAMS)}
        for name, (_, commands) in PROGRAMS.items():
            services[name]["executable"] = [str(self._program(name, commands))]
        paths = SOCKETS | {name: path for name, (path, _) in PROGRAMS.items()}
        listeners = [
            {"name": name, "service": "script", "script": name, "path": path, "mode": "0666"}
            for name, path in paths.items()
        ]
        return fakedove.FakeDovecot(
            dovecot=self.release, base_dir=str(self._run), script=services, listener=listeners
        )

    def _program(self, name: str, commands: str) -> Path:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{commands}\n", encoding="utf-8")
        file.chmod(0o755)
        return file


def _wait(find: Callable[[], list[_T]], count: int) -> list[_T]:
    """Return what is found, once that is `count` or time is over."""
    deadline = time.monotonic() + PATIENCE
    while len(found := find()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return found
