"""The commands and tests of Sieve and of the extensions that Pigeonhole has by default."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Type(enum.Enum):
    """What an argument must be; the value is how messages call it."""

    STRING = "a string"
    STRINGS = "a string list"
    NUMBER = "a number"


class Subtests(enum.Enum):
    """How many tests a command or test takes."""

    NONE = enum.auto()
    ONE = enum.auto()
    LIST = enum.auto()


@dataclass(frozen=True, slots=True)
class Tag:
    """A tagged argument."""

    parameter: Type | None = None
    #: The extension that it comes with.
    extension: str = ""
    #: Tags of one group exclude each other; messages call it so.
    group: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A command or a test."""

    is_test: bool
    extension: str = ""
    #: The positional arguments: what they are called and what they must be.
    arguments: tuple[tuple[str, Type], ...] = ()
    tags: tuple[tuple[str, Tag], ...] = ()
    subtests: Subtests = Subtests.NONE
    block: bool = False
    #: Arguments are not checked here.
    lenient: bool = False

    @property
    def kind(self) -> str:
        """How messages call it."""
        return "test" if self.is_test else "command"


CAPABILITIES = frozenset(
    [
        "fileinto",
        "reject",
        "envelope",
        "encoded-character",
        "vacation",
        "subaddress",
        "comparator-i;octet",
        "comparator-i;ascii-casemap",
        "comparator-i;ascii-numeric",
        "comparator-i;unicode-casemap",
        "relational",
        "regex",
        "imap4flags",
        "copy",
        "include",
        "variables",
        "body",
        "enotify",
        "environment",
        "mailbox",
        "date",
        "index",
        "ihave",
        "duplicate",
        "mime",
        "foreverypart",
        "extracttext",
    ]
)

#: Those that need no capability.
COMPARATORS = frozenset({"i;octet", "i;ascii-casemap"})

ADDRESS_HEADERS = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "resent-reply-to",
        "delivered-to",
        "envelope-from",
        "envelope-to",
    ]
)
ENVELOPE_PARTS = frozenset({"from", "to", "auth", "orig_to"})
DATE_PARTS = frozenset(
    [
        "year",
        "month",
        "day",
        "date",
        "julian",
        "hour",
        "minute",
        "second",
        "time",
        "iso8601",
        "std11",
        "zone",
        "weekday",
    ]
)
RELATIONS = ("gt", "ge", "lt", "le", "eq", "ne")
RELATIONAL = ("count", "value")

#: The arguments of commands about IMAP flags are checked in words of their own.
FLAG_COMMANDS = ("setflag", "addflag", "removeflag", "hasflag")
#: The modifiers of `set`, with their precedence.
MODIFIERS = {
    "lower": 40,
    "upper": 40,
    "lowerfirst": 30,
    "upperfirst": 30,
    "quotewildcard": 20,
    "length": 10,
}

_MATCH = "MATCH-TYPE"
_PART = "ADDRESS-PART"
_COMPARED = (
    ("is", Tag(group=_MATCH)),
    ("contains", Tag(group=_MATCH)),
    ("matches", Tag(group=_MATCH)),
    ("count", Tag(Type.STRING, "relational", _MATCH)),
    ("value", Tag(Type.STRING, "relational", _MATCH)),
    ("regex", Tag(extension="regex", group=_MATCH)),
    ("comparator", Tag(Type.STRING)),
)
_INDEXED = (("index", Tag(Type.NUMBER, "index")), ("last", Tag(extension="index")))
_PARTS = (
    ("mime", Tag(extension="mime")),
    ("anychild", Tag(extension="mime")),
    ("type", Tag(extension="mime")),
    ("subtype", Tag(extension="mime")),
    ("contenttype", Tag(extension="mime")),
    ("param", Tag(Type.STRINGS, "mime")),
)
_ADDRESS = (
    ("all", Tag(group=_PART)),
    ("localpart", Tag(group=_PART)),
    ("domain", Tag(group=_PART)),
    ("user", Tag(extension="subaddress", group=_PART)),
    ("detail", Tag(extension="subaddress", group=_PART)),
)
_ZONE = (("zone", Tag(Type.STRING)),)
_KEYS = ("key list", Type.STRINGS)
_FLAGS = (("flags", Tag(Type.STRINGS, "imap4flags")),)
_COPY = (("copy", Tag(extension="copy")),)

