r"""Secrets left out of what a person is shown: conversations, JSON lines, logs, explanations.

Three things are taken for secrets: what a client says to prove who it is, the value of a name
such as `imapc_password=` or `"pass":`, and the password of a URL. The values of test passwords
are no help in finding them: they are words such as "pass". What was sent, and what the objects
of the journal hold, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

#: What stands in the place of a secret.
HIDDEN = "(a password)"

#: Where secrets begin and end.
Spans: TypeAlias = Sequence[tuple[int, int]]

#: How the names of secrets end. Nothing is repeated without a limit: what is looked at may be
#: megabytes long.
_NAMED = (
    rb"(?:password|(?<![A-Za-z0-9])"
    rb"(?:pass|passwd|passphrase|secret|token|nonce|api_?key|private_?key))"
)
_SECRET = re.compile(
    # A value goes to the end of its field, or up to the next name.
    rb"(?P<name>%b=)[^\t\r\n\0\x01]*?(?=[ ,;&]{1,8}[\w.-]{1,64}=|[\t\r\n\0\x01]|$)"
    rb'|(?P<json>%b" ?: ?")(?:[^"\\\n]|\\.)*'
    rb"|(?P<url>://[^\s/:@]{0,255}:)[^\s/@]{1,255}(?=@)" % (_NAMED, _NAMED),
    re.IGNORECASE,
)
#: Where none of these stands there is no secret; they are found much faster.
_SIGNS = (b"pass", b"secret", b"token", b"nonce", b"key", b"://")
#: A field that asks for secrets by name: `-f pass`, `-e %{userdb:pass}`.
_ASKS = re.compile(_NAMED + rb"(?![A-Za-z0-9=])", re.IGNORECASE)
#: What Dovecot's log quotes of a line that should have proved who a client is.
_QUOTED = re.compile(rb"attempted non-PLAIN authentication: ")


def secrets(data: bytes) -> Spans:
    """Return where values of secret names and passwords of URLs stand."""
    lower = data.lower()
    if not any(sign in lower for sign in _SIGNS):
        return ()
    return [(found.end(found.lastgroup or 0), found.end()) for found in _SECRET.finditer(data)]


def hide(data: bytes, spans: Spans, start: int = 0) -> bytes:
    """Return `data` from `start` on without the secrets at `spans`."""
    return b"".join(_kept(data, spans, start))


def redacted_bytes(data: bytes) -> bytes:
    """Return `data` without its secrets."""
    spans = secrets(data)
    return hide(data, spans) if spans else data


def redacted(text: str) -> str:
    """Return a text without its secrets."""
    return redacted_bytes(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")


def redacted_log(line: bytes) -> bytes:
    """Return a line of the server log without its secrets, nor what it quotes of such."""
    quoted = _QUOTED.search(line)
    if quoted is not None:
        return hide(line, [(quoted.end(), len(line))])
    return redacted_bytes(line)


def asks_for_secrets(command: str, fields: Sequence[bytes]) -> bool:
    """Whether all that a command prints may be secret: `user -f pass ann` prints it bare."""
    return command == "user" and any(map(_ASKS.search, fields[:-1]))


def _kept(data: bytes, spans: Spans, start: int) -> Iterator[bytes]:
    for begin, end in spans:
        if end <= start:
            continue
        yield data[start : max(begin, start)]
        yield HIDDEN.encode()
        start = end
    yield data[start:]
