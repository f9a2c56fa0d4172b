"""How a log text with LFs is taken apart before 2.3.17, where that goes wrong."""

from __future__ import annotations


def overlapping_lines(text: bytes) -> tuple[list[bytes], bytes | None]:
    """Return the lines that are told one after the other, and the one that is told for ever.

    What is left moves to the front of the memory, but the next LF is looked for in all of it:
    one that was behind what is left is found again and again (recording extra.multiline-log).

    >>> overlapping_lines(b"no\\nsuch mailbox")
    ([b'no', b'such mailbox'], None)
    >>> overlapping_lines(b"no such\\nbox")
    ([b'no such', b'boxsuch'], b'boxsuch')
    """
    memory, left = bytearray(text), len(text)
    lines: list[bytes] = []
    while (end := memory.find(b"\n")) >= 0:
        line = bytes(memory[:end])
        if not left:
            return lines, line
        lines.append(line)
        taken = min(end + 1, left)
        memory[: left - taken] = memory[taken:left]
        left -= taken
    return ([*lines, bytes(memory[:left])] if left else lines), None
