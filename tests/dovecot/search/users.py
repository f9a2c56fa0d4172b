"""Users with mail to search in, and what a query finds there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import Query, parse_query
from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
OLD, NEW = find_release("2.3.19.1"), find_release("2.4.1")


def empty_user() -> User:
    """Return a user with an empty INBOX."""
    return Store(clock=Clock(NOW), random=random.Random(1)).add_user("tss")


def flagged_user() -> User:
    """Return a user with mails that differ by their flags, in mailboxes in this order."""
    user = empty_user()
    inbox = user.mailbox("INBOX")
    for flags in (["\\Seen"], ["\\Seen", "\\Flagged", "Work"], [], ["\\Deleted"]):
        inbox.deliver(b"x\n", flags=flags)
    archive = user.mailbox("Archive/2024", create=True)
    archive.deliver(b"y\n", uid=7)
    archive.deliver(b"z\n", uid=9, flags=["\\Answered", "\\Draft"])
    user.mailbox("Sent", create=True)
    return user


def inbox_of(*mails: bytes) -> User:
    """Return a user with these mails in the INBOX, UIDs from 1."""
    user = empty_user()
    for mail in mails:
        user.mailbox("INBOX").deliver(mail)
    return user


def query(text: str, *more: bytes, dovecot: str = "2.4.1") -> Query:
    """Return the query of words parted by single spaces, and of `more` words."""
    words = [*text.encode().split(b" "), *more]
    return parse_query(words, find_release(dovecot), int(NOW.timestamp()))


def select(query: Query, user: User) -> Iterator[tuple[Mailbox, list[Message]]]:
    """Yield each mailbox that is looked into and there, with its matching messages."""
    for place in query.places(user):
        if place.box is not None:
            yield place.box, query.find(place.box)


def found(user: User, text: str, *more: bytes, dovecot: str = "2.4.1") -> list[tuple[str, int]]:
    """Return mailbox and UID of each message that a query finds."""
    places = select(query(text, *more, dovecot=dovecot), user)
    return [(box.name, one.uid) for box, messages in places for one in messages]


def uids(user: User, text: str, *more: bytes, dovecot: str = "2.4.1") -> list[int]:
    """Return the UIDs that a query finds in the INBOX."""
    return [uid for name, uid in found(user, text, *more, dovecot=dovecot) if name == "INBOX"]


def fatal(text: str, *more: bytes, dovecot: str = "2.4.1") -> bytes:
    """Return what the process dies of that is asked this."""
    with pytest.raises(Fatal) as caught:
        list(select(query(text, *more, dovecot=dovecot), flagged_user()))
    return caught.value.text
