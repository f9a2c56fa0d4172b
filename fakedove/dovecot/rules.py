"""The rules that a release's row chooses from: ways in which releases do the same thing."""

from __future__ import annotations

import enum

import msgspec


class Scope(enum.Enum):
    """Which commands there are on the wire."""

    MAIL = enum.auto()
    ALL = enum.auto()


class Failure(enum.Enum):
    """How a failed command is reported."""

    DASH = enum.auto()
    NUMBER = enum.auto()
    NAME_OR_DASH = enum.auto()
    NAME = enum.auto()


class Getopt(enum.Enum):
    """How options are parsed."""

    #: Short options; a bad one fails this command and kills the process at a later one.
    SHORT = enum.auto()
    #: Short options; a bad one kills the process in some commands.
    SHORT_DIES = enum.auto()
    #: getopt_long; a bad one is -USAGE.
    LONG = enum.auto()
    #: The same with a log line for the client.
    LONG_LOGGED = enum.auto()


class UserRule(enum.Enum):
    """Whose mail a command is about."""

    #: The username field alone; `-A` and a wildcard in `-u` only add a column.
    FIELD = enum.auto()
    #: The username field, but `-u` overrides it, and `-A` and wildcards iterate.
    OPTION_OVERRIDES = enum.auto()
    #: `-u` or nothing: without it the process dies.
    OPTION = enum.auto()
    #: The username field; `-A` iterates over all users.
    FIELD_ALL_ITERATES = enum.auto()


class LogChannel(enum.Enum):
    """Who gets log lines on the multiplexed connection."""

    NONE = enum.auto()
    MULTIPLEXED = enum.auto()
    #: Minors 1 and 2 always, others after `OPTION log-passthrough`.
    OPTION = enum.auto()


class Alpn(enum.Enum):
    """Where TLS offers the protocol name `doveadm`."""

    NEVER = enum.auto()
    ALWAYS = enum.auto()
    #: Only for STARTTLS where `ssl = no` and yet there is a certificate.
    WITHOUT_SSL = enum.auto()

    def offered(self, ssl: str) -> bool:
        """Whether a listener with this `ssl` setting offers it."""
        return self is Alpn.ALWAYS or (self is Alpn.WITHOUT_SSL and ssl == "no")


class UnknownSource(enum.Enum):
    """What copy and move do if the user that they are to take from does not exist."""

    NOTHING = enum.auto()
    CRASHES = enum.auto()
    #: The process dies, and says why.
    KILLS = enum.auto()


class MoveOverQuota(enum.Enum):
    """What happens if mails moved from another user exceed the quota."""

    REFUSED = enum.auto()
    ALLOWED = enum.auto()
    #: The first mail must have room; if it has, the others need none.
    CRASHES = enum.auto()
    #: All mails moved from another user do.
    ALL_CRASH = enum.auto()


class NameEscapes(enum.Enum):
    """Where a sync takes `%` and two hex digits in a mailbox's name for a character."""

    NONE = enum.auto()
    #: The names of each side's own list are escaped; so it reads those that it sends and does.
    LISTED = enum.auto()
    #: They are not, and yet it reads those that it sends and does in that way.
    SENT = enum.auto()


class ShortExtra(enum.Enum):
    """What an `x` flag with too few fields does."""

    CRASHES = enum.auto()
    CLOSES = enum.auto()


class Caching(msgspec.Struct, frozen=True):
    """What is left in the index cache."""

    #: Saving a mail leaves its headers, date of receipt and structure there, and what is made of
    #: a structure leaves all of that which is wanted.
    headers: bool = False
    #: Headers are lost where the header is read again behind a search that has read others.
    loses_headers: bool = False
    #: A field that is added counts as used; before, only one that is looked up.
    adding_is_use: bool = False
    #: A mail that is opened has its size cached.
    size_of_opened: bool = True
