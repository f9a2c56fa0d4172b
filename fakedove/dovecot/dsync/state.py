"""The state that `-s` takes and prints: how far each mailbox was the same on both sides.

It is base64 of a version, 44 bytes for each mailbox and a CRC-32, all of it little-endian
(2.3.19.1 and 2.4.1).
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Mapping

import msgspec

from fakedove.dovecot import hash_table

_VERSION = b"\x01\0\0\0"
_CRC = 4
_MAILBOX = struct.Struct("<16sIIQQI")
#: A mailbox in the state of releases that did not count messages.
_OLDER_MAILBOX = struct.Struct("<16sIIQQ")


class MailboxState(msgspec.Struct, frozen=True):
    """What both sides of a mailbox had in common."""

    #: 32 hex digits.
    guid: str
    uidvalidity: int
    #: Up to this UID, and this modseq, both sides were the same; 0: not known.
    uid: int = 0
    modseq: int = 0
    messages: int = 0


class InvalidStateError(ValueError):
    """What was given as a state is none; the text is what Dovecot says of it."""


def in_order(states: Iterable[MailboxState]) -> list[MailboxState]:
    """Return the states in the order in which they stand in a hash table."""
    return sorted(states, key=lambda one: hash_table.bucket(bytes.fromhex(one.guid)))


def printed(states: Iterable[MailboxState]) -> bytes:
    """Return the states as `-s` prints them."""
    data = _VERSION + b"".join(map(_packed, in_order(states)))
    return base64.b64encode(data + struct.pack("<I", binascii.crc32(data)))


def parsed(text: bytes) -> Mapping[str, MailboxState]:
    """Return the states by GUID; raises InvalidStateError for what is none."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidStateError("Invalid base64 data") from None
    if data == bytes(_CRC):
        return {}
    if len(data) < len(_VERSION) + _CRC:
        raise InvalidStateError("Input too small")
    body = data[len(_VERSION) : -_CRC]
    if len(body) % _MAILBOX.size:
        return _older(data, "Invalid input size")
    if not _has_crc(data):
        return _older(data, "CRC32 mismatch")
    states = (
        MailboxState(guid.hex(), uidvalidity, uid, modseq, messages)
        for guid, uidvalidity, uid, modseq, _, messages in _MAILBOX.iter_unpack(body)
    )
    return {one.guid: one for one in states}


def _older(data: bytes, problem: str) -> Mapping[str, MailboxState]:
    """Take a state of older releases as an empty one; raise InvalidStateError for others."""
    if (len(data) - _CRC) % _OLDER_MAILBOX.size or not _has_crc(data):
        raise InvalidStateError(problem)
    return {}


def _has_crc(data: bytes) -> bool:
    return bool(data[-_CRC:] == struct.pack("<I", binascii.crc32(data[:-_CRC])))


def _packed(one: MailboxState) -> bytes:
    guid = bytes.fromhex(one.guid)
    return _MAILBOX.pack(guid, one.uidvalidity, one.uid, one.modseq, 0, one.messages)
