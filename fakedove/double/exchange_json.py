"""An exchange as a line of JSON: bytes are text, with Base64 beside it if they are no UTF-8.

Secrets are left out: see `redaction`. The mail behind a command is what it is.
"""

from __future__ import annotations

import base64
import json

from fakedove.double.exchange import Exchange
from fakedove.double.redaction import (
    HIDDEN,
    asks_for_secrets,
    redacted,
    redacted_bytes,
    redacted_log,
)


def json_line(exchange: Exchange) -> str:
    """Return an exchange as one line of ASCII, LF included; docs/journal.md has the keys."""
    return json.dumps(_as_json(exchange)) + "\n"


def _as_json(exchange: Exchange) -> dict[str, object]:
    connection, ended = exchange.connection, exchange.ended
    return {
        "connection": connection.number,
        "listener": connection.listener,
        "address": connection.address,
        "tls": connection.tls,
        "authentication": connection.authentication,
        "client_minor": connection.client_minor,
        "dovecot": connection.dovecot,
        "command": exchange.command,
        "user": exchange.user,
        "args": [redacted(one) for one in exchange.args],
        **_bytes("line", redacted_bytes(exchange.line)),
        **_bytes("body", exchange.body),
        "body_size": exchange.body_size,
        "began": exchange.began.isoformat(timespec="microseconds"),
        "ended": None if ended is None else ended.isoformat(timespec="microseconds"),
        "seconds": exchange.seconds,
        **_bytes("reply", _reply(exchange)),
        "status": None if exchange.status is None else exchange.status.name,
        "cut_short": exchange.cut_short,
        "log": [_told(one.line) for one in exchange.log if one.line is not None],
        "log_channel": [_told(one.channel) for one in exchange.log if one.channel is not None],
        "stub": exchange.stub,
    }


def _reply(exchange: Exchange) -> bytes:
    secret = asks_for_secrets(exchange.command, exchange.fields)
    return HIDDEN.encode() if secret else redacted_bytes(exchange.reply)


def _told(line: bytes) -> str:
    return _text(redacted_log(line))


def _bytes(key: str, data: bytes) -> dict[str, str]:
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {key: _text(data), f"{key}_base64": base64.b64encode(data).decode()}


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
