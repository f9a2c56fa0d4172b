"""What is in the cache after mail was read: the real servers and fakedove, asked the same.

Each story begins with a fresh store, and ends with what is decided about every field.
"""

from __future__ import annotations

import pytest

from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

_IN = "MAILBOX|INBOX|ALL"
_PARTS = "MAILBOX|Archive/2024|ALL"

#: Commands of user tss, with bars between the words.
_STORIES = {
    "sizes": [f"fetch|size.physical size.virtual|{_IN}"],
    "dates": [f"fetch|date.sent date.received date.saved|{_IN}"],
    "guid, uidl": [f"fetch|guid pop3.uidl pop3.order|{_IN}"],
    "headers": [f"fetch|hdr.x-foo hdr.Subject.utf8 hdr.to.address|{_IN}"],
    "envelope": [f"fetch|imap.envelope|{_IN}"],
    "body": [f"fetch|imap.body|{_IN}", f"fetch|imap.bodystructure|{_IN}"],
    "structure": [f"fetch|imap.bodystructure|{_IN}", f"fetch|imap.body|{_IN}"],
    "snippet": [f"fetch|body.snippet|{_IN}", f"fetch|imap.body|{_IN}"],
    "texts": [f"fetch|size.physical|{_IN}", f"fetch|hdr body text text.utf8|{_IN}"],
    "sections": [f"fetch|body.1 body.7 body.header body.text|{_IN}"],
    "header fields": [f"fetch|body.header.fields(x-foo Subject)|{_IN}"],
    "binary": [f"fetch|binary. binary.1|{_IN}"],
    "header key": ["search|MAILBOX|INBOX|SUBJECT|hello|CC|b"],
    "header by name": ["search|MAILBOX|INBOX|HEADER|X-Foo|bar|HEADER|Subject|hello"],
    "text key": ["search|MAILBOX|INBOX|TEXT|foo"],
    "body and header": ["search|MAILBOX|INBOX|BODY|foo|SUBJECT|l"],
    "one or the other": ["search|MAILBOX|INBOX|OR|SINCE|2024-01-03|SUBJECT|hello"],
    "in their order": ["search|MAILBOX|INBOX|OR|SENTON|2024-01-02|NOT|OLDER|5", "search|GUID|a"],
    "sent": ["search|MAILBOX|INBOX|SENTSINCE|2024-01-02"],
    "received": ["search|MAILBOX|INBOX|SINCE|2024-01-02"],
    "size, saved": ["search|MAILBOX|INBOX|LARGER|100|SAVEDSINCE|2024-01-02"],
    "guid key": ["search|MAILBOX|INBOX|GUID|abc"],
    "parts": ["search|MAILBOX|INBOX|MIMEPART|TYPE|text"],
    "lost date": [
        "fetch|date.sent|MAILBOX|INBOX|NOT|CC|hello",
        f"fetch|date.sent hdr.date imap.envelope|{_IN}",
        "search|MAILBOX|INBOX|HEADER|Date|2024",
        "search|MAILBOX|INBOX|SENTBEFORE|2000-01-01",
        "copy|Trash|MAILBOX|INBOX|1",
        "fetch|date.sent hdr.date|MAILBOX|Trash|ALL",
        "mailbox cache remove|MAILBOX|INBOX|1",
        f"fetch|date.sent|{_IN}",
    ],
    "lost date, one mail": [
        "fetch|date.sent|MAILBOX|INBOX|2|NOT|CC|hello",
        "fetch|date.sent|MAILBOX|INBOX|NOT|CC|hello",
    ],
    "date not lost": [
        "fetch|date.sent imap.bodystructure|MAILBOX|INBOX|NOT|CC|hello",
        "fetch|date.sent|MAILBOX|Archive/2024|NOT|CC|hello",
    ],
    "lost message id": [
        "deduplicate|-m|MAILBOX|Archive/2024|SUBJECT|l",
        f"fetch|uid|{_PARTS}",
    ],
    "expunge": ["expunge|MAILBOX|INBOX|SUBJECT|l"],
    "flags": ["flags add|\\Seen|MAILBOX|INBOX|SUBJECT|l"],
    "no flags": ["flags add|a b|MAILBOX|INBOX|SUBJECT|l"],
    "import": ["import|mdbox:{{dir}}/home/tss/mdbox|New|2:3"],
    "copy": [
        f"fetch|guid date.sent size.physical|{_IN}",
        "copy|INBOX|MAILBOX|Archive/2024|2:3",
        "copy|Archive/2024|MAILBOX|INBOX|SUBJECT|l",
    ],
    "copy in one mailbox": ["copy|INBOX|MAILBOX|INBOX|SUBJECT|l"],
    "move": ["move|Trash|MAILBOX|INBOX|SUBJECT|l", "mailbox cache decision|-a|Trash"],
    "create": [
        f"fetch|hdr.x-foo|{_IN}",
        "mailbox create|New",
        "mailbox cache decision|-a|New",
        "copy|New|MAILBOX|INBOX|2:3",
    ],
    "rename": [f"fetch|hdr.x-foo|{_PARTS}", "mailbox rename|Archive/2024|Old"],
    "rebuild": [f"rebuild attachments|{_PARTS}", "force-resync|INBOX"],
    "purge": [
        f"fetch|hdr.x-foo guid|{_IN}",
        "mailbox cache decision|-d|no|-f|hdr.x-foo flags|INBOX",
        "mailbox cache purge|INBOX",
        f"fetch|hdr.x-foo|{_IN}",
    ],
    "parts parsed": [
        f"mailbox cache remove|{_PARTS}",
        f"fetch|mime.parts|{_PARTS}",
        f"fetch|mime.parts|{_PARTS}",
    ],
    "decide": [
        "mailbox cache decision|-d|yes|-l|1700000000|-f|size.physical guid hdr.date|INBOX",
        "mailbox cache decision|-l|0|-f|flags nope|INBOX",
        f"fetch|guid|{_IN}",
        f"fetch|text|{_IN}",
    ],
    "twice": ["mailbox cache decision|-a|INBOX|inbox"],
    "opened before": [f"fetch|hdr.subject body.preview|{_IN}"],
    "threads": [f"fetch|hdr.x-foo size.virtual|INTHREAD|REFS|{_IN}"],
    "threads by subject": ["search|MAILBOX|INBOX|SUBJECT|l|INTHREAD|REFERENCES|SENTSINCE|1"],
    "threads of few": ["search|MAILBOX|INBOX|INTHREAD|REFS|SUBJECT|hello", "search|TO|b"],
    "threads of nobody": ["flags add|x|MAILBOX|INBOX|INTHREAD|REFS|NOT|ALL"],
    "threads again": [
        "search|MAILBOX|INBOX|INTHREAD|REFS|UID|2",
        f"mailbox cache remove|{_IN}",
        "search|MAILBOX|INBOX|INTHREAD|REFERENCES|TEXT|a",
        "copy|INBOX|MAILBOX|Archive/2024|1:2",
        "search|MAILBOX|INBOX|NOT|INTHREAD|REFS|UID|1",
    ],
    "threads of two kinds": [
        "search|MAILBOX|Archive/2024|INTHREAD|REFS|ALL|INTHREAD|REFERENCES|UID|1",
        "deduplicate|-m|MAILBOX|INBOX|INTHREAD|REFS|UID|1",
    ],
    "threads, twice": ["fetch|date.sent|MAILBOX|INBOX|MAILBOX|INBOX|INTHREAD|REFERENCES|ALL"],
    "named twice": ["fetch|date.sent guid|MAILBOX|INBOX|MAILBOX|inbox"],
    "read twice": ["fetch|hdr.x-foo body.snippet|MAILBOX|INBOX|MAILBOX|INBOX"],
    "searched twice": ["search|(|SUBJECT|l|MAILBOX|INBOX|)|SENTSINCE|2024-01-02"],
    "text searched twice": ["flags add|x|TEXT|l|MAILBOX|INBOX|MAILBOX|INBOX"],
    "removed twice": [
        f"fetch|guid imap.body|{_IN}",
        "mailbox cache remove|MAILBOX|INBOX|MAILBOX|INBOX|BODY|a",
    ],
    "copied twice": ["copy|INBOX|MAILBOX|INBOX|MAILBOX|INBOX|SUBJECT|l"],
    "unused, twice": [
        "mailbox cache decision|-l|1500000000|-f|guid hdr.date flags mime.parts|INBOX",
        "fetch|hdr.x-foo guid|MAILBOX|INBOX|MAILBOX|INBOX",
    ],
    "remove": [
        "mailbox cache remove|MAILBOX|INBOX|3:4",
        "-v|index|INBOX",
        f"fetch|imap.body|{_IN}",
        "mailbox cache remove|MAILBOX|INBOX|SUBJECT|l",
        "-v|index|INBOX",
    ],
}


def _question(line: str) -> Question:
    verbose = line.startswith("-v|")
    command, *arguments = line.removeprefix("-v|").split("|")
    return Question("v" if verbose else "", "tss", command, tuple(arguments))


@pytest.mark.parametrize("story", _STORIES)
def test_reading_leaves_the_same_in_the_cache(sides: Sides, story: str) -> None:
    sides.restore()
    for line in (
        *_STORIES[story],
        "mailbox cache decision|-a|INBOX",
        "mailbox cache decision|-a|Archive/2024",
    ):
        found = sides.differences(_question(line))
        assert not found, "\n".join([line, *found])
