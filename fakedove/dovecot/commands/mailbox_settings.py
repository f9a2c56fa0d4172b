"""`mailbox subscribe`, `unsubscribe`, `update`, `path` and `mutf7`."""

from __future__ import annotations

import re

from fakedove.dovecot import texts
from fakedove.dovecot.commands import long_names
from fakedove.dovecot.commands.mailbox_checks import (
    NO_PERMISSION,
    Problem,
    check_names,
    name_problem,
    right_problem,
)
from fakedove.dovecot.commands.queries import panic
from fakedove.dovecot.names import canonical_name, existing_name_problem, is_mutf7
from fakedove.dovecot.paths import mailbox_path
from fakedove.dovecot.registry import (
    Call,
    Invocation,
    Kind,
    Parameter,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Scope, combine
from fakedove.dovecot.status import Status

_GUID = re.compile(rb"[0-9a-fA-F]{32}")
_NO_GUID = b"0" * 32


@command(
    "mailbox subscribe",
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="<mailbox> [...]",
    check=check_names("mailbox"),
)
def mailbox_subscribe(call: Call) -> Output:
    """Subscribe to mailboxes, which need not exist."""
    return (yield from _subscribe(call, "mailbox subscribe to", subscribed=True))


@command(
    "mailbox unsubscribe",
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="<mailbox> [...]",
    check=check_names("mailbox"),
)
def mailbox_unsubscribe(call: Call) -> Output:
    """Unsubscribe from mailboxes."""
    return (yield from _subscribe(call, "mailbox unsubscribe", subscribed=False))


def _subscribe(call: Call, doing: str, *, subscribed: bool) -> Output:
    status = Status.OK
    for argument in call.invocation.texts("mailbox"):
        name = argument.decode()
        problem = name_problem(name)
        if problem is None:
            call.user.subscribe(name, subscribed=subscribed)
        else:
            yield Log(f"Can't {name} {doing}: {problem[1]}".encode())
            status = combine(status, problem[0])
    return status


_NUMBERS = (
    ("uid-validity", "V", 32),
    ("min-next-uid", "N", 32),
    ("min-first-recent-uid", "R", 32),
    ("min-highest-modseq", "H", 64),
    ("min-highest-pvt-modseq", "P", 64),
)


def _number_parameters() -> tuple[Parameter, ...]:
    """Return the options that are numbers, which some releases take as texts."""
    strict = [option(name, letter, Kind.UNSIGNED, "strict_numbers") for name, letter, _ in _NUMBERS]
    loose = [option(name, letter, Kind.TEXT, "loose_numbers") for name, letter, _ in _NUMBERS]
    return (*strict, *loose)


def _number(invocation: Invocation, name: str) -> int:
    """Return an option's number, 0 without the option; raises ValueError if it is none."""
    text = invocation.text(name)
    if text is None:
        return invocation.number(name) or 0
    if not text.isdigit():
        raise ValueError(text)
    return int(text)


def _check_update(invocation: Invocation, release: Release) -> None:
    guid = invocation.text("mailbox-guid")
    if guid is not None and _GUID.fullmatch(guid) is None:
        raise texts.invalid_value(release, invocation.command.usage_in(release))
    for name, _, bits in _NUMBERS:
        try:
            number = _number(invocation, name)
        except ValueError:
            number = 1 << bits
        if not number >> bits:
            continue
        if release.strict_numbers:
            raise Fatal(b"assertion failed: (value >= 0 && value <= (4294967295U))", crash=True)
        raise texts.invalid_value(release, invocation.command.usage_in(release))
    if _number(invocation, "min-first-recent-uid") > _number(invocation, "min-next-uid"):
        raise Fatal(b"min_first_recent_uid > min_next_uid")
    check_names("mailbox")(invocation, release)


@command(
    "mailbox update",
    option("mailbox-guid", "g"),
    *_number_parameters(),
    positional("mailbox"),
    mail=True,
    usage="[--mailbox-guid guid] [--uid-validity uid] [--min-next-uid uid]"
    " [--min-first-recent-uid uid] [--min-highest-modseq seq]"
    " [--min-highest-pvt-modseq seq] <mailbox>",
    check=_check_update,
)
def mailbox_update(call: Call) -> Output:
    """Change what identifies a mailbox, and raise its counters."""
    invocation, name = call.invocation, (call.invocation.text("mailbox") or b"").decode()
    problem = _update_problem(call, name)
    if problem is not None:
        yield from long_names.told(call, name, problem)
        yield Log(f"Cannot update {name}: {problem[1]}".encode())
        return problem[0]
    box = call.user.mailbox(name)
    guid = invocation.text("mailbox-guid") or _NO_GUID
    if guid != _NO_GUID and guid.decode().lower() != box.guid:
        box.guid = guid.decode().lower()
        call.user.list_index.learn([box.name])
        # Metadata are kept by GUID.
        box.metadata.clear()
    box.uidvalidity = _number(invocation, "uid-validity") or box.uidvalidity
    box.uidnext = max(box.uidnext, _number(invocation, "min-next-uid"))
    box.highestmodseq = max(box.highestmodseq, _number(invocation, "min-highest-modseq"))
    recent = _number(invocation, "min-first-recent-uid")
    box.first_recent_uid = max(box.first_recent_uid, recent)
    box.change_aside()
    return Status.OK


def _update_problem(call: Call, name: str) -> Problem | None:
    box = call.user.find_mailbox(name)
    problem = name_problem(name)
    if problem is not None:
        return problem
    call.user.acl_list.look_at(canonical_name(name))
    if box is None:
        return long_names.not_opened(call, name, texts.internal_error(call.store.clock.now()))
    if not call.user.may("admin", box):
        return NO_PERMISSION
    return right_problem(call.user, box, "read")


_PATH_TYPES = (
    *("mailbox", "alt-mailbox", "dir", "alt-dir", "control", "index", "index-private"),
    *("index-cache", "list-index"),
)


def _check_path(invocation: Invocation, release: Release) -> None:
    kind = (invocation.text("type") or b"").decode(errors="replace")
    known = _PATH_TYPES if release.path_of_cache else _PATH_TYPES[:-2]
    if invocation.flag("type") and kind not in known:
        raise texts.invalid_value(release, invocation.command.usage_in(release))
    if len(invocation.texts("mailbox")) > 1:
        raise texts.misused(release, invocation.command.usage_in(release))
    check_names("mailbox")(invocation, release)


@command(
    "mailbox path",
    positional("mailbox", Kind.TEXTS),
    option("type", "t"),
    mail=True,
    columns=("path",),
    usage="[-t <type>] <mailbox>",
    check=_check_path,
)
def mailbox_path_command(call: Call) -> Output:
    """Print where a mailbox would lie on the server's disk."""
    name = call.invocation.texts("mailbox")[0].decode()
    kind = (call.invocation.text("type") or b"index").decode()
    if existing_name_problem(name) is not None:
        yield from panic(b"mailbox_list_is_valid_name(_list, name, &error)")
    if kind == "list-index":
        yield from panic(b"unreached")
    path = mailbox_path(call.user, name, kind)
    if path is not None:
        yield (path,)
    return Status.OK


@command(
    "mailbox mutf7",
    flag("to-utf8", "7"),
    flag("from-utf8", "8"),
    positional("name", Kind.TEXTS),
    usage="[-7|-8] <name> [...]",
    reads_options=True,
)
def mailbox_mutf7(call: Call) -> Output:
    """Check names; what becomes of them is printed, but not to the client."""
    backwards = [key for key in call.invocation.arguments if key in ("to-utf8", "from-utf8")]
    status = Status.OK
    for name in call.invocation.texts("name"):
        encoding, good = "UTF-8", _is_utf8(name)
        if backwards[-1:] == ["to-utf8"]:
            encoding, good = "mUTF-7", is_mutf7(name)
        if not good:
            yield Log(
                b"Mailbox name not valid %b: %b" % (encoding.encode(), name), scope=Scope.COMMAND
            )
            status = Status.DATAERR
    return status


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
