"""Threads among random mails: who is in them, and what finding them leaves in the cache."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.real.compared.chosen import SEED
from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

_MAILBOXES = 12
_IDS = tuple(f"<{letter}@x>" for letter in "abcdef")
_KEYS = (
    *(("ALL",), ("UID", "1"), ("UID", "3:5"), ("SUBJECT", "one"), ("NOT", "UID", "1")),
    ("SENTSINCE", "2024-01-10"),
)
_BESIDE = ((), ("SUBJECT", "two"), ("NOT", "FROM", "x"))


def _mail(chance: random.Random) -> str:
    """Make a mail that may answer others, and may lack any header."""
    subject = chance.choice(("Re: ", "", "Fwd: ", "[x] ")) + chance.choice(("one", "two", ""))
    headers = {
        f"Message-ID: {chance.choice(_IDS)}": 0.85,
        f"References: {' '.join(chance.sample(_IDS, chance.randint(1, 3)))}": 0.5,
        f"In-Reply-To: {chance.choice((*_IDS, 'bad'))}": 0.4,
        f"Subject: {subject}": 0.8,
        f"Date: Mon, {chance.randint(1, 28):02} Jan 2024 10:00:00 +0000": 0.8,
    }
    there = [header for header, odds in headers.items() if chance.random() < odds]
    chance.shuffle(there)
    return "".join(f"{header}\n" for header in there) + "\nbody\n"


def _conversation(chance: random.Random) -> Iterator[Question]:
    """Fill a mailbox and look for threads, once or twice, and ask what is cached then."""
    yield Question("", "tss", "mailbox create", ("T",))
    for _ in range(chance.randint(1, 2)):
        for _ in range(chance.randint(2, 6)):
            yield Question("", "tss", "save", ("-m", "T"), _mail(chance))
        for _ in range(chance.randint(1, 2)):
            threading = chance.choice(("REFS", "REFERENCES"))
            words = *chance.choice(_BESIDE), "INTHREAD", threading, *chance.choice(_KEYS)
            yield Question("", "tss", "search", ("MAILBOX", "T", *words))
        if chance.random() < 0.3:
            uid = str(chance.randint(1, 4))
            yield Question("", "tss", "expunge", ("MAILBOX", "T", "UID", uid))
    yield Question("", "tss", "mailbox cache decision", ("-a", "T"))


def test_threads_are_found_alike(sides: Sides) -> None:
    chance = random.Random(SEED)
    for _ in range(_MAILBOXES):
        sides.restore()
        asked = []
        for question in _conversation(chance):
            asked.append(str(question))
            found = sides.differences(question)
            assert not found, "\n".join([*asked, *found])
