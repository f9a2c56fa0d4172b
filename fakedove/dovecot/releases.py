"""What every Dovecot release does, as data: one row for each change that a client can see.

A row says only what changed since the row before it; `find_release` returns the row that a
release number falls into. All other code asks the row and never compares numbers. Facts:
spec/releases.md and releases-measured.md, recordings of eleven releases.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from functools import cache

from fakedove.dovecot.command_spans import MAIL_COMMANDS, OTHER_COMMANDS
from fakedove.dovecot.status import Status
from fakedove.errors import UnknownReleaseError
from fakedove.wire.dialect import SERVER_LINE_LIMIT, Dialect

#: The newest commit of Dovecot's development branch is called this.
MAIN = "main"


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

    #: Short options; a bad one fails this command and breaks the next.
    SHORT = enum.auto()
    #: Short options; a bad one kills the process.
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


class ShortExtra(enum.Enum):
    """What an `x` flag with too few fields does."""

    CRASHES = enum.auto()
    CLOSES = enum.auto()


@dataclass(frozen=True, slots=True)
class Release:
    """A row: the releases from `first` to `last` behave like this."""

    first: str
    last: str
    dialect: Dialect
    #: The release asked for: `first`, `last` or one between them.
    number: str = ""
    # The connection.
    #: The server closes after one reply.
    one_command: bool = False
    #: A client that must authenticate meets a process that dies.
    no_auth: bool = False
    #: TLS from the first byte.
    ssl: bool = False
    #: Where the TLS server offers ALPN `doveadm`.
    alpn: Alpn = Alpn.NEVER
    #: `ssl = no` refuses STARTTLS; later only a missing certificate does.
    ssl_no_refuses_starttls: bool = True
    # Replies.
    scope: Scope = Scope.MAIL
    mail_failure: Failure = Failure.DASH
    other_failure: Failure = Failure.DASH
    #: An unknown user has a status of its own; before, the process dies.
    nouser: bool = False
    #: A failure's status is followed by `\\n-\\n`.
    double_status: bool = False
    #: Statuses that this release knows beside those that all have.
    extra_statuses: frozenset[Status] = frozenset()
    #: Each row is a write of its own; else rows are gathered up to 8 KiB.
    row_packets: bool = True
    #: who and kick write everything before the status.
    who_flushes: bool = False
    #: Where a block of a streamed value ends: at multiples of 8 KiB of the value itself.
    streams_from_value_start: bool = False
    #: NULs in streamed values are escaped; before, they end the value.
    escapes_streamed_nul: bool = False
    # The log.
    log_channel: LogChannel = LogChannel.NONE
    #: Texts on the log channel carry the server log's prefix.
    log_prefix: bool = False
    #: `cmd NAME: `, `tcp: ` and `doveadm: ` before log texts.
    log_names_command: bool = False
    #: Mail commands log as `doveadm(user)<pid><session>: `; before, as `doveadm(user): `.
    log_session: bool = False
    #: An EOF inside TLS is logged as `Connection closed`.
    log_tls_closed: bool = False
    #: Between users the process logs as `doveadm(pid): `; before, as `doveadm: `.
    log_pid: bool = False
    #: Connections over TCP log as `doveadm(IP): `.
    log_address: bool = False
    #: The line of a wrong kind of authentication is quoted.
    log_quotes_auth: bool = False
    logs_unknown_user: bool = False
    #: `Extraneous arguments found` names them.
    log_names_extraneous: bool = False
    # Commands in general.
    user_rule: UserRule = UserRule.FIELD
    getopt: Getopt = Getopt.SHORT
    #: `mailbox<TAB>list` is `mailbox list`.
    split_names: bool = False
    #: `-F file` iterates over the users in a file on the server.
    user_file: bool = False
    trans_flags: bool = False
    no_userdb_lookup: bool = False
    #: An option's number that is none is -USAGE; before, it is ignored.
    strict_numbers: bool = False
    #: `OPTION log-passthrough`.
    option: bool = False
    short_extra: ShortExtra = ShortExtra.CRASHES
    # Single commands.
    save_places: bool = False
    #: kick answers with a count; before, with the user names.
    kick_counts: bool = False
    #: who -1 has a column for the destination address, who and kick have `-f`.
    who_destination: bool = False
    #: `user` with a mask lists users.
    user_masks: bool = False
    #: `user` writes each piece of its JSON apart.
    user_json_pieces: bool = False
    #: `user -f` leaves the commas of the fields it left out.
    user_json_commas: bool = False
    #: userdb fields are settings of 2.4 (`mail_path`, `quota_storage_size`).
    userdb_settings: bool = False
    status_firstsaved: bool = False
    status_deleted: bool = False
    #: An empty mailbox's `firstsaved` is `never`; before, 2^64-1.
    firstsaved_never: bool = False
    #: `-f` fields leave the first positional argument unused.
    status_option_keeps_positional: bool = False
    #: A literal mailbox that does not exist is an error for searches.
    missing_mailbox_fails: bool = True
    #: Deleting the last child deletes a parent that is no mailbox.
    deletes_empty_parents: bool = False
    #: Variables are `%u`; later, `%{user}`.
    percent_variables: bool = True
    #: Subscriptions are listed in the order of the mailboxes; before, as in their file.
    subscriptions_in_list_order: bool = False
    #: Quota counts what is stored; later, what clients see.
    quota_physical: bool = False
    #: How a new mailbox name with a control character is refused, and which characters.
    control_name_text: str = "Control characters not allowed in new mailbox names"
    delete_is_control: bool = False
    #: Keywords that a new mail gets by itself.
    new_mail_keywords: tuple[str, ...] = ()

    def status_lines(self, status: Status, *, mail: bool, suffix: bytes = b"") -> tuple[bytes, ...]:
        """Return the writes that end a reply: one, or two where failures are doubled.

        `suffix` is text behind the status, such as the host of REFERRAL.
        """
        if status is Status.OK:
            return (b"\n+%b\n" % suffix,) if suffix else _OK_LINES
        if status is Status.DASH:
            return (b"\n-\n",)
        style = self.mail_failure if mail else self.other_failure
        line = b"\n-%b%b\n" % (self._failure_text(status, style), suffix)
        return (line, b"\n-\n") if self.double_status else (line,)

    def knows(self, command: str) -> bool:
        """Whether this release's server knows `command` on the wire."""
        return command in _commands_of(self.number, self.scope)

    def _failure_text(self, status: Status, style: Failure) -> bytes:
        if status is Status.NOUSER and self.nouser:
            return b"NOUSER"
        if style is Failure.DASH:
            return b""
        if style is Failure.NUMBER:
            return b"%d" % status.value
        if status in _STATUSES or status in self.extra_statuses:
            return status.name.encode()
        return b"UNKNOWN" if style is Failure.NAME else b""


