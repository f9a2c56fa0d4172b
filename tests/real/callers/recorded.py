"""Recordings of real Dovecots that delivered a mail whose Sieve script calls a program.

What was recorded is compared in a steady form: without what is another at each delivery.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from tests.real.callers.caller import SOCKETS, Caller
from tests.real.callers.left_out import ELSEWHERE, LEFT_OUT
from tests.replay.scripts import Step, records, text
from tests.replay.transcripts import Json

#: What recordings took three seconds for, the limit of Sieve's programs, takes one here.
FASTER = 3

_SERVICES = {path: name for name, path in SOCKETS.items()}

#: Bytes of the lines that a mail had behind its three.
_BIG = {
    "pipe-big": 300_000,
    "pipe-rst-like-close-big-unread": 400_000,
    "pipe-hang-noread-big": 600_000,
}
_LINE = b"x" * 70 + b"\r\n"

#: Sieve extensions by what shows that a script needs them.
_EXTENSIONS = {
    r"\bpipe\b(?<!:pipe)": "vnd.dovecot.pipe",
    r"\bfilter\b": "vnd.dovecot.filter",
    r"\bexecute\b": "vnd.dovecot.execute",
    r":copy": "copy",
    r":output|\bset\b": "variables",
    r"\bfileinto\b": "fileinto",
    r":create": "mailbox",
}

#: What is another at each delivery, and what stands for it.
_VOLATILE = (
    (r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d ", ""),
    (r"<\d+><[\w+/]{22}>", "<pid><session>"),
    (r"(\tid |> )[\w+/]{22}\b", r"\1{{session}}"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d", "{{date}}"),
    (r"> 3000 msecs", f"> {3000 // FASTER} msecs"),
    (rf"env_HOST=(vm|{re.escape(socket.gethostname())})\n", "env_HOST={{host}}\n"),
)

_SHORTENED = re.compile(r"<\d+ bytes> ?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Connection:
    """One call of a service: what was done in turn, `recv` and `sent` with bytes."""

    service: str
    events: tuple[tuple[str, str], ...]

    @property
    def heard(self) -> str | None:
        """What the client sent; None if that was not kept as it was."""
        if self.shortened or not self.did("recv"):
            return None
        return "".join(data for kind, data in self.events if kind == "recv")

    @property
    def sent(self) -> bytes:
        """What the service answered."""
        sent = "".join(data for kind, data in self.events if kind == "sent")
        return sent.encode("latin-1")

    @property
    def header(self) -> str:
        """What the client sent up to the first empty line."""
        first = next((data for kind, data in self.events if kind == "recv"), "")
        return _SHORTENED.sub("", first).partition("\n\n")[0]

    @property
    def shortened(self) -> bool:
        """Whether not all that was sent was kept."""
        return any(kind == "recv" and _SHORTENED.match(data) for kind, data in self.events)

    def did(self, kind: str) -> bool:
        """Tell whether something of a kind happened."""
        return any(kind == one for one, _ in self.events)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One delivery, and all that came of it."""

    id: str
    dovecot: str
    user: str
    sieve: str
    #: What LMTP answered to the mail.
    answer: str
    #: Folder, size in bytes, and end of each mail that was stored.
    mails: tuple[tuple[str, int, str], ...]
    log: tuple[str, ...]
    connections: tuple[Connection, ...]

    @property
    def script(self) -> str:
        """The Sieve script, with the extensions that it requires."""
        names = [name for shown, name in _EXTENSIONS.items() if re.search(shown, self.sieve)]
        quoted = ", ".join(f'"{name}"' for name in names)
        return f"require [{quoted}];\n{self.sieve}"

    @property
    def mail(self) -> bytes:
        """What is delivered."""
        head = f"From: <sender@example.org>\r\nTo: <{self.user}>\r\nSubject: subj\r\n"
        body = b"Message-ID: <x@y>\r\n\r\nbody line\r\n.dotline\r\nx\r\n"
        return head.encode() + body + _LINE * (_BIG.get(self.id, 0) // len(_LINE))

    @property
    def options(self) -> tuple[str, ...]:
        """The options of RCPT TO."""
        return ("ORCPT=rfc822;orig@example.com",) if self.id == "pipe-orcpt" else ()


def load() -> list[Recorded]:
    """Return the deliveries that can be made again."""
    return [
        _recorded(record)
        for record in records("script-clients.jsonl.xz")
        if "sieve" in _result(record) and record["id"] not in LEFT_OUT | ELSEWHERE
    ]


def steady(line: str, caller: Caller) -> str:
    """Return a text without what is another at each delivery."""
    line = line.replace(str(caller.folder), "{{dir}}")
    for pattern, stands in _VOLATILE:
        line = re.sub(pattern, stands, line, flags=re.MULTILINE)
    return line


def _result(record: Step) -> dict[str, Json]:
    return cast("dict[str, Json]", record["result"])


def _recorded(record: Step) -> Recorded:
    result = _result(record)
    (answer,) = cast("list[str]", result["lmtp"])
    found = re.search(r"<(\S+)>", answer)
    assert found is not None
    return Recorded(
        id=text(record, "id"),
        dovecot=text(record, "dovecot"),
        user=found[1],
        sieve=str(result["sieve"]),
        answer=answer.rstrip("\r\n"),
        mails=tuple((str(a), int(str(b)), str(c)) for a, b, c in _mails(result)),
        log=tuple(log_lines(record)),
        connections=tuple(connections(record)),
    )


def _mails(result: dict[str, Json]) -> Sequence[Sequence[Json]]:
    return cast("list[list[Json]]", result["mails"])


def log_lines(record: Step) -> list[str]:
    """Return what was logged, but for Debug lines."""
    return [line for line in cast("list[str]", record["log"]) if ": Debug: " not in line]


def connections(record: Step) -> Iterator[Connection]:
    """Return the calls of services."""
    for one in cast("list[dict[str, Json]]", record["service_saw"]):
        events = cast("list[list[Json]]", one["events"])
        told = ((str(kind), str(data[0]) if data else "") for _, kind, *data in events)
        yield Connection(_SERVICES[str(one["socket"])], tuple(told))
