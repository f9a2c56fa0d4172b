"""Sizes as Dovecot's settings write them: "1G", "10M", "512B", plain bytes, "10%"."""

from __future__ import annotations

import re
from functools import lru_cache

from fakedove.errors import StoreError

_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([0-9]+) ?([A-Za-z%]*)", re.ASCII)


@lru_cache(maxsize=64)
def parse_size(text: str | int) -> int | None:
    """Return the bytes that `text` means, None for "unlimited" (and 0, as in Dovecot).

    Units are B, K, M, G and T in powers of 1024 and in any case, also as KB or KiB. Raises
    StoreError for anything else.
    """
    if str(text).lower() == "unlimited":
        return None
    number, unit = _number_and_unit(text)
    return number * _factor(unit, text) or None


def parse_grace(text: str | int, limit: int | None) -> int:
    """Return the bytes by which one mail may exceed `limit`: a size, or a percentage of it."""
    number, unit = _number_and_unit(text)
    if unit == "%":
        return (limit or 0) * number // 100
    return number * _factor(unit, text)


def size_text(size: int) -> str:
    """Return `size` in bytes as a setting's text, in the largest unit that fits exactly.

    >>> size_text(10485760)
    '10M'
    """
    for unit in "TGMK":
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return f"{size}B"


def _number_and_unit(text: str | int) -> tuple[int, str]:
    match = _SIZE.fullmatch(str(text))
    if match is None:
        raise StoreError(f'"{text}" is no size: write a number and a unit, such as "1G"')
    return int(match[1]), match[2]


def _factor(unit: str, text: str | int) -> int:
    name = unit.upper()
    if len(name) > 1:
        name = name.removesuffix("B").removesuffix("I")
    if name not in _UNITS or (len(unit) > 1 and name in ("", "B")):
        raise StoreError(f'"{text}" has the unknown unit "{unit}": there are B, K, M, G and T')
    return _UNITS[name]
