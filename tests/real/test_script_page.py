"""What we say of scripts in dovecot.conf, asked of the real `doveconf` and master."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.generate import README
from tests.docs.snippets import Snippet, snippets
from tests.real import install
from tests.real.callers.caller import CONFIGURATIONS
from tests.real.master import PATIENCE, Master, new_folder
from tests.test_documented_blocks import samples

pytestmark = pytest.mark.real

_PAGE = README.parent / "docs" / "script.md"

#: What every configuration of a release begins with.
_BEGINNING = {
    "2.3.19.1": "",
    "2.4.1": "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n",
}

_SERVICE = "service hello {\n  %s\n}\n"

#: Samples that are refused, and why.
_REFUSED: Mapping[str, tuple[str, str]] = {
    "execute = script ...": (
        _SERVICE % "execute = script hello.sh one",
        "execute: Setting is a named list filter",
    ),
    "inet_listener {": (
        _SERVICE % "executable = script hello.sh\n  inet_listener {\n    port = 12345\n  }",
        "inet_listener { } is missing section name",
    ),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that both releases can see."""
    made = new_folder()
    yield made
    shutil.rmtree(made)


def doveconf(
    release: str, folder: Path, text: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """Ask a release what it reads in a configuration."""
    if reason := install.missing(release):
        pytest.skip(reason)
    file = folder / "dovecot.conf"
    file.write_text(_BEGINNING[release] + text, encoding="utf-8")
    return subprocess.run(
        [*install.enter(install.root(release)), "doveconf", "-c", str(file), *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def settings(text: str) -> set[str]:
    """Return the lines that set something."""
    return {line.strip() for line in text.splitlines() if " = " in line}


def configurations() -> Iterator[Snippet]:
    """Yield those of the page, and of the blocks that Dovecot's documentation shows."""
    for snippet in snippets(_PAGE):
        if snippet.kind == "doveconf":
            yield snippet
    for sample in samples().values():
        yield Snippet("doveconf", "2.4.1", str(sample["dovecot_conf"]))


@pytest.mark.parametrize("snippet", list(configurations()), ids=lambda one: one.name)
def test_a_configuration_is_read_as_it_stands(snippet: Snippet, folder: Path) -> None:
    read = doveconf(snippet.name, folder, snippet.text, "-n")
    assert (read.returncode, read.stderr) == (0, "")
    assert settings(snippet.text) - settings(read.stdout) == set()


@pytest.mark.parametrize("sample", _REFUSED)
def test_a_mistake_that_is_refused(sample: str, folder: Path) -> None:
    assert f"`{sample}" in _PAGE.read_text(encoding="utf-8")
    text, reason = _REFUSED[sample]
    read = doveconf("2.4.1", folder, text, "-n")
    assert read.returncode != 0
    assert reason in read.stderr


def test_the_default_driver_is_unix(folder: Path) -> None:
    read = doveconf("2.4.1", folder, "", "-h", "execute_driver")
    assert (read.stdout.strip(), read.stderr) == ("unix", "")


def test_a_block_outside_of_a_feature_is_read(folder: Path) -> None:
    read = doveconf("2.4.1", folder, "execute test-script {\n  args = hello\n}\n", "-n")
    assert (read.returncode, read.stderr) == (0, "")


def test_a_mode_that_is_called_path_makes_a_socket_of_that_name(folder: Path) -> None:
    release = "2.4.1"
    if reason := install.missing(release):
        pytest.skip(reason)
    listener = "unix_listener test-script {\n    path = 0666\n  }"
    common = (CONFIGURATIONS / release / "common.conf").read_text(encoding="utf-8")
    text = common + _SERVICE % f"executable = script hello.sh\n  {listener}"
    (folder / "dovecot.conf").write_text(text.replace("{{dir}}", str(folder)), encoding="utf-8")
    master = Master(release, folder, folder / "run" / "lmtp")
    try:
        master.start()
        assert (folder / "run" / "0666").is_socket()
        assert not (folder / "run" / "test-script").exists()
    finally:
        master.stop()
