"""The caches of mailboxes, as commands open them."""

from __future__ import annotations

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.cache.opened_mail import OpenedMail
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.registry import Call


def file_of(call: Call, box: Mailbox) -> CacheFile:
    """Return a mailbox's cache file as it is now, to be changed too."""
    return box.cache.file(box.messages, call.release)


def having(call: Call, box: Mailbox, key: str) -> frozenset[int]:
    """Return the UIDs of mails of which a field is cached."""
    return frozenset(uid for uid, keys in file_of(call, box).records.items() if key in keys)


def opened(call: Call, box: Mailbox) -> OpenedCache:
    """Open a mailbox's cache."""
    return opened_file(call, file_of(call, box))


def opened_file(call: Call, file: CacheFile, *, decides: bool = True) -> OpenedCache:
    """Open a cache file; one that does not `decide` is only added to."""
    now = int(call.store.clock.now().timestamp())
    return OpenedCache(file, call.release, now, decides=decides)


def look_up_guids(call: Call, box: Mailbox, uids: list[int]) -> None:
    """Look up which mails these are, as expunging them does."""
    if uids:
        cache = opened(call, box)
        for uid in uids:
            cache.lookup("guid", uid)
        cache.close()


def inherit(call: Call, box: Mailbox) -> None:
    """Decide for a new mailbox what is decided for INBOX."""
    if box.name == "INBOX":
        return
    call.user.acl_list.look_at("INBOX")
    inbox = call.user.open_listed("INBOX")
    if inbox is not None:
        opened(call, box).take_over(opened(call, inbox))


def synchronize(call: Call, name: str) -> None:
    """Read a mailbox's cache, and synchronize the mailbox again, as counting the quota does."""
    box = call.user.find_mailbox(name)
    if box is not None:
        cache = opened(call, box)
        cache.open()
        cache.sync()


def index(call: Call, box: Mailbox) -> tuple[int, int] | None:
    """Cache the mails behind the last of which something is cached.

    Return the numbers of the first and the last, None if there are none.
    """
    file = file_of(call, box)
    messages = box.messages
    first = len(messages)
    while first and not file.cached(messages[first - 1].uid):
        first -= 1
    if first == len(messages):
        return None
    cache = opened_file(call, file, decides=False)
    for message in messages[first:]:
        mail = OpenedMail(cache, message)
        mail.cache_ahead()
        mail.close()
    cache.close()
    return first + 1, len(messages)
