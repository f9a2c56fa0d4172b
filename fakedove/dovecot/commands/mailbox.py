"""`mailbox list`, `status`, `create` and `delete`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from fakedove.dovecot import masks
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import mailbox_name, to_mutf7
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, combine
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_WILDCARDS = b"*%"
_GUID = re.compile(rb"[0-9a-fA-F]{32}")
#: Longest mailbox name and longest part of it between separators, in bytes.
_LONGEST_NAME, _LONGEST_LEVEL = 4095, 255


def _check_names(parameter: str) -> Callable[[Invocation, Release], None]:
    def check(invocation: Invocation, release: Release) -> None:
        for argument in invocation.texts(parameter):
            mailbox_name(argument)

    return check


@command(
    "mailbox list",
    flag("mutf7", "7"),
    flag("utf8", "8"),
    flag("subscriptions", "s"),
    positional("mailbox-mask", Kind.TEXTS, required=False),
    mail=True,
    columns=("mailbox",),
    usage="[-7|-8] [-s] [<mailbox mask> [...]]",
    check=_check_names("mailbox-mask"),
)
def mailbox_list(call: Call) -> Output:
    """Print the names of mailboxes, or of subscriptions."""
    wanted = [argument.decode() for argument in call.invocation.texts("mailbox-mask")]
    encodings = [name for name in call.invocation.arguments if name in ("mutf7", "utf8")]
    encode = to_mutf7 if encodings[-1:] == ["mutf7"] else str.encode
    for name in _listed(call, wanted or ["*"]):
        yield (encode(name),)
    return Status.OK


def _listed(call: Call, wanted: Sequence[str]) -> Iterator[str]:
    if call.invocation.flag("subscriptions"):
        names = _subscriptions(call)
    elif len(wanted) == 1 and not masks.has_wildcard(wanted[0].encode(), _WILDCARDS):
        # A single name without wildcard is taken on trust.
        yield wanted[0]
        return
    else:
        names = [name for name, _ in call.user.listing()]
    for name in names:
        if any(masks.mailbox_matches(mask, name) for mask in wanted):
            yield name


def _subscriptions(call: Call) -> list[str]:
    subscribed = call.user.subscriptions
    if not call.release.subscriptions_in_list_order:
        return list(subscribed)
    listed = [name for name, _ in call.user.listing() if name in subscribed]
    return listed + [name for name in subscribed if name not in listed]


_STATUS_FIELDS: dict[str, Callable[[Mailbox, Release], bytes]] = {
    "messages": lambda box, _: b"%d" % box.message_count,
    "recent": lambda box, _: b"%d" % box.recent,
    "deleted": lambda box, _: b"%d" % box.deleted,
    "uidnext": lambda box, _: b"%d" % box.uidnext,
    "uidvalidity": lambda box, _: b"%d" % box.uidvalidity,
    "unseen": lambda box, _: b"%d" % box.unseen,
    "highestmodseq": lambda box, _: b"%d" % box.highestmodseq,
    "vsize": lambda box, _: b"%d" % box.virtual_size,
    "guid": lambda box, _: box.guid.encode(),
    "firstsaved": lambda box, release: _first_saved(box, release),
}
#: The fields that `-t` can add up.
_SUMMED = ("messages", "recent", "deleted", "unseen", "vsize")


def _first_saved(box: Mailbox, release: Release) -> bytes:
    first = box.first_saved
    if first is not None:
        return b"%d" % int(first.timestamp())
    return b"never" if release.firstsaved_never else b"%d" % (2**64 - 1)


def _known_fields(release: Release) -> list[str]:
    hidden = set()
    if not release.status_deleted:
        hidden.add("deleted")
    if not release.status_firstsaved:
        hidden.add("firstsaved")
    return [name for name in _STATUS_FIELDS if name not in hidden]


def _status_fields(invocation: Invocation, release: Release) -> list[str]:
    """Return the requested fields in printing order; raise Fatal for an unknown one."""
    requested = list(invocation.texts("field"))
    for part in requested or [invocation.text("fieldstr") or b""]:
        requested = requested or part.split(b" ")
    known = _known_fields(release)
    for name in requested:
        if name != b"all" and name.decode(errors="replace") not in known:
            raise Fatal(b"Unknown status field: %b" % name)
    everything = b"all" in requested
    if everything and invocation.flag("total-sum"):
        known = [name for name in known if name in _SUMMED]
    chosen = [name for name in known if everything or name.encode() in requested]
    single = [field for field in chosen if field not in _SUMMED]
    if single and invocation.flag("total-sum"):
        raise Fatal(f"Status field {single[0]} can't be used with -t".encode())
    return chosen


def _status_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    fields = _status_fields(invocation, release)
    return tuple(fields) if invocation.flag("total-sum") else ("mailbox", *fields)


@command(
    "mailbox status",
    flag("total-sum", "t"),
    option("field", "f", Kind.TEXTS),
    positional("fieldstr"),
    positional("mailbox-mask", Kind.TEXTS),
    mail=True,
    columns=_status_columns,
    usage="<fields> <mailbox> [...]",
    check=_check_names("mailbox-mask"),
)
def mailbox_status(call: Call) -> Output:
    """Print counts of mailboxes, or with `-t` their sums."""
    fields = _status_fields(call.invocation, call.release)
    wanted = _status_masks(call)
    sums = [0] * len(fields)
    status = Status.OK
    for name, box in _selected(call.user, wanted):
        if box is None:
            why = f"Mailbox {name}: Failed to lookup mailbox status: Mailbox doesn't exist: {name}"
            yield Log(why.encode())
            status = combine(status, Status.NOTFOUND)
        elif call.invocation.flag("total-sum"):
            values = [int(_STATUS_FIELDS[field](box, call.release)) for field in fields]
            sums = [total + value for total, value in zip(sums, values, strict=True)]
        else:
            values_printed = [_STATUS_FIELDS[field](box, call.release) for field in fields]
            yield (name.encode(), *values_printed)
    if call.invocation.flag("total-sum"):
        yield tuple(b"%d" % total for total in sums)
    return status


def _status_masks(call: Call) -> list[str]:
    invocation = call.invocation
    arguments = invocation.texts("mailbox-mask")
    unused = invocation.text("fieldstr")
    if invocation.flag("field") and unused and not call.release.status_option_keeps_positional:
        arguments = (unused, *arguments)
    return [argument.decode() for argument in arguments]


def _selected(user: User, wanted: Sequence[str]) -> Iterator[tuple[str, Mailbox | None]]:
    """Yield the mailboxes that match, in listing order; a single missing name with None."""
    if len(wanted) == 1 and not masks.has_wildcard(wanted[0].encode(), _WILDCARDS):
        box = user.find_mailbox(wanted[0])
        yield (wanted[0] if box is None else box.name), box
        return
    for name, box in user.listing():
        if box is not None and any(masks.mailbox_matches(mask, name) for mask in wanted):
            yield name, box


def _check_create(invocation: Invocation, release: Release) -> None:
    guid = invocation.text("guid")
    if guid is not None and _GUID.fullmatch(guid) is None:
        usage = invocation.command.full_usage.encode()
        raise Fatal(b"Client sent invalid command. Usage: %b" % usage)
    _check_names("mailbox")(invocation, release)


@command(
    "mailbox create",
    flag("subscriptions", "s"),
    option("guid", "g"),
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="[-s] [-g <guid>] <mailbox> [...]",
    check=_check_create,
)
def mailbox_create(call: Call) -> Output:
    """Create mailboxes, and with `-s` subscribe to them."""
    status = Status.OK
    guid = call.invocation.text("guid")
    for argument in call.invocation.texts("mailbox"):
        name = argument.decode()
        problem = _name_problem(name, call.release)
        if problem is None and call.user.find_mailbox(name) is not None:
            problem = (Status.DATAERR, "Mailbox already exists")
        if problem is not None:
            yield Log(f"Can't create mailbox {name}: {problem[1]}".encode())
            status = combine(status, problem[0])
            continue
        if name.endswith("/"):
            call.user.create_folder(name[:-1])
            continue
        box = call.user.create_mailbox(name, None if guid is None else guid.decode().lower())
        box.subscribed = call.invocation.flag("subscriptions")
    return status


def _name_problem(name: str, release: Release) -> tuple[Status, str] | None:
    """Return why no mailbox can be called `name`, with the status that it gives."""
    invalid = "Invalid mailbox name: "
    if not name:
        return Status.USAGE, invalid + "Name is empty"
    for character in name:
        if character < " " or (character == "\x7f" and release.delete_is_control):
            return Status.USAGE, release.control_name_text.format(ord(character))
    if name.startswith("/"):
        return Status.USAGE, invalid + "Begins with hierarchy separator"
    if name.startswith("~"):
        return Status.USAGE, invalid + "Begins with '~'"
    if "//" in name:
        return Status.USAGE, invalid + "Has adjacent hierarchy separators"
    for part in name.split("/"):
        if part in (".", ".."):
            return Status.USAGE, invalid + f"Contains '{part}' part"
    if len(name.encode()) > _LONGEST_NAME:
        return Status.USAGE, invalid + "Name is too long"
    if any(len(level.encode()) > _LONGEST_LEVEL for level in name.split("/")):
        return Status.USAGE, "Mailbox name too long"
    return None


@command(
    "mailbox delete",
    flag("require-empty", "e"),
    flag("subscriptions", "s"),
    flag("recursive", "r"),
    flag("unsafe", "Z"),
    positional("mailbox", Kind.TEXTS),
    mail=True,
    usage="[-e] [-r] [-s] [-Z] <mailbox> [...]",
    check=_check_names("mailbox"),
)
def mailbox_delete(call: Call) -> Output:
    """Delete mailboxes with their mail; `-r` with their children."""
    status = Status.OK
    prune = call.release.deletes_empty_parents
    for argument in call.invocation.texts("mailbox"):
        for name in _doomed(call, argument.decode()):
            box = call.user.find_mailbox(name)
            if box is None and call.user.has_children(name):
                why = "Mailbox has children, delete them first"
                yield Log(f"Can't delete mailbox {name}: {why}".encode())
                status = combine(status, Status.DATAERR)
            elif box is None and not call.user.has_folder(name):
                yield Log(f"Can't delete mailbox {name}: Mailbox doesn't exist: {name}".encode())
                status = combine(status, Status.NOTFOUND)
            elif box is None:
                call.user.delete_folder(name, prune=prune)
            elif call.invocation.flag("require-empty") and box.message_count:
                yield Log(f"Can't delete mailbox {name}: Mailbox isn't empty".encode())
                status = combine(status, Status.DATAERR)
            else:
                call.user.delete_mailbox(name, prune=prune)
                if call.invocation.flag("subscriptions"):
                    call.user.subscriptions.pop(name, None)
    return status


def _doomed(call: Call, name: str) -> list[str]:
    """Return the names to delete, children first."""
    if not call.invocation.flag("recursive"):
        return [name]
    children = [child for child, _ in call.user.listing() if child.startswith(f"{name}/")]
    return [*sorted(children, reverse=True), name]
