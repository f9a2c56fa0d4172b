"""Commands that keep a store in order: `altmove`, `deduplicate`, `index`, `purge` and others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fakedove.dovecot import texts
from fakedove.dovecot.attachments import KEYWORDS, has_attachment
from fakedove.dovecot.cache.reads import GUIDS, MESSAGE_IDS, NOTHING_AND_SYNC, STRUCTURES
from fakedove.dovecot.commands import COMMANDS, cached, queries
from fakedove.dovecot.flag_changes import FlagChange, Mode
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.masks import mailbox_matches
from fakedove.dovecot.message import Message
from fakedove.dovecot.mime.headers import header_fields
from fakedove.dovecot.names import existing_name_problem
from fakedove.dovecot.paths import mailbox_path
from fakedove.dovecot.registry import (
    Call,
    Gap,
    Invocation,
    Kind,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Level, Log, Output, Row, Scope, combine
from fakedove.dovecot.status import Status

#: What fits in 32 bits.
_MOST_RECENT = 0xFFFFFFFF
_QUERY = positional("query", Kind.TEXTS)


@command(
    "altmove",
    flag("reverse", "r"),
    _QUERY,
    mail=True,
    usage="[-r] <search query>",
    check=queries.check_query,
)
def altmove(call: Call) -> Output:
    """Mark each message that matches for the alternative storage, or with `-r` for the usual."""
    there = not call.invocation.flag("reverse")

    def mark(box: Mailbox, messages: Sequence[Message]) -> Output:
        yield from queries.debug(call, box.name, messages)
        box.mark_alternative([message.uid for message in messages], alternative=there)
        return Status.OK

    return queries.look(call, queries.query_of(call), mark, reads=NOTHING_AND_SYNC)


@command(
    "deduplicate",
    flag("by-msgid", "m"),
    _QUERY,
    mail=True,
    usage="[-m] <search query>",
    check=queries.check_query,
)
def deduplicate(call: Call) -> Output:
    """Expunge what has the GUID, or with `-m` the Message-ID, of one before it in its mailbox."""
    key = _message_id if call.invocation.flag("by-msgid") else _guid

    def expunge(box: Mailbox, messages: Sequence[Message]) -> Output:
        yield from ()
        first: dict[bytes, int] = {}
        again = [
            one.uid
            for one in messages
            if (name := key(box, one)) and first.setdefault(name, one.uid) != one.uid
        ]
        cached.look_up_guids(call, box, again)
        box.expunge(again)
        return Status.OK

    missing = call.release.deduplicate_missing_text
    reads = MESSAGE_IDS if call.invocation.flag("by-msgid") else GUIDS
    return queries.look(call, queries.query_of(call), expunge, missing=missing, reads=reads)


def _guid(box: Mailbox, message: Message) -> bytes:
    return message.guid.encode()


def _message_id(box: Mailbox, message: Message) -> bytes:
    if "hdr.message-id" in box.cache.lost(message.uid):
        return b""
    fields = header_fields(message.data)
    return next((one.one_line for one in fields if one.name.lower() == b"message-id"), b"")


def _check_index(invocation: Invocation, release: Release) -> None:
    number = invocation.text("max-recent")
    if number is not None and not (number.isdigit() and int(number) <= _MOST_RECENT):
        raise Fatal(b"Invalid -n parameter number: %b" % number, Scope.COMMAND)
    if (invocation.number("max-recent") or 0) > _MOST_RECENT:
        text = b"assertion failed: (value >= 0 && value <= (4294967295U))"
        raise Fatal(text, Scope.PROCESS, crash=True)


@command(
    "index",
    flag("queue", "q"),
    option("max-recent", "n", Kind.UNSIGNED, when="index_takes_masks"),
    option("max-recent", "n", when="index_takes_mask"),
    positional("mailbox-mask", Kind.TEXTS, when="index_takes_masks"),
    positional("mailbox-mask", when="index_takes_mask"),
    mail=True,
    usage="[-q] [-n <max recent>] <mailbox mask>",
    gaps=(Gap("there is no full text index, and `-q` queues nothing"),),
    check=_check_index,
)
def index(call: Call) -> Output:
    """Cache what may be wanted of mails of which nothing is cached, and tell that."""
    invocation = call.invocation
    mask = invocation.text("mailbox-mask")
    wanted = invocation.texts("mailbox-mask") if mask is None else (mask,)
    most = invocation.number("max-recent") or int(invocation.text("max-recent") or b"0")
    told = call.release.index_takes_masks or invocation.verbose
    if invocation.flag("queue"):
        return Status.OK
    masks = [one.decode(errors="surrogateescape") for one in wanted]
    for name, _ in call.user.listing(masks, inbox_last=call.release.lists_inbox_last):
        if not any(mailbox_matches(one, name) for one in masks):
            continue
        box = call.user.open_listed(name)
        if box is None or not call.user.may("lookup", box):
            continue
        if not most or box.recent <= most:
            call.user.list_index.learn([name])
            text = _index(call, box)
            if told:
                yield Log(text.encode(), Level.INFO)
    return Status.OK


def _index(call: Call, box: Mailbox) -> str:
    """Index a mailbox, and return what is said of that."""
    if not call.release.index_caches:
        return f"Mailbox {box.name}: Index is already up to date"
    span = cached.index(call, box)
    if span is None:
        return f"{box.name}: Cache is already up to date"
    return f"{box.name}: Caching mails seq={span[0]}..{span[1]}"


@command("purge", mail=True)
def purge(call: Call) -> Output:
    """Remove what was expunged from the storage, which nobody can see."""
    yield from ()
    return Status.OK


def _check_mask(mask: bytes) -> None:
    """Raise Fatal where the real process crashes: a mask that can be no mailbox's name."""
    try:
        problem = existing_name_problem(mask.decode())
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    if problem is not None:
        raise Fatal(b"killed with signal 11", crash=True)


