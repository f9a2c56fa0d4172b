from __future__ import annotations

import pytest

from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS, find_release
from fakedove.dovecot.status import Status
from fakedove.dovecot.status_lines import status_lines

FAILURES = [status for status in Status if status is not Status.OK]


@pytest.mark.parametrize(
    ("number", "status", "lines"),
    [
        ("2.1.16", Status.NOTFOUND, (b"\n-\n",)),
        ("2.1.16", Status.NOUSER, (b"\n-NOUSER\n",)),
        ("2.2.13", Status.NOTFOUND, (b"\n-68\n",)),
        ("2.2.13", Status.CANTCREAT, (b"\n-73\n",)),
        ("2.2.13", Status.NOUSER, (b"\n-NOUSER\n",)),
        ("2.2.28", Status.CANTCREAT, (b"\n-\n", b"\n-\n")),
        ("2.2.32", Status.NOTFOUND, (b"\n-NOTFOUND\n", b"\n-\n")),
        ("2.3.16", Status.CANTCREAT, (b"\n-UNKNOWN\n", b"\n-\n")),
        ("2.3.19.1", Status.NOTFOUND, (b"\n-NOTFOUND\n",)),
        ("2.3.19.1", Status.CANTCREAT, (b"\n-UNKNOWN\n",)),
        ("2.4.1", Status.USAGE, (b"\n-USAGE\n",)),
    ],
)
def test_failures_of_mail_commands(number: str, status: Status, lines: tuple[bytes, ...]) -> None:
    assert status_lines(find_release(number), status, mail=True) == lines


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.first))
def test_a_reply_ends_in_whole_status_lines(row: Release) -> None:
    release = find_release(row.first)
    for mail in (True, False):
        assert status_lines(release, Status.OK, mail=mail) == (b"\n+\n",)
        assert status_lines(release, Status.DASH, mail=mail) == (b"\n-\n",)
        for status in FAILURES:
            for line in status_lines(release, status, mail=mail):
                assert line.startswith(b"\n-")
                assert line.count(b"\n") == 2
                assert line.endswith(b"\n")


def test_text_behind_a_status() -> None:
    release = find_release("2.4.1")
    lines = status_lines(release, Status.REFERRAL, mail=True, suffix=b" user@host")
    assert lines == (b"\n-REFERRAL user@host\n",)
    assert status_lines(release, Status.OK, mail=True, suffix=b" text") == (b"\n+ text\n",)
