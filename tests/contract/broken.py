"""Servers that break the contract in one thing each, with a check that has to notice."""

from __future__ import annotations

import re
import socket

from tests.contract.tiny import Closed, Tiny, TinyTls


class MoreText(Tiny):
    fails = "1.0 handshake: a client of minor 0 hears + or - and nothing else"

    def verdict(self) -> bytes:
        return b"- please authenticate\n"


class FramesMinorZero(Tiny):
    fails = r"1.0 reply: an unknown command is answered \n-\n"

    def send(self, channel: int, data: bytes) -> None:
        minor, self.client_minor = self.client_minor, 1
        super().send(channel, data)
        self.client_minor = minor


class FramesThePlus(Tiny):
    fails = "1.1 authentication: the + for a password is not framed"

    def log_in(self) -> None:
        if not self.is_right(self.line()):
            self.refuse()
        self.send(0, b"+\n")


class VersionAfterVerdict(Tiny):
    fails = (
        "1.1 handshake: a client of minor 1 hears VERSION with the server's own minor, and + or -"
    )

    def opening(self) -> bytes:
        return self.verdict() + (self.version() if self.client_minor else b"")


class GreetsFirst(TinyTls):
    fails = "1.2 handshake: the client speaks first"

    def open(self) -> None:
        self.sock.sendall(self.verdict())

    def opening(self) -> bytes:
        return self.version() if self.client_minor else b""


class EchoesMinor(Tiny):
    fails = (
        "1.1 handshake: a client of minor 9 hears VERSION with the server's own minor, and + or -"
    )

    def version(self) -> bytes:
        return b"VERSION\tdoveadm-client\t1\t%d\n" % self.client_minor


class ServerName(Tiny):
    fails = "1.0 handshake: a client of minor 1 hears + or - and no VERSION"

    def version(self) -> bytes:
        return b"VERSION\tdoveadm-server\t1\t1\n"


class VersionForAll(Tiny):
    fails = "1.0 handshake: a client of minor 0 hears + or - and nothing else"

    def opening(self) -> bytes:
        return self.version() + self.verdict()


class AnswersBadVersion(Tiny):
    fails = "1.0 handshake: HTTP instead of VERSION closes the connection without a byte"

    def parse_version(self, line: bytes) -> re.Match[bytes] | None:
        match = super().parse_version(line)
        if match is None:
            self.refuse()
        return match


class TakesFifthField(Tiny):
    fails = "1.0 handshake: VERSION with a fifth field closes the connection without a byte"

    def parse_version(self, line: bytes) -> re.Match[bytes] | None:
        return re.match(rb"VERSION\tdoveadm-server\t0*1\t([0-9]+)", line)


class WantsNoZeros(Tiny):
    fails = "1.0 handshake: VERSION is good with leading zeros in the minor"

    def parse_version(self, line: bytes) -> re.Match[bytes] | None:
        return re.fullmatch(rb"VERSION\tdoveadm-server\t1\t([1-9][0-9]*|0)", line)


class TakesAnyPassword(Tiny):
    fails = "1.0 authentication: a wrong password is answered - and closes"

    def is_right(self, line: bytes) -> bool:
        return line.startswith(b"PLAIN\t")


class TakesNoPassword(Tiny):
    fails = "1.0 authentication: the right password is answered +"

    def is_right(self, line: bytes) -> bool:
        return False


class TakesTwoAttempts(Tiny):
    fails = "1.0 authentication: there is no second attempt"

    attempts = 0

    def refuse(self) -> None:
        self.attempts += 1
        if self.attempts == 2:
            super().refuse()
        self.sock.sendall(b"-\n")
        self.log_in()


class RefusesInSilence(Tiny):
    fails = "1.0 authentication: LOGIN is answered - and closes"

    def refuse(self) -> None:
        raise Closed


