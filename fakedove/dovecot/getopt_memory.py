"""What getopt keeps from one command of a connection to the next, up to 2.2.21.

Its pointer to the next option letter is never put back. It points into the copy of a command
line; all copies lie at the same place in memory, so the next line is read on from where it
points. Behind the copy lie the addresses of the line's fields. Sources: recordings x.import.s,
x.expunge.m, x.mailbox.create-g, x.misc.sync_-d and cmd.opt-A of 2.1.16 and 2.2.13.
"""

from __future__ import annotations

import msgspec

#: Bytes of an address, and how many of them are not zero.
_ADDRESS = 8
_ADDRESS_USED = 6
#: Stands for a byte of an address: no option has this letter.
_UNKNOWN = b"?"


class Pointer(msgspec.Struct, frozen=True, gc=False):
    """Where a command left getopt's pointer in its line."""

    #: The field, counted from the last one, which is 1; 0: on from where the pointer was before.
    field: int
    #: Bytes of that field that were read.
    read: int


#: A value was taken last, and the pointer with it.
NOWHERE = Pointer(-1, 0)


class GetoptMemory(msgspec.Struct, frozen=True, gc=False):
    """What one connection's commands left so far."""

    #: Where the pointer points, in bytes from the beginning of a line.
    place: int | None = None
    #: An option was refused, which kills 2.1 at the next command that gets beyond its options.
    wounded: bool = False

    def letters(self, line: bytes) -> bytes:
        """Return the option letters that are found in `line` before anything else is read."""
        if self.place is None:
            return b""
        if self.place <= len(line):
            return line[self.place :].partition(b"\t")[0]
        behind = self.place - (len(line) // _ADDRESS + 1) * _ADDRESS
        among_addresses = 0 <= behind < _ADDRESS * (line.count(b"\t") + 1)
        return _UNKNOWN if among_addresses and behind % _ADDRESS < _ADDRESS_USED else b""

    def after(self, line: bytes, pointer: Pointer, *, wounds: bool = False) -> GetoptMemory | None:
        """Return what there is after `line`, which left the pointer at `pointer`."""
        wounded = wounds or self.wounded
        place = self._place(line, pointer)
        return None if place is None and not wounded else GetoptMemory(place, wounded)

    def _place(self, line: bytes, pointer: Pointer) -> int | None:
        if pointer is NOWHERE:
            return None
        if pointer.field == 0:
            assert self.place is not None, "letters were found, so it pointed somewhere"
            return self.place + pointer.read
        fields = line.split(b"\t")[-pointer.field :]
        return len(line) - len(b"\t".join(fields)) + pointer.read
