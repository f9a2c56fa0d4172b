"""A command line's fields before any command: flags, extra fields, user, OPTION, permission.

FLAGS <TAB> USERNAME <TAB> COMMAND [<TAB> ARGUMENT ...]
"""

from __future__ import annotations

from dataclasses import dataclass

from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Scope
from fakedove.dovecot.rules import ShortExtra
from fakedove.wire import tabescape

NO_COMMAND = b"doveadm client: No command given"
LOG_PASSTHROUGH = b"log-passthrough"

#: Bytes of a pointer.
_WORD = 8
#: Where an empty text is left in the memory behind a line, in words from its beginning.
_TEXT_LEFT = 7
_TEXT_LEFT_AT_FIRST = 5


class ClientFault(Exception):
    """The client broke the rules: the text is logged, then the connection closed."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that is well-formed; whether there is such a command is another matter."""

    #: Whether it is to say more, as with `v` or, for debugging, `D`.
    verbose: bool
    username: bytes
    #: Command name, or its first word, and what follows.
    fields: tuple[bytes, ...]
    #: What is logged whenever a user is looked up.
    log: tuple[Log, ...] = ()
    #: Whether it is to tell what it is at, as with `D`.
    debug: bool = False

    @property
    def is_option(self) -> bool:
        """Whether this is OPTION, which has no reply."""
        return self.fields[0] == b"OPTION"


def parse_command_line(
    line: bytes, release: Release, allowed: frozenset[bytes] | None, *, first: bool = False
) -> CommandLine:
    """Return the parts of `line`; raise ClientFault, or Fatal where the real server crashes.

    `first`: it is the first line of a connection that needed no authentication.
    """
    fields = _fields(line, release)
    if len(fields) < 3:
        raise ClientFault(NO_COMMAND)
    flags, *rest = fields
    known = b"Dvx" if release.dialect.extra_fields else b"Dv"
    for flag in flags:
        if flag not in known:
            raise ClientFault(b"doveadm client: Unknown flag: %c" % flag)
    extras = flags.count(b"x")
    # Of several the last one counts.
    log = _extra(rest[extras - 1], release) if 0 < extras <= len(rest) else ()
    if len(rest) - extras < 2:
        if release.short_extra is ShortExtra.CLOSES:
            raise ClientFault(NO_COMMAND)
        if len(rest) != extras or not _finds_text_behind(line, len(fields), first=first):
            raise Fatal(b"killed with signal 11", crash=True, log=log)
        rest += [b"", b""]
    username, name, *_ = rest[extras:]
    is_option = release.option and name == b"OPTION"
    if allowed is not None and name not in allowed and not is_option:
        raise ClientFault(b"doveadm client isn't allowed to use command: %b" % name)
    debug = b"D" in flags
    return CommandLine(debug or b"v" in flags, username, tuple(rest[extras + 1 :]), log, debug)


def _fields(line: bytes, release: Release) -> list[bytes]:
    if b"\x01" not in line:
        return line.split(b"\t")
    unescape = tabescape.unescape if release.dialect.nul_escape else tabescape.unescape_without_nul
    return [tabescape.c_string(unescape(field)) for field in line.split(b"\t")]


def _finds_text_behind(line: bytes, fields: int, *, first: bool) -> bool:
    """Tell whether what is taken for the command, behind the end of all fields, is a text.

    It is an empty one then. In memory there are the line, a pointer to each field, the end
    mark, which is the username now, and what was left there: it can be told of two places,
    measured on 2.4.1, and is no pointer elsewhere.
    """
    words = len(line) // _WORD + 1
    place = words + fields + 1
    return place == _TEXT_LEFT or (first and place == _TEXT_LEFT_AT_FIRST)


def _is_positive(value: bytes) -> bool:
    """Whether it is a number from 1 to 2^31-1."""
    return value.isdigit() and 0 < int(value) < 1 << 31


def _extra(field: bytes, release: Release) -> tuple[Log, ...]:
    """Return what the server says about the extra fields of an `x` flag."""
    log = []
    for setting in field.split(b"\t"):
        key, _, value = setting.partition(b"=")
        if key == b"proxy-ttl" and not _is_positive(value):
            text = b"Invalid proxy-ttl value: %b" % value
            log.append(Log(text, scope=Scope.LOOKUP))
    return tuple(log)
