"""Commands as data: what each is called, takes and prints.

A command is one function under `@command(...)`. The declaration carries its parameters, the
columns it prints and its usage text; parsing (`dispatch`), user lookup and iteration
(`running`) are common to all. A parameter or a command that only some releases know names the
attribute of the release row that says so.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from fakedove.dovecot.getopt_memory import Pointer
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level, Log, Output, Scope
from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User
from fakedove.wire import tabescape

if TYPE_CHECKING:
    from fakedove.dovecot.cache.looking import Looked
    from fakedove.dovecot.mailbox import Mailbox
    from fakedove.dovecot.search import Query


class Kind(enum.Enum):
    """What a parameter's value is."""

    FLAG = enum.auto()
    TEXT = enum.auto()
    NUMBER = enum.auto()
    #: A number that must not be negative.
    UNSIGNED = enum.auto()
    #: Several values: as a positional it takes all that are left.
    TEXTS = enum.auto()
    #: A path on the server, or the mail that follows the command line.
    BODY = enum.auto()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One option or positional argument."""

    long: str
    kind: Kind
    short: str = ""
    positional: bool = False
    required: bool = False
    #: Attribute of the release row that is true where the parameter exists.
    when: str = ""

    @property
    def takes_value(self) -> bool:
        """Whether the option is followed by a value."""
        return self.kind is not Kind.FLAG

    def exists_in(self, release: Release) -> bool:
        """Whether the release knows this parameter."""
        return not self.when or bool(getattr(release, self.when))


def flag(long: str, short: str, when: str = "") -> Parameter:
    """Declare an option without a value."""
    return Parameter(long, Kind.FLAG, short, when=when)


def option(long: str, short: str = "", kind: Kind = Kind.TEXT, when: str = "") -> Parameter:
    """Declare an option with a value."""
    return Parameter(long, kind, short, when=when)


def positional(
    long: str, kind: Kind = Kind.TEXT, *, required: bool = True, when: str = ""
) -> Parameter:
    """Declare a positional argument."""
    return Parameter(long, kind, positional=True, required=required, when=when)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the real command does and ours does not; docs/coverage.md lists them."""

    text: str
    #: Attribute of the release row that is true where the gap is.
    when: str = ""

    def exists_in(self, release: Release) -> bool:
        """Whether the release's command is known to differ so."""
        return not self.when or bool(getattr(release, self.when))


#: Of commands that with `-D` tell more of the auth service.
DEBUG_GAPS = (
    Gap("with `-D` it tells nothing of single requests to the auth service", when="auth_requests"),
)

#: Key of the column that names the user where there may be several.
USERNAME_COLUMN = "username"

#: What every command about mail takes.
MAIL_PARAMETERS = (
    flag("all-users", "A"),
    option("socket-path", "S"),
    option("user", "u"),
    option("trans-flags", kind=Kind.NUMBER, when="trans_flags"),
    flag("no-userdb-lookup", "", when="no_userdb_lookup"),
    option("user-file", "F", when="user_file"),
)
#: How usages show the first three of them.
MAIL_USAGE = "[-u <user>|-A] [-S <socket_path>]"
#: How a usage shows an option, for its letter.
_SHOWN_OPTION = r"\[-%s( [^\[\]]*(\[\.\.\.\])?)?\] ?"