_OK_LINES = (b"\n+\n",)
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


def _rows() -> tuple[Release, ...]:
    rows = [
        Release(
            first="2.0.0",
            last="2.0.7",
            dialect=Dialect(
                minor=0,
                greets_first=True,
                strict_version=False,
                answers_auth=False,
                line_limit=1024,
                spins_on_long_line=True,
                splits_log_lines=False,
                nul_escape=False,
                lenient_base64=True,
            ),
            one_command=True,
            no_auth=True,
            quota_physical=True,
            control_name_text="Invalid mailbox name",
        )
    ]

    def row(
        first: str, last: str, dialect: dict[str, bool | int] | None = None, **changes: object
    ) -> None:
        before = rows[-1]
        spoken = replace(before.dialect, **dialect) if dialect else before.dialect  # type: ignore[arg-type]
        rows.append(replace(before, first=first, last=last, dialect=spoken, **changes))  # type: ignore[arg-type]

    row("2.0.8", "2.0.13", one_command=False)
    # PLAIN is checked, but there is no reply line either way.
    row("2.0.14", "2.0.21", no_auth=False)
    row("2.1.0", "2.1.1", {"answers_auth": True})
    row("2.1.2", "2.1.17", nouser=True)
    row(
        "2.2.0",
        "2.2.2",
        {"strict_version": True, "line_limit": SERVER_LINE_LIMIT, "spins_on_long_line": False},
        ssl=True,
        getopt=Getopt.SHORT_DIES,
        control_name_text="Control characters not allowed in new mailbox names",
    )
    row("2.2.3", "2.2.5", mail_failure=Failure.NUMBER)
    row("2.2.6", "2.2.6", log_address=True)
    row("2.2.7", "2.2.15", log_quotes_auth=True)
    row(
        "2.2.16",
        "2.2.21",
        scope=Scope.ALL,
        other_failure=Failure.NAME_OR_DASH,
        split_names=True,
        quota_physical=False,
    )
    row(
        "2.2.22",
        "2.2.22",
        mail_failure=Failure.NAME_OR_DASH,
        double_status=True,
        getopt=Getopt.LONG,
        user_file=True,
        user_rule=UserRule.OPTION,
        logs_unknown_user=True,
    )
    row("2.2.23", "2.2.25", user_rule=UserRule.OPTION_OVERRIDES)
    row(
        "2.2.26",
        "2.2.28",
        {"nul_escape": True},
        user_rule=UserRule.FIELD,
        escapes_streamed_nul=True,
    )
    row(
        "2.2.29",
        "2.2.29.1",
        mail_failure=Failure.NAME,
        other_failure=Failure.NAME,
    )
    row("2.2.30", "2.2.32", status_firstsaved=True, user_json_commas=True)
    row(
        "2.2.33",
        "2.2.33.2",
        {"minor": 1, "log_packets": 3},
        log_channel=LogChannel.MULTIPLEXED,
        user_json_pieces=True,
    )
    row("2.2.34", "2.2.36.4", {"greets_first": False}, user_json_commas=False)
    row("2.3.0", "2.3.3", log_session=True, log_tls_closed=True)
    row("2.3.4", "2.3.7.2", user_masks=True, log_names_extraneous=True)
    row(
        "2.3.8",
        "2.3.8",
        {"log_packets": 1, "lenient_base64": False},
        row_packets=False,
        who_flushes=True,
        user_json_pieces=False,
        extra_statuses=frozenset({Status.NOREPLICATE}),
    )
    row("2.3.9", "2.3.9.3", {"minor": 2, "starttls": True}, log_pid=True)
    row("2.3.10", "2.3.16", trans_flags=True, firstsaved_never=True)
    row("2.3.17", "2.3.18", {"splits_log_lines": True}, double_status=False, log_prefix=True)
    row("2.3.19", "2.3.21.1", row_packets=True)
    row(
        "2.4.0",
        "2.4.0",
        {"minor": 3, "extra_fields": True},
        alpn=Alpn.ALWAYS,
        ssl_no_refuses_starttls=False,
        extra_statuses=frozenset({Status.REFERRAL, Status.CHANGED, Status.EXPIRED}),
        streams_from_value_start=True,
        log_channel=LogChannel.OPTION,
        log_names_command=True,
        user_rule=UserRule.FIELD_ALL_ITERATES,
        getopt=Getopt.LONG_LOGGED,
        no_userdb_lookup=True,
        strict_numbers=True,
        option=True,
        deletes_empty_parents=True,
        percent_variables=False,
        save_places=True,
        kick_counts=True,
        who_destination=True,
        userdb_settings=True,
        status_option_keeps_positional=True,
        missing_mailbox_fails=False,
    )
    # Measured on 2.4.1: a context that was made at the start of the process offers none.
    row("2.4.1", "2.4.1", alpn=Alpn.WITHOUT_SSL)
    row("2.4.2", "2.4.2", status_deleted=True)
    control_name = "New mailbox name contains forbidden character (U+{:04X})"
    row("2.4.3", "2.4.4", control_name_text=control_name, delete_is_control=True)
    row(
        MAIN,
        MAIN,
        {"minor": 4, "stream_from_minor": 4},
        short_extra=ShortExtra.CLOSES,
        subscriptions_in_list_order=True,
        new_mail_keywords=("$HasNoAttachment",),
    )
    return tuple(rows)


