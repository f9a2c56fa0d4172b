"""Input in pieces: where a network may cut it must not matter to any parser."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

#: Sizes of successive pieces; they are taken in turn, again and again.
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Yield `data` in pieces of the given sizes, the same sizes over and over."""
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        yield data[:size]
        data = data[size:]
        turn += 1
