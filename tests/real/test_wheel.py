"""The wheel, installed in an empty environment outside the repository, does what README says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.generate import README
from tests.docs.snippets import snippets

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, README.parent],
        folder,
    )
    venv.create(folder / "env", with_pip=True)
    (wheel,) = folder.glob("fakedove-*.whl")
    run([folder / "env" / "bin" / "pip", "install", "-q", wheel, "pytest"], folder)
    return folder


def run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )


def test_the_installed_program_serves_and_sends(installed: Path) -> None:
    program = installed / "env" / "bin" / "fakedove"
    serve: list[str | Path] = [
        program,
        "serve",
        "--ephemeral",
        "--ready-file",
        installed / "ready.json",
    ]
    with subprocess.Popen(serve, cwd=installed, stderr=subprocess.DEVNULL) as server:
        try:
            run([program, "wait", "--ready-file", installed / "ready.json"], installed)
            ready = json.loads((installed / "ready.json").read_text())
            path = ready["listeners"]["unix"]["path"]
            sent = run([program, "send", f"unix:{path}", "quota", "get", "-u", "ann"], installed)
            assert sent.stdout.startswith(
                "root\ttype\tvalue\tlimit\tpercent\nUser quota\tSTORAGE\t"
            )
        finally:
            server.terminate()
    assert server.returncode == 0


def test_the_installed_plugin_runs_the_readmes_tests(installed: Path) -> None:
    shutil.copy(README.parent / "docs" / "examples" / "panel.py", installed)
    (cheatsheet,) = [one for one in snippets(README) if one.name == "test_cheatsheet.py"]
    (installed / cheatsheet.name).write_text(cheatsheet.text)
    ran = run(
        [installed / "env" / "bin" / "python", "-m", "pytest", "-q", cheatsheet.name], installed
    )
    assert "passed" in ran.stdout
