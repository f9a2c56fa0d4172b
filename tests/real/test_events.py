"""What a line with `v` or `D` has the next command tell: 2.4 has noted it too late for its own."""

from __future__ import annotations

import pytest

from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

_MAP, _FILES = "acl_sharing_map", "mail_ext_attachment"

_QUESTIONS = (
    ("mail dict get", _MAP, "shared/a"),
    ("mail dict get", _MAP, "priv/none"),
    ("mail dict iter", _MAP, "shared/s"),
    ("mail dict set", _MAP, "shared/z", "1"),
    ("dict get", _MAP, "shared/a"),
    ("dict get", _MAP, "shared/none"),
    ("dict get", _MAP, "bad"),
    ("dict get", "nosuch", "shared/a"),
    ("dict iter", "-1", _MAP, "shared/"),
    ("dict set", "-t", "5000000000", _MAP, "shared/z", "7"),
    ("dict set", "-e", "5", _MAP, "shared/z", "1"),
    ("dict inc", _MAP, "shared/z", "2"),
    ("dict inc", _MAP, "shared/z", "0"),
    ("dict inc", _MAP, "shared/none", "2"),
    ("dict unset", _MAP, "shared/z"),
    ("dict set", "-t", "5", _MAP, "shared/z", "7"),
    ("fs get", _FILES, "x"),
    ("fs get", _FILES, "sub"),
    ("fs stat", _FILES, "x"),
    ("fs iter", _FILES, "hello.txt"),
    ("fs put", _FILES, "/absent", "y"),
    ("fs copy", _FILES, "x", "z"),
    ("fs copy", _FILES, "hello.txt", "hello.txt/x"),
    ("fs delete", _FILES, "x"),
    ("fs delete", "-R", _FILES, "hello.txt"),
    ("mail fs get", _FILES, "x"),
    ("acl set", "INBOX", "user=bob", "lookup"),
    ("fetch", "text", "MAILBOX", "Nope", "ALL"),
    # The process dies of this, and its lock stays.
    ("dict inc", _MAP, "shared/a", "2"),
)


@pytest.mark.parametrize(
    "before",
    [
        Question("D", "", "who", ()),
        Question("v", "nobody", "mailbox list", ()),
        Question("v", "tss", "nosuch", ()),
        Question("D", "", "dict get", ("-Z",)),
        Question("", "", "who", ()),
    ],
    ids=str,
)
def test_the_next_command_tells_what_it_does(sides: Sides, before: Question) -> None:
    sides.restore()
    found = []
    for command, *arguments in _QUESTIONS:
        sides.close()
        user = "tss" if command.partition(" ")[0] in ("mail", "acl", "fetch") else ""
        question = Question("", user, command, tuple(arguments))
        if lines := [*sides.differences(before), *sides.differences(question)]:
            found.append("\n".join([str(question), *lines]))
    assert not found, "\n\n".join(found)
