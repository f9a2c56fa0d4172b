"""docs/journal.md: what it shows is what there is, and no key is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fakedove.double.exchange_json import json_line
from tests.docs.generate import README
from tests.docs.snippets import snippets
from tests.docs.test_readme import run_pytest
from tests.double.exchanges import exchange

_PAGE = README.parent / "docs" / "journal.md"
_SNIPPETS = {one.name: one for one in snippets(_PAGE)}


def test_the_texts_are_those_of_the_snippet(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, _SNIPPETS["test_text.py"])
    assert ran.returncode == 0, ran.stdout
    shown = _SNIPPETS["conversation.txt"].text
    assert shown == (tmp_path / "conversation.txt").read_text() + "\n"
    _, second = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert json.loads(_SNIPPETS["journal.jsonl"].text) == json.loads(second)


def test_every_key_is_described() -> None:
    _, _, table = _PAGE.read_text().partition("| key | |\n")
    rows = "".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))
    assert re.findall(r"`(\w+)`", rows) == list(json.loads(json_line(exchange())))
