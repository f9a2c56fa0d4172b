"""The recordings, played again to the real Dovecot: are they still the truth?

FAKEDOVE_SAMPLE is how many conversations of each release are played, or `all`;
FAKEDOVE_SEED chooses others. Both servers run at the same time. All recordings are expected
to come out the same but those marked volatile: process ids, counters, hash order.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from tests.real import install
from tests.real.dovecot import RealDovecot
from tests.real.play import play_once
from tests.real.variants import by_variant
from tests.replay.compare import differences
from tests.replay.transcripts import Conversation, load

pytestmark = pytest.mark.real

#: By release: why it cannot run here, or what differs in each conversation played.
Results: TypeAlias = Mapping[str, str | list[list[str]]]

#: Where one process of 2.4.1 serves one connection after another, and goes on counting columns:
#: what is heard there depends on the conversations before, so all of them are played.
_LASTING = "unix-second"


def sample(release: str) -> list[Conversation]:
    """Choose the conversations to play, in the order of recording."""
    steady = [conversation for conversation in load(release) if not conversation.volatile]
    size = os.environ.get("FAKEDOVE_SAMPLE", "150")
    if size == "all":
        return steady
    seeded = random.Random(os.environ.get("FAKEDOVE_SEED", "1"))
    chosen = {one.id for one in seeded.sample(steady, min(int(size), len(steady)))}
    return [one for one in steady if one.id in chosen or one.listener == _LASTING]


def play_all(release: str) -> str | list[list[str]]:
    """Play a release's sample; return what differs, or why it cannot be played."""
    if reason := install.missing(release):
        return reason
    found: list[list[str]] = []
    for variant, conversations in by_variant(sample(release)).items():
        with RealDovecot(release, variant) as real:
            for conversation in conversations:
                heard = play_once(real, conversation).heard
                found.append(differences(conversation, heard, real.values))
    return [lines for lines in found if lines]


@pytest.fixture(scope="module")
def results() -> Results:
    """Play both releases at once."""
    with ThreadPoolExecutor(len(install.RELEASES)) as pool:
        return dict(zip(install.RELEASES, pool.map(play_all, install.RELEASES), strict=True))


@pytest.mark.parametrize("release", install.RELEASES)
def test_real_server_still_answers_as_recorded(release: str, results: Results) -> None:
    found = results[release]
    if isinstance(found, str):
        pytest.skip(found)
    text = "\n\n".join("\n  ".join(lines) for lines in found)
    assert not found, f"{len(found)} conversations differ (S- recorded, S+ now):\n\n{text}"
