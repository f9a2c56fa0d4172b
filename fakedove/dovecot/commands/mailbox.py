"""`mailbox list` and `mailbox status`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fakedove.dovecot import masks
from fakedove.dovecot.commands.mailbox_checks import (
    check_names,
    is_visible,
    missing,
    name_problem,
)
from fakedove.dovecot.folders import Folders
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.names import canonical_name, to_mutf7
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, combine
from fakedove.dovecot.status import Status
from fakedove.dovecot.texts import misused


@command(
    "mailbox list",
    flag("mutf7", "7"),
    flag("utf8", "8"),
    flag("subscriptions", "s"),
    positional("mailbox-mask", Kind.TEXTS, required=False),
    mail=True,
    columns=("mailbox",),
    usage="[-7|-8] [-s] [<mailbox mask> [...]]",
    check=check_names("mailbox-mask"),
)
def mailbox_list(call: Call) -> Output:
    """Print the names of mailboxes, or of subscriptions."""
    wanted = [argument.decode() for argument in call.invocation.texts("mailbox-mask")]
    encodings = [name for name in call.invocation.arguments if name in ("mutf7", "utf8")]
    encode = to_mutf7 if encodings[-1:] == ["mutf7"] else str.encode
    if call.invocation.flag("subscriptions") and not call.user.subscriptions_readable:
        yield Log(b"Listing mailboxes failed: No permission to read subscriptions")
        return Status.NOPERM
    for name in _listed(call, wanted or ["*"]):
        yield (encode(name),)
    return Status.OK


def _listed(call: Call, wanted: Sequence[str]) -> Iterator[str]:
    if len(wanted) == 1 and not masks.has_wildcard(wanted[0].encode(), masks.MAILBOX_WILDCARDS):
        # A single name without wildcard is taken on trust.
        yield wanted[0]
        return
    if call.invocation.flag("subscriptions"):
        names = _subscriptions(call)
    else:
        listing = call.user.listing(wanted, inbox_last=call.release.lists_inbox_last)
        names = [name for name, box in listing if is_visible(call.user, box)]
    yield from filter(masks.mailbox_test(tuple(wanted)), names)


def _subscriptions(call: Call) -> list[str]:
    subscribed = call.user.subscriptions
    if not subscribed:
        return []
    # Children follow their parent, in the order in which anything of it was subscribed.
    names = [name for name in Folders(subscribed).oldest_first() if name in subscribed]
    if not call.release.subscriptions_in_list_order:
        return names
    listed = [name for name, _ in call.user.listing() if name in subscribed]
    return listed + [name for name in names if name not in listed]


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
#: The fields for which a mailbox's own index is read.
_COUNTERS = frozenset(_STATUS_FIELDS) - {"vsize", "guid", "firstsaved"}
#: The fields that `-t` can add up.
_SUMMED = ("messages", "recent", "unseen", "vsize")


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
    if not requested or not release.status_option_is_one_field:
        values = requested or [invocation.text("fieldstr") or b""]
        requested = [name for value in values for name in value.split(b" ")]
    requested = [name for name in requested if name]
    if not requested:
        raise Fatal(b"No status fields")
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


def _status_masks(invocation: Invocation, release: Release) -> tuple[bytes, ...]:
    arguments = invocation.texts("mailbox-mask")
    unused = invocation.text("fieldstr")
    moves = invocation.flag("field") and not release.status_option_keeps_positional
    if moves and unused is not None:
        return (unused, *arguments)
    return arguments


def _check_status(invocation: Invocation, release: Release) -> None:
    has_fields = invocation.flag("field") or invocation.flag("fieldstr")
    if not has_fields or not _status_masks(invocation, release):
        raise misused(release, invocation.command.usage_in(release))
    check_names("mailbox-mask")(invocation, release)


@command(
    "mailbox status",
    flag("total-sum", "t"),
    option("field", "f", Kind.TEXTS, "status_field_option"),
    positional("fieldstr", required=False),
    positional("mailbox-mask", Kind.TEXTS, required=False),
    mail=True,
    columns=_status_columns,
    usage="<fields> <mailbox> [...]",
    old_usage="[-t] <fields> <mailbox mask> [...]",
    check=_check_status,
)
def mailbox_status(call: Call) -> Output:
    """Print counts of mailboxes, or with `-t` their sums."""
    fields = _status_fields(call.invocation, call.release)
    wanted = [name.decode() for name in _status_masks(call.invocation, call.release)]
    sums = [0] * len(fields)
    status = Status.OK
    for name, box in _selected(call, wanted, fields):
        if guid := _guid_left(call, name, fields):
            yield (name.encode(), guid)
        elif box is None:
            problem, why = name_problem(name) or missing(name)
            if call.release.status_tells_missing:
                yield Log(f"Mailbox {name}: Failed to lookup mailbox status: {why}".encode())
            status = combine(status, problem)
        elif call.invocation.flag("total-sum"):
            values = [int(_STATUS_FIELDS[field](box, call.release)) for field in fields]
            sums = [total + value for total, value in zip(sums, values, strict=True)]
        else:
            values_printed = [_STATUS_FIELDS[field](box, call.release) for field in fields]
            yield (name.encode(), *values_printed)
    if call.invocation.flag("total-sum"):
        yield tuple(b"%d" % total for total in sums)
    return status


def _guid_left(call: Call, name: str, fields: Sequence[str]) -> bytes:
    """Return the GUID that the list has instead of a mailbox's, if only that is asked for."""
    if fields == ["guid"]:
        return call.user.list_index.guid_left(name).encode()
    call.user.list_index.learn([name])
    return b""


def _selected(
    call: Call, wanted: Sequence[str], fields: Sequence[str]
) -> Iterator[tuple[str, Mailbox | None]]:
    """Yield the mailboxes that match, in listing order; a single missing name with None."""
    if len(wanted) == 1 and not masks.has_wildcard(wanted[0].encode(), masks.MAILBOX_WILDCARDS):
        name = canonical_name(wanted[0])
        # The list has no counters of INBOX, but its GUID.
        if name != "INBOX" or ("guid" in fields and _COUNTERS.isdisjoint(fields)):
            call.user.list_index.refresh()
        yield name, call.user.find_mailbox(name)
        return
    is_wanted = masks.mailbox_test(tuple(wanted))
    for name, listed in call.user.listing(wanted, inbox_last=call.release.lists_inbox_last):
        if not is_wanted(name):
            continue
        if name == "INBOX" and listed is None and _guid_left(call, name, fields):
            yield name, None
            continue
        # Where only its directory is left, INBOX comes back by being opened.
        box = call.user.open_listed(name)
        if box is not None and call.user.may("lookup", box):
            yield name, box
