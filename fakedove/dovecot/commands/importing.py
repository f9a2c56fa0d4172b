"""`import`: mails of another mail location, which is that of a user of this store.

Any other location is an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fakedove.dovecot import texts
from fakedove.dovecot.cache.reads import TAKEN_OVER
from fakedove.dovecot.commands import cached, queries
from fakedove.dovecot.commands.acl import inherit
from fakedove.dovecot.commands.destination import too_big
from fakedove.dovecot.commands.locations import LocationError, forget_alternative, mail_path
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.names import existing_name_problem, is_utf8, new_name_problem
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Declined, Fatal, Item, Log, Output, Scope
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

_USAGE = (
    "[-U source-user] [-s] [-p <source option> [...]]"
    " <source mail driver>:<source mail path> <dest parent mailbox> <search query>"
)
_OLD_USAGE = "[-s] <source mail location> <dest parent mailbox> <search query>"
_SOURCE, _OLD_SOURCE = "<source mail driver>:<source mail path>", "<source mail location>"


def _check(invocation: Invocation, release: Release) -> None:
    if not invocation.texts("query"):
        usage = invocation.command.usage_in(release)
        shown = usage.replace(_SOURCE, _OLD_SOURCE) if release.mail_location else usage
        raise texts.misused(release, shown)
    source = invocation.text("source-location") or b""
    if source.count(b":") != 1 and not release.mail_location:
        text = b"Source (%b) should be in mail_driver:mail_path syntax" % source
        raise Declined(Status.USAGE, Log(text, scope=Scope.PROCESS))
    queries.check_query(invocation, release)


@command(
    "import",
    option("source-user", "U"),
    flag("subscribe", "s"),
    option("source-option", "p", Kind.TEXTS, when="source_options"),
    positional("source-location", required=False),
    positional("dest-parent-mailbox", required=False),
    positional("query", Kind.TEXTS, required=False),
    mail=True,
    usage=_USAGE,
    old_usage=_OLD_USAGE,
    check=_check,
    gaps=(
        Gap(
            "a source that is neither a user's of the store nor made by a sync is an empty one,"
            " be it unreadable, full or without `/` in names"
        ),
        Gap("a path without a driver kills also where there is mail", when="source_options"),
    ),
)
def import_mails(call: Call) -> Output:
    """Copy mails into mailboxes below a parent, which are made where they are missing."""
    location = (call.invocation.text("source-location") or b"").decode(errors="surrogateescape")
    reader = _reader(call)
    path = _path(call, location, reader)
    if call.release.imports_as_root:
        # For the source the process takes root's rights, and keeps them.
        call.opened = None
    owner = call.store.mail_at(path)
    if owner is not None:
        yield from forget_alternative(call, location, owner, reader)
    query = queries.query_of(call)
    importing = partial(_import_box, call)
    mail = owner or call.store.no_mail(reader)
    return (yield from queries.look(call, query, importing, owner=mail, reads=TAKEN_OVER))


def _reader(call: Call) -> User:
    """Return the user as whom the source is read."""
    name = call.invocation.text("source-user")
    user = call.user if name is None else call.store.lookup(name.decode(errors="surrogateescape"))
    if user is None:
        raise Fatal(b"killed with signal 11", crash=True)
    return user


def _path(call: Call, location: str, reader: User) -> str:
    """Return the path of a mail location; raise Fatal, as the real process dies of a bad one."""
    if not location:
        said = (texts.backtrace(Scope.MAIL),)
        raise Fatal(b"assertion failed: (location == NULL)", Scope.MAIL, crash=True, log=said)
    try:
        return mail_path(location, reader, call.release)
    except LocationError as error:
        why = str(error)
    if call.release.mail_location:
        why = f"Initializing mail storage from mail_location parameter failed: {why}"
    text = f"Import namespace initialization failed: {why}"
    raise Fatal(text.encode(errors="surrogateescape"), Scope.MAIL)


def _import_box(call: Call, source: Mailbox, messages: Sequence[Message]) -> Output:
    if not messages:
        return Status.OK
    argument = call.invocation.text("dest-parent-mailbox") or b""
    if not is_utf8(argument):
        yield from queries.panic(b"uni_utf8_str_is_valid(vname)")
    parent = argument.decode()
    name = f"{parent}/{source.name}" if parent else source.name
    problem = existing_name_problem(name)
    if problem is None and call.user.existing_mailbox(name) is None:
        problem = new_name_problem(name, call.release)
    if problem is not None:
        text = f"Couldn't create mailbox {name}: {problem}"
        yield Log(text.encode(), scope=Scope.STORAGE)
        return Status.USAGE
    over = too_big(call.user, name, messages, as_root=call.release.imports_as_root)
    refused = {message.uid for message in over}
    yield from _put(call, name, [one for one in messages if one.uid not in refused])
    speaker = _reader(call).name.encode() if call.release.storage_names_itself else None
    for message in messages:
        yield from queries.debug(call, name, [message])
        if message.uid in refused:
            text = _refused(call, source, name, message)
            yield Log(text.encode(), scope=Scope.STORAGE, user=speaker)
    return Status.TEMPFAIL if refused else Status.OK


def _put(call: Call, name: str, messages: Sequence[Message]) -> Iterator[Item]:
    """Copy messages into the mailbox of that name, which is made if it is missing."""
    subscribes = call.invocation.flag("subscribe")
    box = call.user.find_mailbox(name)
    if call.release.imports_as_root:
        if subscribes:
            call.user.subscriptions_readable = False
        if box is None:
            _hide(call.user, name, messages)
            return
    elif subscribes:
        call.user.subscriptions[name] = None
    if box is None:
        box = call.user.create_mailbox(name)
        cached.inherit(call, box)
        cached.synchronize(call, "INBOX")
        yield from inherit(call, box)
    box.copy_in(messages)


def _hide(user: User, name: str, messages: Sequence[Message]) -> None:
    """Put messages into a mailbox that is root's."""
    size, count = user.hidden.get(name, (0, 0))
    size += sum(message.virtual_size for message in messages)
    user.hidden[name] = size, count + len(messages)


def _refused(call: Call, source: Mailbox, name: str, message: Message) -> str:
    why = "Quota exceeded (mailbox for user is full)"
    if call.release.storage_names_itself:
        return f"Mailbox {source.name}: UID {message.uid}: Copying failed: {why}"
    return f"Copying box={name} uid={message.uid} failed: {why}"