COMMANDS = {
    "require": Definition(False, arguments=(("capabilities", Type.STRINGS),)),
    "if": Definition(False, subtests=Subtests.ONE, block=True),
    "elsif": Definition(False, subtests=Subtests.ONE, block=True),
    "else": Definition(False, block=True),
    "stop": Definition(False),
    "keep": Definition(False, tags=_FLAGS),
    "discard": Definition(False),
    "redirect": Definition(False, arguments=(("address", Type.STRING),), tags=_COPY),
    "fileinto": Definition(
        False,
        "fileinto",
        (("folder", Type.STRING),),
        (*_COPY, *_FLAGS, ("create", Tag(extension="mailbox"))),
    ),
    "reject": Definition(False, "reject", (("reason", Type.STRING),)),
    "vacation": Definition(
        False,
        "vacation",
        (("reason", Type.STRING),),
        (
            ("days", Tag(Type.NUMBER)),
            ("subject", Tag(Type.STRING)),
            ("from", Tag(Type.STRING)),
            ("addresses", Tag(Type.STRINGS)),
            ("mime", Tag()),
            ("handle", Tag(Type.STRING)),
        ),
    ),
    "setflag": Definition(False, "imap4flags"),
    "addflag": Definition(False, "imap4flags"),
    "removeflag": Definition(False, "imap4flags"),
    "set": Definition(
        False,
        "variables",
        (("name", Type.STRING), ("value", Type.STRING)),
        tuple((name, Tag()) for name in MODIFIERS),
    ),
    "include": Definition(
        False,
        "include",
        (("value", Type.STRING),),
        tuple((name, Tag()) for name in ("personal", "global", "once", "optional")),
    ),
    "return": Definition(False, "include"),
    "global": Definition(False, "include", lenient=True),
    "notify": Definition(False, "enotify", lenient=True),
    "error": Definition(False, "ihave", lenient=True),
    "foreverypart": Definition(False, "foreverypart", block=True, lenient=True),
    "break": Definition(False, "foreverypart", lenient=True),
    "extracttext": Definition(False, "extracttext", lenient=True),
    "true": Definition(True),
    "false": Definition(True),
    "not": Definition(True, subtests=Subtests.ONE),
    "allof": Definition(True, subtests=Subtests.LIST),
    "anyof": Definition(True, subtests=Subtests.LIST),
    "header": Definition(
        True,
        arguments=(("header names", Type.STRINGS), _KEYS),
        tags=(*_COMPARED, *_INDEXED, *_PARTS),
    ),
    "address": Definition(
        True,
        arguments=(("header list", Type.STRINGS), _KEYS),
        tags=(*_COMPARED, *_ADDRESS, *_INDEXED, *_PARTS),
    ),
    "exists": Definition(True, arguments=(("header names", Type.STRINGS),), tags=_PARTS),
    "size": Definition(
        True, arguments=(("limit", Type.NUMBER),), tags=(("under", Tag()), ("over", Tag()))
    ),
    "envelope": Definition(
        True,
        "envelope",
        (("envelope part", Type.STRINGS), _KEYS),
        (*_COMPARED, *_ADDRESS),
    ),
    "hasflag": Definition(True, "imap4flags", tags=_COMPARED),
    "string": Definition(True, "variables", (("source", Type.STRINGS), _KEYS), _COMPARED),
    "body": Definition(
        True,
        "body",
        (_KEYS,),
        (
            *_COMPARED,
            ("raw", Tag(group="BODY-TRANSFORM")),
            ("text", Tag(group="BODY-TRANSFORM")),
            ("content", Tag(Type.STRINGS, group="BODY-TRANSFORM")),
        ),
    ),
    "date": Definition(
        True,
        "date",
        (("header name", Type.STRING), ("date part", Type.STRING), _KEYS),
        (*_COMPARED, *_ZONE, ("originalzone", Tag()), *_INDEXED),
    ),
    "currentdate": Definition(
        True, "date", (("date part", Type.STRING), _KEYS), (*_COMPARED, *_ZONE)
    ),
    "duplicate": Definition(
        True,
        "duplicate",
        (),
        (
            ("handle", Tag(Type.STRING)),
            ("header", Tag(Type.STRING)),
            ("uniqueid", Tag(Type.STRING)),
            ("seconds", Tag(Type.NUMBER)),
            ("last", Tag()),
        ),
    ),
    "environment": Definition(True, "environment", lenient=True),
    "ihave": Definition(True, "ihave", lenient=True),
    "mailboxexists": Definition(True, "mailbox", lenient=True),
    "valid_notify_method": Definition(True, "enotify", lenient=True),
    "notify_method_capability": Definition(True, "enotify", lenient=True),
}
