"""An exchange as a line of JSON: bytes are text, with Base64 beside it if they are no UTF-8."""

from __future__ import annotations

import base64
import json

from fakedove.double.exchange import Exchange


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
        "args": exchange.args,
        **_bytes("line", exchange.line),
        **_bytes("body", exchange.body),
        "body_size": exchange.body_size,
        "began": exchange.began.isoformat(timespec="microseconds"),
        "ended": None if ended is None else ended.isoformat(timespec="microseconds"),
        "seconds": exchange.seconds,
        **_bytes("reply", exchange.reply),
        "status": None if exchange.status is None else exchange.status.name,
        "cut_short": exchange.cut_short,
        "log": [_text(one.line) for one in exchange.log if one.line is not None],
        "log_channel": [_text(one.channel) for one in exchange.log if one.channel is not None],
        "stub": exchange.stub,
    }


def _bytes(key: str, data: bytes) -> dict[str, str]:
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {key: _text(data), f"{key}_base64": base64.b64encode(data).decode()}


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
