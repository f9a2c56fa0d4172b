"""What is read of a mail for each field that `fetch` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import OpenedMail
from fakedove.dovecot.mime.sections import Section, What, parse_section

_Read = Callable[[OpenedMail], object]

#: By field; others are in the index, or nowhere.
_READS: Mapping[str, _Read] = {
    "hdr": lambda mail: mail.stream(header_size=True),
    "body": lambda mail: mail.stream(header_size=True),
    "body.preview": OpenedMail.snippet,
    "body.snippet": OpenedMail.snippet,
    "text": OpenedMail.stream,
    "text.utf8": OpenedMail.stream,
    "guid": OpenedMail.guid,
    "size.physical": OpenedMail.size_physical,
    "date.received": OpenedMail.date_received,
    "date.received.unixtime": OpenedMail.date_received,
    "date.sent": OpenedMail.date_sent,
    "date.sent.unixtime": OpenedMail.date_sent,
    "imap.envelope": OpenedMail.envelope,
    "imap.body": lambda mail: mail.body_or_structure("imap.body"),
    "imap.bodystructure": lambda mail: mail.body_or_structure("imap.bodystructure"),
    "mime.parts": OpenedMail.parts,
}
#: What a mail is opened for, where that is not the field's own name.
_WANTED = {
    "body.preview": "body.snippet",
    "date.sent.unixtime": "date.sent",
}


class Reads:
    """What a command reads of each mail that it finds, and does with the cache at its end."""

    def __init__(self, key: tuple[object, ...] = ()) -> None:
        """Take what tells it from others; here nothing is read."""
        self.key = key
        #: What mails are opened for, and which header fields.
        self.wanted: frozenset[str] = frozenset()
        self.headers: tuple[str, ...] = ()
        #: Whether what is cached then depends on more of a mail than what is cached of it.
        self.one_by_one = False
        #: Whether the header is parsed for more than `headers`.
        self.parses_header_again = False

    def __bool__(self) -> bool:
        """Whether anything is read that a cache is there for."""
        return False

    def begin(self, cache: OpenedCache) -> None:
        """Do what is done before the first mail of a mailbox."""
        for header in sorted(self.headers):
            cache.register(header)

    def __call__(self, mail: OpenedMail) -> None:
        """Read of a mail what is read."""

    def end(self, cache: OpenedCache) -> None:
        """Do what is done after the last mail of a mailbox."""


class Fields(Reads):
    """What `fetch` reads for its fields."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        """Take the fields' names."""
        super().__init__(fields)
        self.wanted = frozenset(_WANTED.get(name, name) for name in fields)
        headers = [name[4:].partition(".")[0] for name in fields if name.startswith("hdr.")]
        self.headers = tuple(headers)
        self.one_by_one = not all(map(_is_simple, fields))
        self.parses_header_again = "date.sent" in self.wanted
        self._reads = [read for name in fields if (read := _read(name)) is not None]

    def __bool__(self) -> bool:
        """Whether anything is read that a cache is there for."""
        return bool(self._reads)

    def __call__(self, mail: OpenedMail) -> None:
        """Read the fields of a mail, in their order."""
        for read in self._reads:
            read(mail)


class Once(Reads):
    """One thing that is read of each mail; the mailbox is synchronized at the end."""

    def __init__(self, name: str, read: Callable[[OpenedMail], object] | None = None) -> None:
        """Take its name, and how it is read."""
        super().__init__((name,))
        self._read = read
        self.parses_header_again = read is not None

    def __bool__(self) -> bool:
        """Whether anything is read that a cache is there for."""
        return self._read is not None

    def __call__(self, mail: OpenedMail) -> None:
        """Read it."""
        if self._read is not None:
            self._read(mail)

    def end(self, cache: OpenedCache) -> None:
        """Synchronize."""
        cache.sync()


#: What commands read that print nothing of the mails.
NOTHING = Reads()
NOTHING_AND_SYNC = Once("sync")
EXPUNGED = Once("expunge", OpenedMail.expunge)
GUIDS = Once("guid", OpenedMail.guid)
TAKEN_OVER = Once("taken over", OpenedMail.take_over)
MESSAGE_IDS = Once("message-id", lambda mail: mail.header("Message-ID"))


class _Structures(Reads):
    """What looking for attachments reads."""

    def __init__(self) -> None:
        super().__init__(("structures",))
        self.wanted = frozenset({"imap.bodystructure", "mime.parts"})
        self.one_by_one = True

    def __bool__(self) -> bool:
        return True

    def __call__(self, mail: OpenedMail) -> None:
        mail.parts()
        mail.body_or_structure("imap.bodystructure")


STRUCTURES = _Structures()


@lru_cache(maxsize=256)
def fields_read(fields: tuple[str, ...]) -> Fields:
    """Return what `fetch` reads for its fields, which are in lower case."""
    return Fields(fields)


def _is_simple(name: str) -> bool:
    """Whether a field is read of all mails alike of which the same is cached."""
    index = {"user", "mailbox", "mailbox-guid", "seq", "uid", "flags", "modseq", "refcount"}
    return name in index | {"guid", "size.physical", "size.virtual", "imap.envelope"} or (
        name.startswith(("date.", "hdr.", "pop3."))
    )


def _read(name: str) -> _Read | None:
    if name.startswith("hdr."):
        return partial(_read_header, name[4:].partition(".")[0])
    if name in _READS:
        return _READS[name]
    kind, dot, words = name.partition(".")
    section = parse_section(words) if dot and kind in ("body", "binary") else None
    return None if section is None else partial(_read_section, section, kind == "binary")


def _read_header(name: str, mail: OpenedMail) -> None:
    mail.header(name)


def _read_section(section: Section, binary: bool, mail: OpenedMail) -> None:
    """Read a part of a mail, as IMAP names it."""
    what = section.what
    if section.numbers and not mail.has_part(section):
        return
    if binary and what in (What.ALL, What.BODY, What.TEXT):
        mail.binary(whole=what is What.ALL)
    elif section.numbers:
        mail.stream()
    elif what is What.ALL:
        mail.stream()
        mail.measure()
    elif what is What.FIELDS:
        names = (name.decode(errors="surrogateescape").upper() for name in section.names)
        mail.header_stream(sorted(names))
    else:
        mail.stream(header_size=True)
