"""`sieve`: a user's Sieve scripts. They are listed newest first, as their directory has them."""

from __future__ import annotations

import errno
import unicodedata
from collections.abc import Callable

from fakedove.dovecot import texts
from fakedove.dovecot.change_log import ACTIVE_SCRIPT, script_attribute
from fakedove.dovecot.files import failure, reason
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Level, Log, Output, Scope, Streamed, combine
from fakedove.dovecot.sieve import compile_script
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

#: Longest name, in characters.
_LONGEST_NAME = 256
_NOT_IN_NAMES = frozenset("/\u2028\u2029")
_ACTIVE = b"Cannot delete the active Sieve script."
_TAKEN = b"A sieve script with that name already exists."


def _check_names(*parameters: str) -> Callable[[Invocation, Release], None]:
    def check(invocation: Invocation, release: Release) -> None:
        for parameter in parameters:
            single = invocation.text(parameter)
            for name in invocation.texts(parameter) if single is None else (single,):
                _check_name(name)

    return check


def _check_name(name: bytes) -> None:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise Fatal(b"Sieve script name not valid UTF-8: %b" % name) from None
    controls = any(unicodedata.category(char) == "Cc" for char in text)
    if not text or len(text) > _LONGEST_NAME or controls or not _NOT_IN_NAMES.isdisjoint(text):
        raise Fatal(b"Sieve script name not valid: %b" % name)


def _name(call: Call, parameter: str = "scriptname") -> str:
    return (call.invocation.text(parameter) or b"").decode()


def _note(user: User, name: str | None = None, *, unset: str | None = None) -> None:
    """Enter a change of an attribute where a sync looks: in INBOX's log."""
    inbox = user.find_mailbox("INBOX")
    if inbox is not None:
        inbox.note_attribute(name, unset=unset)


def _not_found(call: Call, action: bytes, name: str) -> Log:
    shown = b" `%b'" % name.encode() if call.release.sieve_back_quotes else b""
    return _failed(action, b"Sieve script%b not found" % shown)


def _failed(action: bytes, why: bytes) -> Log:
    return Log(b"Failed to %b Sieve script: %b" % (action, why))


@command("sieve list", mail=True, columns=("script", "active"))
def sieve_list(call: Call) -> Output:
    """Print the names of the scripts, and which one is active."""
    user = call.user
    for name in reversed(tuple(user.sieve_scripts)):
        yield name.encode(), b"ACTIVE" if name == user.sieve_active else b""
    return Status.OK


@command(
    "sieve get",
    positional("scriptname"),
    mail=True,
    columns=("sieve script",),
    usage="<scriptname>",
    check=_check_names("scriptname"),
)
def sieve_get(call: Call) -> Output:
    """Print a script."""
    name = _name(call)
    script = call.user.sieve_scripts.get(name)
    if script is None:
        yield _not_found(call, b"open", name)
        return Status.NOTFOUND
    yield (Streamed(script),)
    return Status.OK


@command(
    "sieve put",
    flag("activate", "a"),
    positional("scriptname"),
    positional("file", Kind.BODY, required=False),
    mail=True,
    usage="[-a] <scriptname>",
    check=_check_names("scriptname"),
)
def sieve_put(call: Call) -> Output:
    """Store a script if it compiles; one of that name is replaced."""
    name = _name(call)
    path = call.invocation.text("file") or b""
    try:
        script = _script(call, path.decode(errors="surrogateescape"))
    except OSError as error:
        yield Log(b"read(script input) failed: open(%b) failed: %b" % (path, reason(error)))
        if call.release.sieve_put_crashes:
            yield texts.backtrace(Scope.STORAGE)
            raise Fatal(b"killed with signal 6", Scope.STORAGE, crash=True) from None
        return Status.TEMPFAIL
    user = call.user
    problems = compile_script(
        script, user.sieve_scripts, back_quotes=call.release.sieve_back_quotes
    )
    for problem in problems:
        level = Level.WARNING if problem.warning else Level.ERROR
        text = b"sieve: %b: %b" % (name.encode(), problem.text)
        yield Log(text, level, Scope.STORAGE)
    if any(not problem.warning for problem in problems):
        return Status.DATAERR
    user.sieve_scripts.pop(name, None)
    user.sieve_scripts[name] = script
    _note(user, script_attribute(name))
    if call.invocation.flag("activate"):
        user.sieve_active = name
        _note(user, ACTIVE_SCRIPT)
    return Status.OK


def _script(call: Call, path: str) -> bytes:
    if path == "-":
        raise texts.without_input(Scope.STORAGE)
    if not path and call.invocation.flag("file"):
        raise failure(errno.ENOENT)
    return call.read_file(path) if call.invocation.flag("file") else call.body


@command(
    "sieve delete",
    flag("ignore-active", "a"),
    positional("scriptname", Kind.TEXTS),
    mail=True,
    usage="[-a] <scriptname> [...]",
    check=_check_names("scriptname"),
)
def sieve_delete(call: Call) -> Output:
    """Remove scripts; the active one only with `-a`."""
    user = call.user
    status = Status.OK
    for name in (name.decode() for name in call.invocation.texts("scriptname")):
        if name not in user.sieve_scripts:
            yield _not_found(call, b"delete", name)
            status = combine(status, Status.NOTFOUND)
        elif name == user.sieve_active and not call.invocation.flag("ignore-active"):
            yield _failed(b"delete", _ACTIVE)
            status = combine(status, Status.DATAERR)
        else:
            del user.sieve_scripts[name]
            _note(user, unset=script_attribute(name))
            if name == user.sieve_active:
                user.sieve_active = None
                _note(user, unset=ACTIVE_SCRIPT)
    return status


@command(
    "sieve activate",
    positional("scriptname"),
    mail=True,
    usage="<scriptname>",
    check=_check_names("scriptname"),
)
def sieve_activate(call: Call) -> Output:
    """Make a script the active one."""
    name = _name(call)
    if name not in call.user.sieve_scripts:
        yield _not_found(call, b"activate", name)
        return Status.NOTFOUND
    call.user.sieve_active = name
    _note(call.user, ACTIVE_SCRIPT)
    return Status.OK


@command("sieve deactivate", mail=True)
def sieve_deactivate(call: Call) -> Output:
    """Leave no script active."""
    call.user.sieve_active = None
    _note(call.user, unset=ACTIVE_SCRIPT)
    yield from ()
    return Status.OK


@command(
    "sieve rename",
    positional("oldname"),
    positional("newname"),
    mail=True,
    usage="<oldname> <newname>",
    check=_check_names("oldname", "newname"),
)
def sieve_rename(call: Call) -> Output:
    """Give a script another name; if it is active it stays so."""
    user = call.user
    old, new = _name(call, "oldname"), _name(call, "newname")
    if old not in user.sieve_scripts:
        yield _not_found(call, b"rename", old)
        return Status.NOTFOUND
    if new in user.sieve_scripts:
        yield _failed(b"rename", _TAKEN)
        return Status.DATAERR
    user.sieve_scripts[new] = user.sieve_scripts.pop(old)
    _note(user, script_attribute(new), unset=script_attribute(old))
    if old == user.sieve_active:
        user.sieve_active = new
    return Status.OK
