"""Random mails, put into the real servers and into fakedove: each field of all has to be the same.

FAKEDOVE_STEPS and FAKEDOVE_SEED say how many and which, as in test_compared.py: one mail for ten
commands there.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.real.compared.chosen import SEED, STEPS
from tests.real.compared.mails import any_mail
from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

#: What is fetched of each mail, by commands of their own: where one dies others are still asked.
_FIELDS = (
    *("hdr", "body", "text", "text.utf8", "size.physical size.virtual", "imap.envelope"),
    *("date.sent date.sent.unixtime", "imap.body", "imap.bodystructure", "body.snippet"),
    *("body.preview", "hdr.subject hdr.subject.utf8 hdr.x-note hdr.cc.utf8 hdr.from.address"),
    *("hdr.to.address_name hdr.to.address_name.utf8", "body.1 body.1.mime body.2 body.1.1"),
    *("body.1.header body.1.text body.2.mime", "binary.1", "binary.2", "binary.1.1", "binary."),
    *("body.header.fields.(subject to)", "pop3.uidl guid"),
)
#: Mails between two fresh stores.
_AT_A_TIME = 40


def test_random_mails_are_read_alike(sides: Sides) -> None:
    fields = [*_FIELDS, *(["mime.parts"] if "mime.parts" in sides.release.fetch_fields else [])]
    asked = 0

    @seed(SEED)
    @settings(
        max_examples=max(STEPS // 10, 1),
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(any_mail)
    def compare(mail: str) -> None:
        nonlocal asked
        if asked % _AT_A_TIME == 0:
            sides.restore()
        asked += 1
        questions = [
            Question("", "bob", "expunge", ("mailbox", "INBOX", "all")),
            Question("", "bob", "save", (), mail),
            *(Question("", "bob", "fetch", (field, "mailbox", "INBOX", "all")) for field in fields),
        ]
        for question in questions:
            if found := sides.differences(question):
                story = [f"the mail: {mail!r}", f"C: {question}", *found]
                pytest.fail("\n".join(story), pytrace=False)

    compare()
