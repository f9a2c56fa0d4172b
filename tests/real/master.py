"""A master process of a real Dovecot, in a folder that has one name in and outside its chroot.

    folder = new_folder()                            # with a dovecot.conf in it
    master = Master("2.4.1", folder, folder / "run" / "lmtp")
    master.start()
    master.log()                                     # log lines since the last call
    master.stop()

2.3.19.1 is the machine's own; 2.4.1 runs in a chroot with a mount namespace of its own,
in which /dev/shm is the machine's: so an instance's folder has one name inside and outside,
and nothing stays mounted.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.real import install

#: Both releases see this by the same name. It lists the newest entry of a folder first.
_TMPFS = Path("/dev/shm")

#: Seconds to wait for a process to come up or to go away.
PATIENCE = 20.0

_TIME_STAMP = re.compile(r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d ")


def new_folder() -> Path:
    """Make a folder for one instance, with `run`, `state`, and `home` for users of id 5000."""
    folder = Path(tempfile.mkdtemp(prefix="fd", dir=_TMPFS))
    folder.chmod(0o755)
    for name in ("run", "state", "home"):
        (folder / name).mkdir()
    os.chown(folder / "home", 5000, 5000)
    return folder


class Master:
    """The master of one release, and all the processes that it starts."""

    def __init__(self, release: str, folder: Path, path: Path, hello: bytes = b"") -> None:
        """Choose what to run; it is up when a socket answers to `hello`."""
        self.release = release
        self._folder = folder
        self._path, self._hello = path, hello
        self._enter = install.enter(install.root(release))
        self._read = 0
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        """Return a command line that runs a program of the release."""
        return [*self._enter, *words]

    @property
    def running(self) -> bool:
        """Whether the master lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the master process, and wait until it answers."""
        with (self._folder / "stderr").open("ab") as errors:
            self._process = subprocess.Popen(
                self.command("dovecot", "-F", "-c", str(self._folder / "dovecot.conf")),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        _wait(self._answers, f"Dovecot {self.release} does not come up", self._complaints)

    def stop(self) -> None:
        """End the master and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _end_group(process.pid)

    def log(self) -> list[str]:
        """Return the log lines that came since the last call, without time stamps."""
        with (self._folder / "log").open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return [_TIME_STAMP.sub("", line) for line in whole.decode("latin-1").split("\n")[:-1]]

    def _answers(self) -> bool:
        if not self.running:
            raise RuntimeError(f"Dovecot {self.release} ended: {self._complaints()}")
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE)
                connection.connect(str(self._path))
                connection.sendall(self._hello)
                return connection.recv(1) != b""
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def _complaints(self) -> str:
        files = [self._folder / "stderr", self._folder / "log"]
        return "".join(path.read_text("utf-8", "replace") for path in files if path.exists())


def _end_group(group: int) -> None:
    """Kill what is left of a process group, and wait until it is gone."""

    def gone() -> bool:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return True
        return False

    _wait(gone, f"process group {group} does not go away", str)


def _wait(done: Callable[[], bool], complaint: str, more: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{complaint}: {more()}")
        time.sleep(0.02)
