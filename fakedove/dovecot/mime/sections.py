"""IMAP's sections of a mail: `1.2`, `TEXT`, `2.HEADER`, `1.MIME`, `HEADER.FIELDS(subject)`."""

from __future__ import annotations

import enum
import re

import msgspec

from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.mime.parts import Kind, Part


class What(enum.Enum):
    """What of a part is asked for."""

    #: Header and body of the mail.
    ALL = enum.auto()
    #: The body of a part.
    BODY = enum.auto()
    #: The header of a part.
    MIME = enum.auto()
    #: Header and body of the mail, or of a mail that is a part.
    HEADER = enum.auto()
    TEXT = enum.auto()
    FIELDS = enum.auto()
    FIELDS_NOT = enum.auto()


class Section(msgspec.Struct, frozen=True):
    """A parsed section."""

    numbers: tuple[int, ...]
    what: What
    #: Names of header fields in lower case.
    names: frozenset[bytes] = frozenset()


_SECTION = re.compile(r"((?:[0-9]+(?:\.(?=.)|$))*)(.*)", re.DOTALL | re.ASCII)
_WORDS = {"": What.ALL, "mime": What.MIME, "text": What.TEXT, "header": What.HEADER}
_ASTRING = r'(?:[^\s(){"\\]+|"(?:[^"\\]|\\.)*")'
_NAMES = re.compile(rf" ?\(\s*({_ASTRING}(?:\s+{_ASTRING})*)\s*\)", re.DOTALL)
#: Part numbers are 32 bits wide.
_NUMBER_MASK = 2**32 - 1


def parse_section(text: str) -> Section | None:
    """Return the section that `text` names, or None if there is none of that name."""
    match = _SECTION.fullmatch(text)
    assert match is not None, "the expression matches anything"
    numbers = tuple(int(word) & _NUMBER_MASK for word in match[1].split(".") if word)
    word = match[2].lower()
    if word in _WORDS:
        what = _WORDS[word]
        if numbers and what is What.ALL:
            what = What.BODY
        return None if what is What.MIME and not numbers else Section(numbers, what)
    for prefix, what in (
        ("header.fields.not", What.FIELDS_NOT),
        ("header.fields", What.FIELDS),
    ):
        if word.startswith(prefix):
            names = _names(word.removeprefix(prefix))
            return None if names is None else Section(numbers, what, names)
    return None


def find_part(root: Part, section: Section) -> Part | None:
    """Return the part that the section is about, or None if the mail has none."""
    part: Part | None = root
    numbers = list(section.numbers)
    while numbers and part is not None:
        part = _child(part, numbers.pop(0), last=not numbers)
        if numbers and part is not None and part.kind & Kind.MESSAGE:
            part = part.children[0]
    whole_mail = section.what not in (What.BODY, What.MIME)
    if section.numbers and whole_mail and part is not None:
        return part.children[0] if part.kind & Kind.MESSAGE else None
    return part


def span_of(mail: bytes, part: Part, section: Section) -> tuple[int, int]:
    """Return where in the mail the section begins and ends; not for single fields."""
    match section.what:
        case What.ALL:
            return 0, len(mail)
        case What.MIME | What.HEADER:
            return part.position, part.body_position
        case _:
            return part.body_position, part.end


def read_fields(mail: bytes, part: Part, section: Section) -> bytes:
    """Return the fields of a part's header that the section names, or all others."""
    wanted = section.what is What.FIELDS
    header = part.open_header_of(mail)
    lines = b"".join(
        field.line
        for field in header_fields(header)
        if (field.name.lower() in section.names) is wanted
    )
    if header.endswith((b"\n\n", b"\n\r\n")) or header in (b"\n", b"\r\n"):
        return lines + b"\n"
    if section.numbers or not wanted:
        return lines
    # What is gathered from the mail's own header always ends.
    return lines + (b"\n" if lines.endswith(b"\n") or not lines else b"\n\n")


def with_crlf(data: bytes) -> bytes:
    """Return `data` with a CR before each LF."""
    return _BARE_LF.sub(b"\r\n", data)


_BARE_LF = re.compile(rb"(?<!\r)\n")


def _child(part: Part, number: int, *, last: bool) -> Part | None:
    if part.kind & Kind.MULTIPART:
        index = max(number, 1) - 1
        return part.children[index] if index < len(part.children) else None
    return part if number == 1 and (last or part.kind & Kind.MESSAGE) else None


def _names(text: str) -> frozenset[bytes] | None:
    match = _NAMES.fullmatch(text)
    if match is None:
        return None
    words = re.findall(_ASTRING, match[1], re.DOTALL)
    # What Dovecot checks has the commas that it then takes for spaces.
    names = [name for word in words for name in word.strip('"').split(",")]
    return frozenset(name.encode(errors="surrogateescape") for name in names if name)
