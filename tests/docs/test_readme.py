"""Every snippet of README.md does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fakedove import FakeDovecot
from tests.docs.generate import PAGES, README, generated
from tests.docs.snippets import Snippet, snippets

_ROOT = README.parent
_PANEL = _ROOT / "docs" / "examples" / "panel.py"
_FILES = {one.name: one for one in snippets(README) if one.kind == "file"}
_OUTPUTS = [one for one in snippets(README) if one.kind == "output"]
#: Snippets that are shown to fail.
_FAILING = {one.name.removeprefix("pytest ") for one in _OUTPUTS}


def run_pytest(folder: Path, snippet: Snippet) -> subprocess.CompletedProcess[str]:
    shutil.copy(_PANEL, folder)
    (folder / snippet.name).write_text(snippet.text)
    plugin = [] if entry_points(group="pytest11", name="fakedove") else ["-pfakedove.pytest_plugin"]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *plugin,
            "-pno:cacheprovider",
            "-pno:randomly",
            snippet.name,
        ],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{_ROOT}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def shows(printed: str, output: Snippet) -> bool:
    """Whether all lines of `output` were printed, in that order; `...` is anything."""
    parts = [re.escape(line).replace(r"\.\.\.", ".*") for line in output.text.splitlines()]
    shown = re.compile("\n(?:.*\n)*?".join(part for part in parts if part != ".*"))
    return shown.search(printed) is not None


@pytest.mark.parametrize(
    "name", [name for name in _FILES if name.endswith(".py") and name not in _FAILING]
)
def test_a_snippet_that_is_a_test_passes(name: str, tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, _FILES[name])
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("output", _OUTPUTS, ids=lambda one: str(one.name))
def test_a_snippet_that_fails_prints_what_is_shown(output: Snippet, tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, _FILES[output.name.removeprefix("pytest ")])
    assert ran.returncode == 1, ran.stdout
    assert shows(ran.stdout, output), ran.stdout


def test_the_configuration_is_one(tmp_path: Path) -> None:
    path = tmp_path / "fakedove.toml"
    path.write_text(_FILES["fakedove.toml"].text)
    with FakeDovecot(config=path) as fake:
        assert fake.dovecot == "2.3.19.1"
        assert fake.port


def test_every_command_that_is_shown_exists() -> None:
    shown = set(re.findall(r"^\$ fakedove (\w+)", README.read_text(), re.MULTILINE))
    known = subprocess.run(
        [sys.executable, "-m", "fakedove", "--help"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert shown
    assert not [name for name in shown if f"\n  {name}" not in known]


def test_the_generated_parts_are_current() -> None:
    stale = [page.name for page in PAGES if generated(page.read_text()) != page.read_text()]
    assert not stale, "run: make docs"
