"""Whether a mail has attachments, by what its parts' Content-Disposition says."""

from __future__ import annotations

from fakedove.dovecot.mime.parts import parse_parts
from fakedove.dovecot.mime.structure import Described, describe

#: The keywords for a mail that has an attachment, and for one that has none.
KEYWORDS = ("$HasAttachment", "$HasNoAttachment")


def keyword_of(mail: bytes, *, decoded: bool) -> str:
    """Return the keyword that says whether the mail has attachments."""
    return KEYWORDS[0 if has_attachment(mail, decoded=decoded) else 1]


def has_attachment(mail: bytes, *, decoded: bool) -> bool:
    """Whether one of the mail's parts is an attachment, or an inlined file.

    `decoded`: a file name in RFC 2231's form is one, too.
    """
    parts = parse_parts(mail).walk()
    return any(_is_attachment(describe(mail, part, decoded=decoded)) for part in parts)


def _is_attachment(part: Described) -> bool:
    disposition = (part.disposition or b"").lower()
    names = [name.lower() for name, _ in part.disposition_parameters]
    return disposition == b"attachment" or (disposition == b"inline" and b"filename" in names)