class TakesLongerPassword(Tiny):
    fails = "1.0 authentication: more than the right password is refused"

    def is_right(self, line: bytes) -> bool:
        return super().is_right(line) or line == b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0eA=="


class NoLastTab(Tiny):
    fails = "1.0 reply: each value has its TAB, the last one too, then LF and the status"

    def rows(self, rows: list[bytes]) -> None:
        super().rows([row[:-1] for row in rows])


class RowsWithStatus(Tiny):
    fails = "1.1 framing: each row is a packet (or all are one, before 2.3.19), and the status"

    def rows(self, rows: list[bytes]) -> None:
        self.send(0, b"".join(rows) + b"\n+\n")


class LogsAfterStatus(Tiny):
    fails = "1.1 framing: an unknown user is logged on channel L before the status"

    def fail(self, text: bytes, status: bytes) -> None:
        self.send(0, b"\n-%b\n" % status)
        self.log(text)


class LogsNothing(Tiny):
    fails = r"1.1 framing: an unknown command is logged on channel L before \n-\n"

    def log(self, text: bytes) -> None:
        return


class NamesUnknownCommand(Tiny):
    fails = r"1.0 reply: an unknown command is answered \n-\n"

    def fail(self, text: bytes, status: bytes) -> None:
        super().fail(text, status or b"USAGE")


class IgnoresCase(Tiny):
    fails = r"1.0 reply: a name in upper case is an unknown command: \n-\n"

    def is_list(self, fields: list[bytes]) -> bool:
        return super().is_list([field.lower() for field in fields])


class ForgivesBadLines(Tiny):
    fails = "1.0 commands: a line of two fields closes the connection without a status"

    def give_up(self, text: bytes) -> None:
        self.fail(b"doveadm client: " + text, b"")


class OneCommand(Tiny):
    fails = "1.0 commands: one after the other, each after the reply before"

    def command(self, line: bytes) -> None:
        super().command(line)
        raise Closed


class ShortLines(Tiny):
    fails = "1.0 commands: a line of 1 MiB is taken"
    limit = 65536


class LongLines(Tiny):
    fails = "1.0 commands: a line of one byte more is reset without a byte"
    limit = 2 * Tiny.limit


class CutsPackets(Tiny):
    fails = "1.1 framing: one packet may hold 1 MiB"

    def log(self, text: bytes) -> None:
        super().log(text[:65535])


class WrongLength(Tiny):
    fails = r"1.1 framing: a reply without a value is one packet, \n+\n"

    def send(self, channel: int, data: bytes) -> None:
        sent = b"\0\0\0\0\2" + data if self.client_minor else data
        self.sock.sendall(sent)


class TakesInjectedBytes(TinyTls):
    fails = "1.2 tls: a right PLAIN in one go with STARTTLS lets nobody in"

    def start_tls(self) -> None:
        if self.sock.recv(1, socket.MSG_PEEK) == b"P":
            # Plaintext is taken for what came inside TLS: the classic injection.
            if self.is_right(self.line()):
                self.sock.sendall(b"+\n")
            raise Closed
        super().start_tls()


class AnswersStarttls(TinyTls):
    fails = "1.2 tls: STARTTLS, then PLAIN is answered + inside TLS, for a client of minor 1"

    def start_tls(self) -> None:
        if self.client_minor:
            self.sock.sendall(b"+\n")
        super().start_tls()


class ForgetsStarttls(TinyTls):
    fails = "1.2 tls: STARTTLS inside TLS wants TLS again: PLAIN is not read"

    def line_after_tls(self) -> bytes:
        line = self.line()
        return self.line() if line == b"STARTTLS" else line


class Mute(Tiny):
    fails = "the server speaks the protocol at all"

    def open(self) -> None:
        raise Closed


BROKEN: tuple[type[Tiny], ...] = tuple(
    kind for kind in (*Tiny.__subclasses__(), *TinyTls.__subclasses__()) if kind is not TinyTls
)
