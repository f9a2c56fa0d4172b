"""Recordings of real program clients: what each was asked to do, and what it came to.

A recording is one cause (a mail with a Sieve script, a quota crossed, a new INBOX) and the
connections that a real Dovecot made because of it. A call is derived from the cause, as its
author wrote it, and not from the bytes that were sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from fakedove.dovecot.program_client import Verdict
from tests.replay.scripts import Step, records, text
from tests.replay.transcripts import Json

#: Environment variables that Sieve's commands set, beside USER and HOME.
_HOST = {"2.3.19.1": "vm", "2.4.1": "fake.example"}
_SENDER = "sender@example.org"

#: Arguments of the welcome setting where they are not `hello %{user}`.
_WELCOME = {"noargs.conf": (), "abs.conf": ("abs",)}

_PROGRAM_LINE = re.compile(
    r"(Debug|Info|Error): (?:\w+: )?((?:program|execute) (\w+:\S+?): (?!Execution failed).*)"
)
_EXECUTION_FAILED = re.compile(r"Execution failed: (-?\d+)")
_SHORTENED = re.compile(r"<(\d+) bytes>(?: .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client was asked to do."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    stdin: bytes | None
    noreply: bool
    wants_output: bool


@dataclass(frozen=True, slots=True)
class ClientCall:
    """One connection of a real client."""

    id: str
    dovecot: str
    #: Below base_dir, or `tcp:PORT`.
    socket: str
    #: What the service did: `recv` BYTES, `eof`, `sent` BYTES, `close`, ...
    events: tuple[tuple[str, str], ...]
    asked: Asked
    #: Not all that was sent was kept.
    shortened: bool
    #: The client's lines, `Error: program unix:...`; without Debug where there were none kept.
    log: tuple[str, ...]
    tells_debug: bool
    #: None: it is not known. A client that asks for no code is content.
    verdict: Verdict | None

    @property
    def sent(self) -> bytes:
        """What the client sent, as far as it was kept."""
        return b"".join(data.encode("latin-1") for kind, data in self.events if kind == "recv")

    @property
    def stdin_unknown(self) -> bool:
        """Whether there was more stdin than was kept, or none of it was."""
        return self.shortened and self.asked.stdin is not None

    @property
    def is_welcome_of_23(self) -> bool:
        """Whether it is a client that lib-program-client has no part in."""
        return self.dovecot == "2.3.19.1" and self.socket == "welcome"

    @property
    def timed_out(self) -> bool:
        """Whether the client gave up."""
        return any("timed out" in line for line in self.log)


def load_records() -> list[Step]:
    """Return the recordings as they are."""
    return records("script-clients.jsonl.xz")


def load_calls() -> list[ClientCall]:
    """Return every connection that was made."""
    return [call for record in load_records() for call in _calls(record)]


def _calls(record: Step) -> Iterator[ClientCall]:
    for connection in cast("list[dict[str, Json]]", record["service_saw"]):
        raw = cast("list[list[Json]]", connection["events"])
        events = tuple((str(kind), str(*data[:1])) for _, kind, *data in raw)
        socket = str(connection["socket"])
        lines = _lines(record, socket)
        sent = "".join(data for kind, data in events if kind == "recv")
        asked = _asked(record, socket, sent)
        yield ClientCall(
            id=text(record, "id"),
            dovecot=text(record, "dovecot"),
            socket=socket,
            events=events,
            asked=asked,
            shortened=any(kind == "recv" and _SHORTENED.match(data) for kind, data in events)
            or not sent,
            log=tuple(lines),
            tells_debug=bool(record["log"]),
            verdict=Verdict.SUCCESS if asked.noreply else _verdict(record, lines),
        )


def _asked(record: Step, socket: str, sent: str) -> Asked:
    if socket.startswith("sieve-"):
        result = cast("dict[str, Json]", record["result"])
        return _asked_by_sieve(record, str(result.get("sieve", "")), socket, sent)
    user = _user(record, sent)
    if socket != "quota-warning" and "\nnoreply\n" not in sent:
        words = _WELCOME.get(text(record, "conf"), ("hello", user))
        return Asked(words, {}, None, noreply=False, wants_output=False)
    # Which limit was crossed is for the quota to know.
    limit = sent.split("\n")[2] if sent else "20"
    assert limit in ("20", "90", "below", "mismatch")
    value = ("TRUE",) if limit == "mismatch" else ()
    return Asked((limit, user, *value), {}, None, noreply=True, wants_output=False)


def _asked_by_sieve(record: Step, script: str, socket: str, sent: str) -> Asked:
    command = socket.removeprefix("sieve-").removesuffix("/prog")
    found = re.search(rf'{command}\b([^;{{]*?)"prog"\s*(\[.*?\])?[ ;{{]', script)
    options, words = ("", None) if found is None else found.groups()
    arguments = json.loads(words, strict=False) if words else []
    mail = sent.partition("\n\n")[2]
    given = re.search(r':input "([^"]*)"', options)
    takes_mail = command != "execute" or ":pipe" in options
    # An empty argument ends the header, so that its own end is stdin; it is in `arguments`.
    mail = mail[1:] if "" in arguments else mail
    user = re.findall(r"env_USER=(\S+)", sent) or [""]
    return Asked(
        arguments=tuple(arguments),
        environment=_sieve_environment(record, user[0]),
        stdin=given[1].encode() if given else mail.encode("latin-1") if takes_mail else None,
        noreply=False,
        wants_output=command == "filter" or ":output" in options or not script,
    )


def _sieve_environment(record: Step, user: str) -> dict[str, str]:
    original = "orig@example.com" if record["id"] == "pipe-orcpt" else user
    return {
        "USER": user,
        "HOME": f"{{{{dir}}}}/home/{user}",
        "HOST": _HOST[text(record, "dovecot")],
        "SENDER": _SENDER,
        "RECIPIENT": user,
        "ORIG_RECIPIENT": original,
    }


def _user(record: Step, sent: str) -> str:
    """Return whom a recording is about, from what caused it if that is known."""
    cause = re.search(r"-u ([\w.@]+)|<([^> ]+)>", str(record["result"]))
    if cause is not None:
        # LMTP shows the recipient with its detail.
        return re.sub(r"\+[^@]*", "", cause[1] or cause[2])
    seen = re.search(r"env_USER=(\w+)", str(record["service_saw"]))
    return seen[1] if seen is not None else sent.rstrip("\n").rpartition("\n")[2]


def _lines(record: Step, socket: str) -> list[str]:
    """Return what the client of `socket` logged, whoever it was that showed it."""
    place = f"/run/{socket}" if not socket.startswith("tcp:") else socket.removeprefix("tcp")
    shown = [*cast("list[str]", record["log"]), *_errors(record)]
    found = [_PROGRAM_LINE.search(line) for line in shown]
    return [f"{one[1]}: {one[2]}" for one in found if one is not None and one[3].endswith(place)]


def _errors(record: Step) -> list[str]:
    result = cast("dict[str, Json]", record["result"])
    inner = result.get("d")
    errors = inner.get("err", "") if isinstance(inner, dict) else result.get("err", "")
    return str(errors).split("\n")


def _verdict(record: Step, lines: list[str]) -> Verdict | None:
    told = _EXECUTION_FAILED.search("\n".join(_errors(record)))
    if told is not None:
        return Verdict(int(told[1]))
    if any(line.startswith("Error: ") for line in lines):
        return Verdict.INTERNAL_FAILURE
    if any("Received '-'" in line for line in lines):
        return Verdict.FAILURE
    # A client that says nothing, where only errors are shown, is content.
    return Verdict.SUCCESS if lines or not record["log"] else None