ArgumentValue: TypeAlias = bool | bytes | int | tuple[bytes, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """A command line that is good as far as its grammar goes."""

    command: Command
    username: bytes
    arguments: Mapping[str, ArgumentValue]
    #: The fields behind the command name, as they were sent.
    fields: tuple[bytes, ...]
    verbose: bool = False
    #: Keys of what is printed, the username column included.
    columns: tuple[str, ...] = ()
    username_column: bool = False
    #: Where getopt's pointer was left, if it was moved and is kept (up to 2.2.21).
    pointer: Pointer | None = None
    #: Writes everything before the status although it is not about mail.
    flushes: bool = False
    #: Whom it is about if that is plainly the username field, else None.
    one_user: str | None = None
    #: What is logged whenever a user is looked up for it.
    log: tuple[Log, ...] = ()
    #: Whether it is to tell what it is at, as with `-D`.
    debug: bool = False
    #: Whether it is one of the old commands still.
    old: bool = False
    #: Whether a mail follows the command line.
    takes_body: bool = field(init=False)

    def __post_init__(self) -> None:
        body = self.command.body
        takes_body = body is not None and body not in self.arguments
        object.__setattr__(self, "takes_body", takes_body)

    def flag(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self.arguments

    def text(self, name: str) -> bytes | None:
        """Return the value of a TEXT or BODY parameter, or None."""
        value = self.arguments.get(name)
        return value if isinstance(value, bytes) else None

    def texts(self, name: str) -> tuple[bytes, ...]:
        """Return the values of a TEXTS parameter."""
        value = self.arguments.get(name, ())
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> int | None:
        """Return the value of a NUMBER or UNSIGNED parameter, or None."""
        value = self.arguments.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


class Call(msgspec.Struct, gc=False):
    """What a command runs on."""

    release: Release
    store: Store
    invocation: Invocation
    #: Content of a file on the server; raises OSError.
    read_file: Callable[[str], bytes]
    #: The mail that came behind the command line.
    body: bytes = b""
    #: Where other hosts would be spoken to; 0: nobody is referred to them.
    doveadm_port: int = 0
    #: Where the sockets of the server's processes lie.
    base_dir: str = "/var/run/dovecot"
    #: The directory that the paths of the store's files are relative to.
    directory: str = "/var/run/dovecot"
    #: The server's own name.
    hostname: str = "localhost"
    #: Whose rights the process has: the user's whom it was about last; None: root's.
    opened: str | None = None
    #: Whether the process only has lent rights then, and not given up root's for good.
    lent: bool = False
    #: Whether any mail user was looked up before on this connection.
    settled: bool = False
    #: Whether events are told, as the line before this one asked for in 2.4.
    events: bool = False
    #: The search query, once it is parsed: what it became for one user holds for the next.
    query: Query | None = None
    #: By mailbox, the note of the command's last looking into it.
    looked: dict[Mailbox, Looked] | None = None
    _user: User | None = None
    #: As whose mail it is looked at, if not as that of `user`.
    _owner: str = ""

    @property
    def user(self) -> User:
        """The user whose mail this is about; only mail commands have one."""
        assert self._user is not None, "a command that is not about mail has no user"
        return self._user

    @property
    def owner(self) -> str:
        """The name of whom the mail belongs to, for the ACLs."""
        return self._owner or self.user.name

    def of(self, user: User) -> Call:
        """Return this call, which is about `user` now: there is one user at a time."""
        # Their own mail storage is opened, which notes down where the alternative one is.
        if not user.alternative_known:
            user.alternative_known = True
        self._user = user
        self.opened = user.name
        return self

    def at_place(self, mail: User) -> Call:
        """Return another call beside this one, which is about mail at another place."""
        return msgspec.structs.replace(self, _user=mail, _owner=self.owner)

    def debug(
        self, text: bytes, scope: Scope = Scope.MAIL, user: bytes | None = None
    ) -> Iterator[Log]:
        """Say `text` if the client asked with `-D` for such lines."""
        if self.invocation.debug:
            yield Log(text, Level.DEBUG, scope, user)

    def event(self, text: bytes) -> Iterator[Log]:
        """Tell `text` of what is done, if events are told; the line names the command."""
        if self.events:
            yield Log(
                text, Level.DEBUG, Scope.MAIL if self.invocation.command.mail else Scope.COMMAND
            )

    def lookup(self, name: bytes) -> User | None:
        """Look a user up as the auth service does, which takes escapes out of names once more."""
        if b"\x01" in name:
            name = tabescape.c_string(tabescape.unescape(name))
        return self.store.lookup(name.decode(errors="surrogateescape"))


Function: TypeAlias = Callable[[Call], Output]
Columns: TypeAlias = tuple[str, ...] | Callable[[Invocation, Release], tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """A declared command."""

    name: str
    function: Function
    parameters: tuple[Parameter, ...]
    columns: Columns
    usage: str
    #: The same where options are short, if it was another one.
    old_usage: str
    mail: bool
    #: Attribute of the release row that is true where everything is written before the status
    #: although this is not about mail.
    flushes: str
    #: The first argument ends the options.
    options_first: bool
    #: It is one of those that read their own options, in releases that have such.
    reads_options: bool
    #: Checks arguments before any user is looked up; raises Fatal or Declined.
    check: Callable[[Invocation, Release], None] | None
    #: What it says before that, although it goes on.
    before: Callable[[Call], Iterator[Log]] | None
    #: No other user's turn comes after one for whom it failed.
    ends_with_failure: bool
    #: What it does not do as the real one does.
    gaps: tuple[Gap, ...]
    #: Attribute of the release row that is true where it is one of the old commands still.
    old_while: str
    body: str | None = field(init=False)

    def __post_init__(self) -> None:
        bodies = [one.long for one in self.parameters if one.kind is Kind.BODY]
        object.__setattr__(self, "body", bodies[0] if bodies else None)

    def is_old_in(self, release: Release) -> bool:
        """Whether it is read and answered as all commands once were."""
        return bool(self.old_while) and bool(getattr(release, self.old_while))

    def usage_in(self, release: Release) -> str:
        """Return the usage text of a release, which names the options that it has."""
        usage = self.old_usage if release.short_options and self.old_usage else self.usage
        for one in self.parameters:
            if one.short and not one.exists_in(release):
                usage = re.sub(_SHOWN_OPTION % one.short, "", usage)
        parts = [self.name, MAIL_USAGE if self.mail else "", usage]
        return " ".join(part for part in parts if part)

    def column_keys(self, invocation: Invocation, release: Release) -> tuple[str, ...]:
        """Return the keys of the columns that this invocation prints; may raise Fatal."""
        return self.columns(invocation, release) if callable(self.columns) else self.columns


#: The commands whose modules were imported; `commands.COMMANDS` finds all of them.
DECLARED: dict[str, Command] = {}


def command(
    name: str,
    *parameters: Parameter,
    columns: Columns = (),
    usage: str = "",
    old_usage: str = "",
    mail: bool = False,
    flushes: str = "",
    options_first: bool = False,
    reads_options: bool = False,
    check: Callable[[Invocation, Release], None] | None = None,
    before: Callable[[Call], Iterator[Log]] | None = None,
    ends_with_failure: bool = False,
    gaps: tuple[Gap, ...] = (),
    old_while: str = "",
) -> Callable[[Function], Function]:
    """Register the decorated function as the command `name`."""

    def register(function: Function) -> Function:
        accepted = (*MAIL_PARAMETERS, *parameters) if mail else parameters
        DECLARED[name] = Command(
            name,
            function,
            accepted,
            columns,
            usage,
            old_usage,
            mail,
            flushes,
            options_first,
            reads_options,
            check,
            before,
            ends_with_failure,
            gaps,
            old_while,
        )
        return function

    return register