@command(
    "force-resync",
    flag("fsck", "f", when="force_resync_fsck"),
    positional("mailbox-mask"),
    mail=True,
    usage="[-f] <mailbox mask>",
    gaps=(Gap("there is never any damage to be found"),),
)
def force_resync(call: Call) -> Output:
    """Rebuild the storage's indexes, once for each mailbox that matches."""
    mask = call.invocation.text("mailbox-mask") or b""
    if call.release.force_resync_crashes:
        _check_mask(mask)
    wanted = mask.decode(errors="surrogateescape")
    raw = not call.release.force_resync_respects_acl
    inbox_last = call.release.lists_inbox_last
    for name, listed in call.user.listing([wanted], inbox_last=inbox_last, raw=raw):
        if not mailbox_matches(wanted, name):
            continue
        # What is listed as it is has INBOX too while it is lost.
        box = call.user.find_mailbox(name) if raw and name == "INBOX" else listed
        if box is None:
            continue
        if not raw and not call.user.may("lookup", box):
            continue
        for level, text in _rebuilding(call, box):
            yield Log(text, level, Scope.STORAGE)
        for one in call.user.mailboxes.values():
            one.rebuild()
            cached.opened(call, one).purge()
        call.user.find_mailbox("INBOX")
        call.user.list_index.refresh()
        call.user.list_index.learn(call.user.mailboxes)
    return Status.OK


def _rebuilding(call: Call, box: Mailbox) -> list[tuple[Level, bytes]]:
    """Return what is said when the storage is rebuilt on account of `box`."""
    root = f"{call.user.home}/mdbox".encode(errors="surrogateescape")
    name = box.name.encode()
    index = b"%b/dovecot.index" % (mailbox_path(call.user, box.name) or b"")
    checked = b"fscking index file %b/storage/dovecot.map.index" % root
    fsck = call.invocation.flag("fsck")
    lines = []
    if not call.release.storage_names_itself:
        if fsck:
            lines.append((Level.WARNING, b"fscking index file %b" % index))
        rebuilding = b"mdbox %b/storage: rebuilding indexes" % root
        return lines + [(Level.WARNING, text) for text in (checked, rebuilding, checked)]
    storage = b"mdbox(%b/storage): " % root
    if fsck:
        lines.append((Level.WARNING, b"Mailbox %b: fscking index file %b" % (name, index)))
        text = b"%bMailbox %b: Mailbox index was fsck'd" % (storage, name)
        lines.append((Level.ERROR, text))
    forced = b"%brebuilding indexes: Rebuild forced" % storage
    return [*lines, (Level.WARNING, forced), (Level.WARNING, storage + checked)]


def _check_rebuild(invocation: Invocation, release: Release) -> None:
    if release.rebuild_wants_query and not invocation.texts("query"):
        raise texts.misused(release, COMMANDS["search"].usage_in(release))
    queries.check_query(invocation, release)


@command(
    "rebuild attachments",
    positional("query", Kind.TEXTS, required=False),
    mail=True,
    columns=("uid", "attachment"),
    usage="<search query>",
    check=_check_rebuild,
)
def rebuild_attachments(call: Call) -> Output:
    """Find out which messages have attachments, and keep that as keywords."""
    query, status = queries.query_of(call), Status.OK
    for place in query.places(call.user):
        if place.box is not None:
            yield from _rebuild(
                call.release, place.box, queries.find(call, query, place.box, STRUCTURES)
            )
        elif place.fault is not None and (refused := queries.unopened(call, place)):
            yield refused[0]
            status = combine(status, refused[1])
        elif call.release.missing_mailbox_fails:
            query.begin(opened=False)
    return status


def _rebuild(release: Release, box: Mailbox, messages: Sequence[Message]) -> Iterator[Row]:
    changes = []
    for message in messages:
        found = has_attachment(message.data, decoded=release.attachment_names_decoded)
        yield (b"%d" % message.uid, b"yes" if found else b"no")
        right, wrong = KEYWORDS if found else reversed(KEYWORDS)
        changes.append((message.uid, FlagChange(Mode.ADD, keywords=(right,))))
        changes.append((message.uid, FlagChange(Mode.REMOVE, keywords=(wrong,))))
    box.change_each_flags(changes)
