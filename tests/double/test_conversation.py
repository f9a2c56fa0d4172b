"""Conversations as they are shown."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fakedove.double.conversation import Side, shown


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


AUTHENTICATION = b"VERSION\tdoveadm-server\t1\t0\nPLAIN\tAGRvdmVhZG0Ac2VjcmV0\n\ttss\tquota get\n"


@given(st.lists(st.integers(0, len(AUTHENTICATION)), max_size=5))
def test_no_cut_lets_a_password_be_seen(cuts: list[int]) -> None:
    client = Side("C")
    places = [0, *sorted(cuts), len(AUTHENTICATION)]
    pieces = [AUTHENTICATION[a:b] for a, b in pairwise(places)]
    told = "".join(client.shown(piece).replace("C: ", "").replace("\n", "") for piece in pieces)
    assert told.replace("(a password)", "") == (
        r"VERSION\tdoveadm-server\t1\t0\nPLAIN\t\n\ttss\tquota get\n"
    )
    assert "PLAIN\\t(a password)" in told


def test_what_the_server_says_is_no_password() -> None:
    assert shown("S", b"PLAIN\ttext of a mail\n") == r"S: PLAIN\ttext of a mail\n"
