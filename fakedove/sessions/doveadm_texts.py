"""doveadm-server's own words about connections, handshakes and bodies."""

from __future__ import annotations

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Log, Scope
from fakedove.sessions.world import ListenerSettings
from fakedove.wire.handshake import Fault

NO_PASSWORD_SET = b"doveadm_password not set, remote authentication disabled"
WRONG_PASSWORD = b"doveadm client authenticated with wrong password"
_CUT_OFF = b"read(<local>) failed: dot-input stream ends without '.' line"
BODY_CUT_OFF = (
    Log(b"read(<local>) failed: " + _CUT_OFF, scope=Scope.PROCESS),
    Log(b"open(<local>) failed: " + _CUT_OFF),
)

_HANDSHAKE = {
    Fault.INCOMPATIBLE: (
        b"doveadm client not compatible with this server (mixed old and new binaries?)"
    ),
    Fault.LINE_TOO_LONG: (
        b"doveadm client disconnected before handshake: No buffer space available"
    ),
}


def handshake_fault(fault: Fault, *, over_tls: bool) -> bytes:
    """Return what is logged when the VERSION line is missing or wrong."""
    if fault is Fault.EOF:
        why = b"Connection closed" if over_tls else b"EOF"
        return b"doveadm client disconnected before handshake: %b" % why
    return _HANDSHAKE[fault]


def auth_fault(fault: Fault, line: bytes, release: Release) -> bytes:
    """Return what is logged when an authentication line is wrong."""
    match fault:
        case Fault.INVALID_BASE64:
            return b"doveadm client sent invalid base64 auth PLAIN data"
        case Fault.NOT_DOVEADM:
            return b"doveadm client didn't authenticate as 'doveadm'"
        case _:
            quoted = b": %b" % line if release.log_quotes_auth else b""
            return b"doveadm client attempted non-PLAIN authentication%b" % quoted


def tls_failed(reason: str) -> bytes:
    """Return what is logged when a TLS handshake fails."""
    return b"SSL handshake failed: %b" % reason.encode()


def tls_unavailable(release: Release, settings: ListenerSettings) -> bytes | None:
    """Return why STARTTLS is refused, None if it is not."""
    if release.ssl_no_refuses_starttls and settings.ssl == "no":
        return b"SSL init failed: SSL is disabled (ssl=no)"
    if not settings.certificate:
        return (
            b"SSL init failed: Couldn't initialize SSL server context: Can't load SSL"
            b" certificate (ssl_server_cert_file setting): The certificate is empty"
        )
    return None


def not_built(name: bytes) -> tuple[Log, ...]:
    """Say that the real server knows a command that fakedove does not know yet."""
    return (Log(b"fakedove does not answer this command yet: %b" % name, scope=Scope.PROTOCOL),)


def body_too_long(limit: int) -> tuple[Log, ...]:
    """Say that a mail is longer than the limit, which is fakedove's own."""
    text = b"fakedove takes mails of up to %d bytes" % limit
    return (Log(text, scope=Scope.PROCESS),)
