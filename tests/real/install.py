"""Install the real Dovecot: `python -m tests.real.install`.

2.3.19.1 comes from the packages of Debian 12, installed on the machine itself; 2.4.1 from
those of Debian 13, in a folder below the user's cache that debootstrap makes and chroot
enters. Where the packages come from is taken from the machine's own apt sources. Nothing is
done twice. Exit status 75 means that the packages cannot be had now: go on without.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RELEASES = ("2.3.19.1", "2.4.1")

#: Exit status of "try again another time", as in sysexits.h.
EX_TEMPFAIL = 75

_PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve")

_SUITE = "trixie"

_APT = Path("/etc/apt")

_ONE_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)")

_FIELD = re.compile(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$")


class Unavailable(Exception):
    """A release cannot be installed or run here; the message says why, in one line."""


def root(release: str) -> Path:
    """Return the root folder that a release is installed under, which may not exist yet."""
    if release == "2.3.19.1":
        return Path("/")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "fakedove" / _SUITE


def enter(folder: Path) -> list[str]:
    """Return the words to put before a command that is to run under a root folder."""
    if folder == Path("/"):
        return []
    mount = 'mount --bind /dev/shm "$0/dev/shm" && exec chroot "$0" "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(folder)]


def missing(release: str) -> str | None:
    """Say in one line why a release cannot run here, or return None if it can."""
    folder = root(release)
    if os.geteuid() != 0:
        return f"Dovecot {release} needs root: it changes to the users' ids"
    if not _installed(folder):
        return f"Dovecot {release} is not installed: {' '.join(_PACKAGES)}"
    answer = subprocess.run(
        [*enter(folder), "dovecot", "--version"], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        return f"Dovecot {release} cannot be run: {answer.stderr.strip()}"
    if not answer.stdout.startswith(f"{release} ") and not answer.stdout.startswith(f"{release}-"):
        return f"Dovecot {release} is wanted, but {answer.stdout.strip()} is installed"
    return None


def install(release: str) -> None:
    """Install a release if it is not there; raise `Unavailable` if that cannot be done."""
    folder = root(release)
    if not _installed(folder):
        if os.geteuid() != 0:
            raise Unavailable(f"to install {' '.join(_PACKAGES)} takes root")
        if folder == Path("/"):
            _apt(*_PACKAGES)
        else:
            _debootstrap(folder)
    if reason := missing(release):
        raise Unavailable(reason)


def mirrors() -> list[str]:
    """Return the archives of Debian itself that the machine's apt sources name.

    They are told from other archives by the suite: it is named after the machine's release.
    """
    codename = _codename()
    return [uri for uri, suites in _sources() if codename in suites]


def _codename() -> str:
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip("\"'")
    return ""


def _sources() -> Iterator[tuple[str, list[str]]]:
    """Yield archive and suites of every apt source, in either of apt's two formats."""
    parts = _APT / "sources.list.d"
    for path in [_APT / "sources.list", *sorted(parts.glob("*.list"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            if found := _ONE_LINE.match(line):
                yield found["uri"], [found["suite"]]
    for path in sorted(parts.glob("*.sources")):
        for stanza in path.read_text(encoding="utf-8").split("\n\n"):
            fields = {found[1].lower(): found[2] for found in _FIELD.finditer(stanza)}
            for uri in fields.get("uris", "").split():
                yield uri, fields.get("suites", "").split()


def _installed(folder: Path) -> bool:
    modules = folder / "usr/lib/dovecot"
    programs = [folder / "usr/sbin/dovecot", modules / "imap", modules / "lmtp"]
    return all(path.exists() for path in programs) and any(modules.glob("modules/*sieve*"))


def _apt(*packages: str) -> None:
    """Install packages on the machine, and keep their services from being started."""
    policy = Path("/usr/sbin/policy-rc.d")
    made = not policy.exists()
    if made:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        _run("apt-get", "update", "-q")
        _run("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)
    finally:
        if made:
            policy.unlink()


def _debootstrap(folder: Path) -> None:
    if shutil.which("debootstrap") is None:
        _apt("debootstrap")
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    archives = mirrors()
    if not archives:
        raise Unavailable("the apt sources of this machine name no Debian archive")
    include = f"--include={','.join(_PACKAGES)}"
    _run("debootstrap", "--variant=minbase", include, _SUITE, str(fresh), archives[0])
    shutil.rmtree(fresh / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _run(*command: str) -> None:
    """Run a command quietly; its last words are the reason if it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        words = done.stdout.strip().splitlines()[-1:]
        raise Unavailable(f"{' '.join(command[:2])} failed: {' '.join(words)}")


def main() -> int:
    """Install both releases; say in one line what could not be done."""
    status = 0
    for release in RELEASES:
        try:
            install(release)
            print(f"Dovecot {release}: ready in {root(release)}")
        except Unavailable as reason:
            print(f"Dovecot {release}: {reason}", file=sys.stderr)
            status = EX_TEMPFAIL
    return status


if __name__ == "__main__":
    sys.exit(main())
