"""Carries an exchange out over a socket, UNIX or TCP, in the thread that calls."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from contextlib import suppress
from typing import Final

from fakedove.dovecot import program_client as texts
from fakedove.dovecot.reply import Level
from fakedove.program_client.call import CONNECT_SECONDS, Call, Driver, Target
from fakedove.program_client.exchange import Exchange
from fakedove.program_client.giving_up import GivingUp
from fakedove.program_client.outcome import Execution, ProgramLog
from fakedove.program_client.polling import poll

_READ_BYTES: Final = 65536
_FOR_EVER: Final = float("inf")
_CONNECT_MSECS: Final = round(CONNECT_SECONDS * 1000)


def execute_remotely(call: Call, giving_up: GivingUp) -> Execution:
    """Ask the service at the call's target; never raises for what goes wrong with that."""
    log = ProgramLog(call.release.script.client, call.target.label, os.fsencode(call.target.name))
    exchange = Exchange(call, log)
    sock = _connected(call, log)
    if sock is None:
        exchange.fail()
        return exchange.execution()
    with sock, giving_up.then(lambda: _break(sock)):
        _carry_out(exchange, sock, call)
    return exchange.execution()


def _break(sock: socket.socket) -> None:
    """Make the other side, and our own waiting, see the end."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _carry_out(exchange: Exchange, sock: socket.socket, call: Call) -> None:
    """Send and receive as each becomes possible, until the exchange is over."""
    expiry = _FOR_EVER if call.timeout is None else time.monotonic() + call.timeout
    sock.setblocking(False)
    sending = _send(exchange, sock, halves=call.waits)
    waiting = select.poll()
    while not exchange.over:
        left = expiry - time.monotonic()
        if left <= 0:
            exchange.timed_out()
            return
        waiting.register(sock, select.POLLIN * exchange.reading | select.POLLOUT * sending)
        for _, ready in poll(waiting, left):
            # An end that can be read counts for more than one that is met in writing.
            if exchange.reading and ready & ~select.POLLOUT:
                _receive(exchange, sock)
            else:
                sending = _send(exchange, sock, halves=call.waits)


def _receive(exchange: Exchange, sock: socket.socket) -> None:
    try:
        exchange.receive(sock.recv(_READ_BYTES))
    except BlockingIOError:
        return
    except OSError as error:
        exchange.read_failed(error.strerror or str(error))


def _send(exchange: Exchange, sock: socket.socket, *, halves: bool) -> bool:
    """Send what the socket takes; return whether there is more to send, now or later."""
    try:
        exchange.sent(sock.send(exchange.unsent))
    except BlockingIOError:
        return True
    except OSError as error:
        exchange.write_failed(error.strerror or str(error))
        return False
    if halves and not exchange.unsent:
        # A service that has hung up already is no concern of this side's.
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
    return bool(exchange.unsent)


def _connected(call: Call, log: ProgramLog) -> socket.socket | None:
    """Return a connected socket, or None when the log says why there is none."""
    if call.target.driver is Driver.UNIX:
        return _connected_to_path(call.target.path, log)
    return _connected_to_host(call.target.host, call.target.port, log)


def _connected_to_path(path: str, log: ProgramLog) -> socket.socket | None:
    sock = socket.socket(socket.AF_UNIX)
    sock.setblocking(False)
    # A full backlog is tried again until the time is over.
    for _ in range(round(CONNECT_SECONDS / texts.RETRY_SECONDS)):
        try:
            sock.connect(path)
        except BlockingIOError:
            time.sleep(texts.RETRY_SECONDS)
        except OSError as error:
            # Without a reason the path is too long for a socket.
            reason = error.strerror or os.strerror(errno.ENAMETOOLONG)
            log.add(texts.unix_failure(os.fsencode(path), reason))
            break
        else:
            return sock
    else:
        log.add_worded(Level.ERROR, log.words.connect_timed_out, msecs=_CONNECT_MSECS)
    sock.close()
    return None


def _connected_to_host(host: str, port: int, log: ProgramLog) -> socket.socket | None:
    name = os.fsencode(host)
    try:
        # As bytes: a name that is none is for the system to refuse.
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = (error.strerror or str(error)).encode()
        log.add_worded(Level.ERROR, log.words.unresolved, host=name, reason=reason)
        return None
    for family, _, _, _, address in found:
        log.label = Target(Driver.TCP, "", str(address[0]), port).label
        sock = socket.socket(family)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(address)
        except TimeoutError:
            log.add_worded(Level.ERROR, log.words.tcp_timed_out, host=name, msecs=_CONNECT_MSECS)
        except OSError as error:
            log.add(texts.tcp_failure(name, error.strerror or str(error)))
        else:
            return sock
        sock.close()
    if len(found) > 1:
        log.add((Level.ERROR, texts.NO_ADDRESS_LEFT))
    return None
