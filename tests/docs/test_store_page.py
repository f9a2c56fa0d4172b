"""docs/store.md: what it shows runs, and no key is left out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fakedove.dovecot import mailbox_tables, store_file
from fakedove.dovecot.store_file import load_store
from fakedove.errors import StoreError
from tests.docs.generate import README
from tests.docs.snippets import snippets

_PAGE = README.parent / "docs" / "store.md"
_SNIPPETS = snippets(_PAGE)
_KEYS = {
    "[[user]]": store_file.USER_KEYS,
    "[[user.mailbox]]": mailbox_tables.MAILBOX_KEYS,
    "[[user.mailbox.mail]]": mailbox_tables.MAIL_KEYS,
    "[[session]]": store_file.SESSION_KEYS,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All files of the page, as somebody would have them who follows it."""
    for one in _SNIPPETS:
        if one.kind == "file":
            path = tmp_path / one.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(one.text)
    return tmp_path


def test_every_snippet_that_is_a_test_passes(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-pno:cacheprovider", "-pno:randomly"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{README.parent}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout
    assert "10 passed" in ran.stdout


def test_a_wrong_file_is_refused_as_shown(folder: Path) -> None:
    (shown,) = (one for one in _SNIPPETS if one.kind == "output")
    with pytest.raises(StoreError) as caught:
        load_store(folder / shown.name)
    assert str(caught.value) == f"{folder}/{shown.text.rstrip()}"


@pytest.mark.parametrize("table", _KEYS)
def test_every_key_is_described_and_shown(table: str) -> None:
    text = _PAGE.read_text()
    _, _, section = text.partition(f"### `{table}`")
    rows = "".join(re.findall(r"^\| (`.*?`) \|", section.partition("\n#")[0], re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == set(_KEYS[table])
    (example,) = (one.text for one in _SNIPPETS if one.name == "store.toml")
    shown = set(re.findall(r"^\s*(\w+) = |\[+(?:user\.)?(?:mailbox\.)?(\w+)\]+", example, re.M))
    assert set(_KEYS[table]) <= {key or name for key, name in shown}
