"""Streamed values in the blocks that they leave in, escaped; those of large mails are kept.

A mail that is fetched again and again is then escaped once, and what the journal keeps of
each reply is a reference to the same bytes.
"""

from __future__ import annotations

from collections import OrderedDict

from fakedove.wire import tabescape

#: Dovecot's IO_BLOCK_SIZE.
BLOCK = 8192

#: Values shorter than this are escaped anew each time, in bytes.
_WORTH_KEEPING = 65536

#: As much is kept as values of this many bytes together become, but always the latest.
_KEPT_BYTES = 64 * 1024 * 1024


class EscapedBlocks:
    """Escape values block by block, and remember the latest large ones."""

    __slots__ = ("_kept", "_limit", "_size")

    def __init__(self, limit: int = _KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        # By identity: to hash or compare a value costs as much as to escape it. The value is
        # kept alive beside its blocks, so no other can have its id.
        self._kept: OrderedDict[tuple[int, int], tuple[bytes, list[bytes]]] = OrderedDict()

    def of(self, value: bytes, first: int = BLOCK) -> list[bytes]:
        """Return the blocks of `value`, each escaped; the first has `first` bytes."""
        if len(value) < _WORTH_KEEPING:
            return _escaped(value, first)
        key = id(value), first
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[1]
        blocks = _escaped(value, first)
        self._keep(key, value, blocks)
        return blocks

    def _keep(self, key: tuple[int, int], value: bytes, blocks: list[bytes]) -> None:
        self._kept[key] = value, blocks
        self._size += len(value)
        while self._size > self._limit and len(self._kept) > 1:
            _, (oldest, _) = self._kept.popitem(last=False)
            self._size -= len(oldest)


def _escaped(value: bytes, first: int) -> list[bytes]:
    starts = (0, *range(first, len(value), BLOCK)) if value else ()
    ends = (*starts[1:], len(value))
    return [tabescape.escape(value[start:end]) for start, end in zip(starts, ends, strict=False)]
