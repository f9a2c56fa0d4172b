"""Sieve scripts are judged as Pigeonhole judges them, in its words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.sieve import compile_script

_VERDICTS = tomllib.loads(
    Path(__file__).with_name("sieve_verdicts.toml").read_text(encoding="utf-8")
)["script"]
#: Words of the language, so that random scripts get somewhere.
_WORDS = st.sampled_from(
    re.split(
        " ",
        'require "fileinto" ["fileinto", "variables"] ; { } ( ) if elsif else not anyof allof '
        'true header :is "a" :contains size :over 10K keep stop discard redirect "a@b" text: '
        "/* */ # \n fileinto set vacation :days ihave include currentdate nosuch : / [ ] ,",
    )
)


def _said(script: bytes) -> list[str]:
    problems = compile_script(script, {"main", "other"}, back_quotes=False)
    return [("Warning: " if one.warning else "") + one.text.decode() for one in problems]


@pytest.mark.parametrize("verdict", _VERDICTS, ids=[repr(one["text"]) for one in _VERDICTS])
def test_what_pigeonhole_says(verdict: dict[str, object]) -> None:
    assert _said(str(verdict["text"]).encode()) == verdict["said"]


def test_older_releases_quote_capabilities_with_a_grave_accent() -> None:
    problems = compile_script(b'require "nosuch";', (), back_quotes=True)
    assert problems[0].text == b"line 1: require command: unknown Sieve capability `nosuch'"


@given(st.lists(_WORDS, max_size=30).map(" ".join).map(str.encode) | st.binary(max_size=60))
def test_any_script_gets_a_verdict(script: bytes) -> None:
    problems = compile_script(script, (), back_quotes=False)
    failed = any(not problem.warning for problem in problems)
    closing = problems[-1].text in (b"parse failed", b"validation failed") if problems else False
    assert closing is failed
