"""The line that ends a reply."""

from __future__ import annotations

from fakedove.dovecot.release import Release
from fakedove.dovecot.rules import Failure
from fakedove.dovecot.status import Status

_OK_LINES = (b"\n+\n",)
#: Those that all releases know.
_STATUSES = frozenset(
    {
        Status.TEMPFAIL,
        Status.USAGE,
        Status.NOUSER,
        Status.NOPERM,
        Status.PROTOCOL,
        Status.DATAERR,
        Status.NOTFOUND,
    }
)


def status_lines(
    release: Release, status: Status, *, mail: bool, suffix: bytes = b"", old: bool = False
) -> tuple[bytes, ...]:
    """Return the writes that end a reply: one, or two where failures are doubled.

    Where others are doubled, that of an `old` command is one number. `suffix` is text behind
    the status, such as the host of REFERRAL.
    """
    if status is Status.OK:
        return (b"\n+%b\n" % suffix,) if suffix else _OK_LINES
    if status is Status.DASH:
        return (b"\n-\n",)
    if old and release.double_status:
        return (b"\n-%b%b\n" % (_failure_text(release, status, Failure.NUMBER), suffix),)
    style = release.mail_failure if mail else release.other_failure
    line = b"\n-%b%b\n" % (_failure_text(release, status, style), suffix)
    return (line, b"\n-\n") if release.double_status else (line,)


def _failure_text(release: Release, status: Status, style: Failure) -> bytes:
    if status is Status.NOUSER and release.nouser:
        return b"NOUSER"
    if style is Failure.DASH:
        return b""
    if style is Failure.NUMBER:
        return b"%d" % status.value
    if status in _STATUSES or status in release.extra_statuses:
        return status.name.encode()
    return b"UNKNOWN" if style is Failure.NAME else b""
