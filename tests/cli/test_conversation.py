"""Conversations as they are shown."""

from __future__ import annotations

from fakedove.cli.conversation import shown


def test_a_line_each_with_control_characters_escaped() -> None:
    data = b"\0\0\0\0\x03\n+\nback\\slash\t\r\xff"
    assert shown("S", data).split("\n") == [
        r"S: \000\000\000\000\003\n",
        r"S: +\n",
        r"S: back\\slash\t\r\377",
    ]


def test_passwords_are_not_shown() -> None:
    lines = shown("C", b"VERSION\tdoveadm-server\t1\t0\nPLAIN\tAGRvdmVhZG0Ac2VjcmV0\nx")
    assert lines.split("\n") == [
        r"C: VERSION\tdoveadm-server\t1\t0\n",
        r"C: PLAIN\t(a password)\n",
        r"C: x",
    ]
