"""`fakedove certs`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import fakedove


def test_a_set_is_written(tmp_path: Path) -> None:
    done = fakedove("certs", "made", cwd=tmp_path)
    files = sorted(file.name for file in (tmp_path / "made").iterdir())
    assert {"README.md", "ca.pem", "server.pem", "server.key", "expired.pem"} <= set(files)
    assert (done.stdout, done.returncode) == (f"{len(files)} files in made\n", 0)


def test_a_place_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = fakedove("certs", tmp_path / "file" / "below")
    text = f"fakedove: {tmp_path}/file/below: cannot be written: Not a directory\n"
    assert (done.stderr, done.returncode) == (text, 1)
