"""Every snippet of the pages in docs/ that is a test passes, or fails as is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fakedove import FakeDovecot
from tests.docs.generate import README
from tests.docs.snippets import Snippet, snippets
from tests.docs.test_readme import run_pytest, shows

_DOCS = README.parent / "docs"
_PAGES = ("script", "stubs", "explanations", "journal", "event-loops")
_SNIPPETS = [(page, one) for page in _PAGES for one in snippets(_DOCS / f"{page}.md")]
_OUTPUTS = {
    (page, one.name.removeprefix("pytest ")): one for page, one in _SNIPPETS if one.kind == "output"
}
_FILES = [
    pytest.param(one, _OUTPUTS.get((page, one.name)), id=f"{page}-{one.name}")
    for page, one in _SNIPPETS
    if one.kind == "file"
]


@pytest.mark.parametrize(("snippet", "output"), _FILES)
def test_a_snippet_does_what_is_said(
    snippet: Snippet, output: Snippet | None, tmp_path: Path
) -> None:
    ran = run_pytest(tmp_path, snippet)
    assert ran.returncode == (0 if output is None else 1), ran.stdout
    assert output is None or shows(ran.stdout, output), ran.stdout


def test_the_stubs_of_a_file_are_a_configuration(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (_DOCS / "stubs.md").read_text(), re.DOTALL)
    path = tmp_path / "fakedove.toml"
    path.write_text(text)
    fake = FakeDovecot(config=path).start()
    assert [stub.times for stub in fake.stubs] == [1, 2]
    fake.forget_stubs()
    fake.stop()
