"""What a script service was recorded to answer, told to a stub of fakedove."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fakedove import ScriptReply, ScriptStub
from fakedove.double.script_reply import Output, ScriptEnd
from tests.real.callers.recorded import Connection

#: Seconds after which a client has sent what the socket takes.
_LATE = 0.3

#: A mail that a recording keeps only the size of, and its last lines.
_BIG = b"From: a@b\r\nSubject: new\r\n\r\n\r\n" + (b"q" * 78 + b"\r\n") * 1001


def _hang(stub: ScriptStub, output: Output = b"") -> None:
    """Read all of stdin, which `hang` does not, before doing nothing more."""
    stub.handle(lambda _: ScriptReply(output, end=ScriptEnd.HANG))


#: Answers that take their time, or end in a way of their own. What took one second in the
#: recording takes a third of it, as Dovecot's limit does.
_SPECIAL: Mapping[str, Callable[[ScriptStub], object]] = {
    "pipe-close-at-accept": lambda stub: stub.close(before_header=True, delay=_LATE),
    "pipe-rst-like-close-big-unread": lambda stub: stub.close(delay=_LATE),
    "pipe-hang": _hang,
    "pipe-hang-noread-big": lambda stub: stub.hang(),
    "pipe-slow-trickle": lambda stub: _hang(stub, [0.2, b"o"] * 5),
    "pipe-reply-early-close-later": lambda stub: stub.reply([b"+\n", 0.5], result=b""),
    "pipe-byte-by-byte-reply": lambda stub: stub.reply(
        [b"out", 0.1, b"+", 0.1, b"\n", 0.1], result=b""
    ),
    "filter-big-output": lambda stub: stub.reply(_BIG),
}

_EXIT = {b"+\n": 0, b"-\n": 1}


def arm(stub: ScriptStub, name: str, connection: Connection) -> None:
    """Have a stub answer as the service did in a connection of the recording `name`."""
    if special := _SPECIAL.get(name):
        special(stub)
        return
    output, code = connection.sent[:-2], connection.sent[-2:]
    if code in _EXIT:
        stub.reply(output, exit=_EXIT[code])
    else:
        stub.reply(connection.sent, result=b"")
