"""Take out of an answer what two servers cannot have in common.

    Canonical({"0a...": "tss/INBOX/1"}).text(answer) -> bytes

GUIDs get names: those that are known beforehand theirs, new ones numbers in order of
appearance. Moments since the test began, process ids and session ids become placeholders.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from fakedove.dovecot.dsync.state import InvalidStateError, MailboxState, parsed, printed

_GUID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
#: What a sync prints as its state, which has GUIDs and moments in base64.
_STATE = re.compile(rb"(?m)(?<![A-Za-z0-9+/])AQAAA[A-Za-z0-9+/]{59,}={0,2}")
_UNIX_TIME = re.compile(rb"(?<!\d)\d{10}(?!\d)")
_DATE_TIME = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_PREFIX = re.compile(rb"(?<=\()\d+(?=\))|(?<=<)\d+(?=>)|(?<=pid )\d+|(?<=pid=)\d+")
_SESSION = re.compile(rb"(?<=<)[A-Za-z0-9+/]{16,24}={0,2}(?=>)")
_TEMPORARY_FILE = re.compile(rb"(?<=[./])\d{10}\.(?:M\d+)?P?\d+\.[^\t\n:]+")

_PARTIAL_FILE = re.compile(rb"(?<=/temp\.dovecot\.)[^/,)]+(?=[,)])")

#: How long the dict service took.
_TOOK = re.compile(rb"\d+\.\d{3}(?= secs | in (?:dict wait|other ioloops|locks))")

#: Which machine it is.
_HOST = re.compile(rb"(?<=hostname=)[^,)]+")

#: The mailboxes of a state come in the order of their GUIDs.
_STATE_LINES = re.compile(rb"(?m)(?:^.*brain M: Mailbox [0-9a-f]{32} state: uidvalidity=.*\n)+")

#: Which of the mails with a UID of their own are saved first is decided by a hash that, before
#: 2.4, each process chooses anew.
_SAVED = re.compile(rb"(?<=: Saved UIDs: )[0-9:,]+")

#: Where in the server's program it died: addresses, which fakedove cannot know.
_BACKTRACE = re.compile(rb"(?m)^[^\n]*: Raw backtrace: [^\n]*\n")

#: Seconds before the test that still count as during it: the store is built then.
_BEFORE = 3600


def _in_order(found: re.Match[bytes]) -> bytes:
    """Return lines sorted by what stands behind the GUID."""
    lines = sorted(found[0].splitlines(keepends=True), key=lambda line: line.split(b" state: ")[1])
    return b"".join(lines)


def _each_uid(found: re.Match[bytes]) -> bytes:
    """Return a set of UIDs without ranges, sorted."""
    ends = [[int(one) for one in part.split(b":")] for part in found[0].split(b",")]
    uids = sorted(uid for end in ends for uid in range(end[0], end[-1] + 1))
    return b" ".join(b"%d" % uid for uid in uids)


#: In which order they come is decided by a hash that each process chooses anew.
_UNSET = re.compile(rb"(?<=Import attribute )\S+(?=: Nonexistent in both sides)")


class Canonical:
    """Makes the answers of one server comparable; it remembers the GUIDs that it has seen."""

    def __init__(self, guids: Mapping[str, str], *, since: float | None = None) -> None:
        """Take the GUIDs that are known beforehand, with their names."""
        self._names = {guid.encode(): b"{{%b}}" % name.encode() for guid, name in guids.items()}
        self._new = 0
        self._since = int(time.time() if since is None else since) - _BEFORE

    def text(self, answer: bytes) -> bytes:
        """Return an answer with placeholders."""
        answer = _BACKTRACE.sub(b"", answer)
        answer = _TOOK.sub(b"{{seconds}}", answer)
        answer = _HOST.sub(b"{{hostname}}", answer)
        answer = _STATE_LINES.sub(_in_order, answer)
        answer = _UNSET.sub(b"{{unset}}", answer)
        answer = _SAVED.sub(_each_uid, answer)
        answer = _STATE.sub(self._state, answer)
        answer = _GUID.sub(self._guid, answer)
        answer = _TEMPORARY_FILE.sub(b"{{file}}", answer)
        answer = _PARTIAL_FILE.sub(b"{{file}}", answer)
        answer = _UNIX_TIME.sub(self._unix_time, answer)
        answer = _DATE_TIME.sub(self._date_time, answer)
        answer = _SESSION.sub(b"{{session}}", answer)
        return _PREFIX.sub(b"{{pid}}", answer)

    def _state(self, found: re.Match[bytes]) -> bytes:
        """Return the mailboxes of a state: the order is that of their GUIDs, if it is right."""
        try:
            states = parsed(found[0])
        except InvalidStateError:
            return found[0]
        if printed(states.values()) != found[0]:
            return found[0]
        # New GUIDs are numbered, so their order must not be that of the GUIDs.
        in_order = sorted(states.values(), key=lambda one: (one.uidvalidity, one.modseq))
        return b" ".join(self._mailbox_state(one) for one in in_order)

    def _mailbox_state(self, one: MailboxState) -> bytes:
        guid = _GUID.sub(self._guid, one.guid.encode())
        numbers = (one.uidvalidity, one.uid, one.modseq, one.messages)
        return b"%b:%b" % (guid, b"/".join(b"%d" % number for number in numbers))

    def _guid(self, found: re.Match[bytes]) -> bytes:
        if found[0] not in self._names:
            self._new += 1
            self._names[found[0]] = b"{{guid:%d}}" % self._new
        return self._names[found[0]]

    def _unix_time(self, found: re.Match[bytes]) -> bytes:
        return b"{{now}}" if self._is_now(int(found[0])) else found[0]

    def _date_time(self, found: re.Match[bytes]) -> bytes:
        try:
            moment = time.mktime(time.strptime(found[0].decode(), "%Y-%m-%d %H:%M:%S"))
        except (ValueError, OverflowError):
            return found[0]
        return b"{{now}}" if self._is_now(int(moment)) else found[0]

    def _is_now(self, moment: int) -> bool:
        return self._since <= moment <= time.time() + _BEFORE
