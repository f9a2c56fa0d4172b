"""Conversations for the eye: `C:` and `S:` lines, control characters escaped."""

from __future__ import annotations

import re

_PASSWORD = re.compile(rb"(?m)^PLAIN\t.*$")
#: A TAB and a backslash are escaped too: what is printed can be pasted into printf.
_SPECIAL = re.compile(rb"[\x00-\x1f\x7f-\xff\\]")
_NAMED = {b"\t": r"\t", b"\r": r"\r", b"\n": r"\n", b"\\": r"\\"}


def shown(who: str, data: bytes) -> str:
    r"""Return `data` line by line, each with `who` before it; passwords are left out.

    >>> print(shown("C", b"VERSION\tdoveadm-server\t1\t2\nPLAIN\tAGE=\n"))
    C: VERSION\tdoveadm-server\t1\t2\n
    C: PLAIN\t(a password)\n
    """
    lines = re.findall(rb"[^\n]*\n|[^\n]+", _PASSWORD.sub(b"PLAIN\t(a password)", data))
    return "\n".join(f"{who}: {_SPECIAL.sub(_escaped, line).decode()}" for line in lines)


def _escaped(match: re.Match[bytes]) -> bytes:
    return _NAMED.get(match[0], f"\\{match[0][0]:03o}").encode()
