from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.getopt_memory import NOWHERE, GetoptMemory, Pointer

FRESH = GetoptMemory()


# Recorded on 2.1.16 and 2.2.13: a line, the field with the last letter read counted from the
# end, and what the next line is taken to begin with.
@pytest.mark.parametrize(
    ("line", "field", "following", "letters"),
    [
        (b"\ttss\tsync\t-d", 1, b"\ttss\tquota get", b"et"),
        (b"\ttss\timport\t-s\tx\ty\tall", 4, b"\ttss\tmailbox list\t-s", b"ist"),
        (b"\ttss\texpunge\t-m\tmailbox\tTrash", 3, b"\ttss\tmailbox list", b"st"),
        (
            b"\ttss\tmailbox create\t-g\t01\tNew",
            3,
            b"\ttss\tmailbox status\tguid\tNew",
            b"id",
        ),
        # Where a field ends, where the line does, and in the gap before the addresses.
        (b"\ttss\tquota get\t-A", 1, b"\ttss\tmailbox list\ta\tb", b""),
        (b"\t\tpurge\t-s", 1, b"\ttss\tpurge", b""),
        (b"\ttss\tmailbox delete\t-e\tArchive", 2, b"\ttss\tmailbox list", b""),
        # In the addresses of the fields; an address has six bytes that are not zero.
        (b"\t\tmailbox list\t-A", 1, b"\ttss\tquota get", b"?"),
        (b"\t\tmailbox list\t1234567\t-A", 1, b"\ttss\tquota get", b"?"),
        (b"\t\tmailbox list\t1234\t-A", 1, b"\ttss\tquota get", b""),
    ],
)
def test_the_next_line(line: bytes, field: int, following: bytes, letters: bytes) -> None:
    memory = FRESH.after(line, Pointer(field, 2))
    assert memory is not None
    assert memory.letters(following) == letters


def test_reading_on_moves_the_pointer() -> None:
    memory = GetoptMemory(15).after(b"\ttss\tmailbox list", Pointer(0, 2))
    assert memory == GetoptMemory(17)


def test_a_value_takes_the_pointer_away() -> None:
    assert GetoptMemory(15).after(b"\ttss\twho\t-u\tx", NOWHERE) is None
    assert GetoptMemory(15, wounded=True).after(b"", NOWHERE) == GetoptMemory(None, wounded=True)


@given(st.integers(0, 80), st.binary(max_size=60))
def test_letters_are_at_most_the_rest_of_one_field(place: int, line: bytes) -> None:
    letters = GetoptMemory(place).letters(line)
    assert letters == b"?" or (letters in line and b"\t" not in letters)
