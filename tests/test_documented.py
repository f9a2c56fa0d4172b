"""The sample conversations of Dovecot's documentation (fixtures/documented)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from fakedove.config import make_config
from fakedove.configured import armed_stubs
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.status import Status
from tests.replay.fake import recorded_store
from tests.sessions.talk import TCP, UNIX, Talk

_FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "documented"


def cases() -> Iterator[tuple[str, str]]:
    for path in sorted(_FOLDER.glob("*.toml")):
        for release in tomllib.loads(path.read_text())["dovecot"]:
            yield path.stem, release


@pytest.mark.parametrize(("name", "release"), list(cases()))
def test_the_conversation_is_the_real_servers(name: str, release: str) -> None:
    sample = tomllib.loads((_FOLDER / f"{name}.toml").read_text())
    store = recorded_store(release)
    try:
        talk = Talk(
            release,
            peer=UNIX if sample["listener"] == "unix" else TCP,
            store=store,
            stubs=armed_stubs(find_release(release), make_config(stub=sample.get("stub", []))),
        )
        heard = talk.hear()
        for step in sample["steps"]:
            if "C" in step:
                assert heard == b"", step
                heard = talk.say(cast(str, step["C"]).encode("latin-1"))
            elif "S" in step:
                assert heard == cast(str, step["S"]).encode("latin-1")
                heard = b""
            elif "tls" in step:
                talk.client.start_tls()
            else:
                assert not talk.open
        assert heard == b""
        assert talk.open == ("eof" not in sample["steps"][-1])
    finally:
        store.restore()


def test_every_status_word_of_the_documentation_is_a_status() -> None:
    words = {path.stem.removeprefix("status-").upper() for path in _FOLDER.glob("status-*.toml")}
    assert words - {"FAILED", "MORE-TEXT"} <= {status.name for status in Status}