ROWS = _rows()
#: The newest row that has been released.
NEWEST = ROWS[-2]
_RANGE = f'{ROWS[0].first} to {NEWEST.last}, or "{MAIN}"'
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+){1,3}")


@cache
def find_release(number: str) -> Release:
    """Return the row of a release number such as "2.3.19.1", or of "main".

    Raises UnknownReleaseError, which names the range.
    """
    if number == MAIN or _NUMBER.fullmatch(number) is not None:
        wanted = _key(number)
        for row in ROWS:
            if _key(row.first) <= wanted <= _key(row.last):
                return replace(row, number=number)
    raise UnknownReleaseError(f'dovecot: unknown release "{number}"; known are {_RANGE}')


def find_protocol(version: str) -> Release:
    """Return the row of the newest release that speaks protocol "1.0" to "1.4".

    Raises UnknownReleaseError, which names the range.
    """
    for row in reversed(ROWS):
        if version == f"1.{row.dialect.minor}":
            return find_release(row.last)
    last = f"1.{ROWS[-1].dialect.minor}"
    text = f'protocol: unknown version "{version}"; known are "1.0" to "{last}"'
    raise UnknownReleaseError(text)


def choose_release(dovecot: str | None, protocol: str | None) -> Release:
    """Return the row for the settings `dovecot` and `protocol`, which must agree.

    Without both it is the newest released row.
    """
    if dovecot is None:
        return find_release(NEWEST.last) if protocol is None else find_protocol(protocol)
    release = find_release(dovecot)
    spoken = f"1.{release.dialect.minor}"
    if protocol is not None and protocol != spoken:
        find_protocol(protocol)
        text = f'protocol: Dovecot {dovecot} speaks "{spoken}", not "{protocol}"'
        raise UnknownReleaseError(text)
    return release


def _key(number: str) -> tuple[int, ...]:
    if number == MAIN:
        return (99,)
    parts = [int(part) for part in number.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


@cache
def _commands_of(number: str, scope: Scope) -> frozenset[str]:
    commands = MAIL_COMMANDS if scope is Scope.MAIL else MAIL_COMMANDS | OTHER_COMMANDS
    wanted = _key(number)
    return frozenset(
        name
        for name, spans in commands.items()
        if any(_key(first) <= wanted <= _key(last) for first, last in spans)
    )
