"""`save`: a mail that comes behind the command line, or a file of the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from fakedove.dovecot import texts
from fakedove.dovecot.attachments import keyword_of
from fakedove.dovecot.commands import queries
from fakedove.dovecot.commands.destination import kept, open_destination
from fakedove.dovecot.files import Files, reason
from fakedove.dovecot.message import Message, stored
from fakedove.dovecot.registry import Call, Invocation, Kind, command, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope
from fakedove.dovecot.room import has_room
from fakedove.dovecot.search.quantities import parse_moment
from fakedove.dovecot.status import Status

#: The highest UID that Dovecot can write, and number that it can read.
_LAST_UID, _LAST_NUMBER = 2**32 - 2, 2**32 - 1
#: What is read as -1, which then counts as now: days that do not exist among them.
_NOW = re.compile(rb"-1|[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check(invocation: Invocation, release: Release) -> None:
    text = invocation.text("received-date")
    known = text is None or _NOW.fullmatch(text) or parse_moment(text, 0, strict=True)
    if text is not None and not known:
        raise Fatal(b"Invalid received-date '%b'" % text)
    uid = invocation.number("uid")
    if uid is not None and uid > _LAST_NUMBER:
        raise Fatal(b"assertion failed: (value >= 0 && value <= (4294967295U))", crash=True)


@command(
    "save",
    option("mailbox", "m"),
    option("uid", "U", Kind.UNSIGNED, when="save_places"),
    option("guid", "g", when="save_places"),
    option("received-date", "r", when="save_places"),
    positional("file", Kind.BODY, required=False),
    mail=True,
    usage="[-m mailbox]",
    check=_check,
)
def save(call: Call) -> Output:
    """Put a mail into a mailbox."""
    argument = call.invocation.text("mailbox")
    if argument is None:
        argument = b"INBOX"
    box = yield from open_destination(call, argument, "Failed to open mailbox {name}")
    if isinstance(box, Status):
        return box
    call.user.list_index.refresh()
    call.user.acl_list.look_at_all()
    try:
        data = _mail(call)
    except OSError as error:
        yield from _unreadable(call.invocation.text("file") or b"", box.name, error)
        return Status.TEMPFAIL
    draft = box.draft(data, _keywords(call.release, data), _received(call))
    if call.invocation.text("guid") == b"":
        yield from queries.panic(b"guid == NULL || *guid != '\\0'")
    message = _placed(draft, call.invocation)
    if not has_room(call.user, box.name, message.virtual_size):
        yield Log(b"Saving failed: Quota exceeded (mailbox for user is full)")
        return Status.CANTCREAT
    if message.uid > _LAST_UID:
        yield from queries.panic(b"next_uid > 0 && next_uid < (uint32_t)-1")
    box.append([kept(call.user, box, message)])
    return Status.OK


def _placed(draft: Message, invocation: Invocation) -> Message:
    """Return the mail with the UID and the GUID asked for; any text is a GUID here."""
    guid = invocation.text("guid")
    return msgspec.structs.replace(
        draft,
        uid=invocation.number("uid") or 0,
        guid=draft.guid if guid is None else guid.decode(errors="replace"),
    )


def _keywords(release: Release, data: bytes) -> tuple[str, ...]:
    if not release.detects_attachments:
        return ()
    return (keyword_of(stored(data), decoded=release.attachment_names_decoded),)


def _mail(call: Call) -> bytes:
    path = call.invocation.text("file")
    if path == b"-":
        raise texts.without_input(Scope.STORAGE)
    return call.body if path is None else Files(call).read(path.decode(errors="surrogateescape"))


def _unreadable(path: bytes, mailbox: str, error: OSError) -> Iterator[Item]:
    saving = b"Mailbox %b: Saving mail: " % mailbox.encode()
    if isinstance(error, IsADirectoryError):
        why = b"pread(size=8192 offset=0) failed: %b" % reason(error)
    else:
        why = b"file_istream.stat(%b) failed: %b" % (path, reason(error))
        yield Log(why, scope=Scope.STORAGE)
    yield Log(b"%bsave: read(%b) failed: %b" % (saving, path, why), scope=Scope.STORAGE)
    yield Log(b"read(msg input) failed: %b" % why)
    why_read = b"%bread(%b) failed: %b (read reason=)" % (saving, path, why)
    yield Log(why_read, scope=Scope.STORAGE)


def _received(call: Call) -> datetime | None:
    text = call.invocation.text("received-date")
    now = int(call.store.clock.now().timestamp())
    moment = None if text is None else parse_moment(text, now, strict=True)
    return None if moment is None else datetime.fromtimestamp(moment.seconds, UTC)
