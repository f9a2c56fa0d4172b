"""Every snippet of docs/script.md that is a test passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.generate import README
from tests.docs.snippets import Snippet, snippets
from tests.docs.test_readme import run_pytest

_TESTS = [
    pytest.param(one, id=one.name)
    for one in snippets(README.parent / "docs" / "script.md")
    if one.kind == "file"
]


@pytest.mark.parametrize("snippet", _TESTS)
def test_a_snippet_that_is_a_test_passes(snippet: Snippet, tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, snippet)
    assert ran.returncode == 0, ran.stdout
