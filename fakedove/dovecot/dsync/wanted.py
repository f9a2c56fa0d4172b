"""What a sync is to do: which way, which mailboxes and which mails."""

from __future__ import annotations

import msgspec

from fakedove.dovecot import masks
from fakedove.dovecot.message import Message


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one sync."""

    #: Whether the user's own mail takes over what the other place has, and the other way around.
    near_takes: bool = True
    far_takes: bool = True
    #: The side that takes over becomes what the other one is, and loses what it had more.
    mirror: bool = False
    #: A mailbox's name, with wildcards, or a special use; "": all.
    mailbox: str = ""
    #: A mailbox's GUID; "": all.
    guid: str = ""
    #: Names, with wildcards, or special uses.
    excluded: tuple[str, ...] = ()
    #: Only the list of mailboxes is synced.
    without_mails: bool = False
    #: Also mailboxes that look the same on both sides.
    full: bool = False
    #: Seconds since the epoch between which a mail was received to be copied; 0: no limit.
    since: int = 0
    until: int = 0
    #: How many virtual bytes a mail to be copied may have; 0: no limit.
    largest: int = 0
    #: A flag or keyword that mails to be copied have, or with a `-` do not have; "": any.
    flag: str = ""
    #: The mailbox of all mails, from which a mail can be copied; "": there is none.
    all_mails: str = ""

    def takes_mailbox(self, name: str, special_use: str) -> bool:
        """Whether a mailbox of that name is synced."""
        uses = special_use.lower().split()
        if self.mailbox.startswith("\\"):
            if self.mailbox.lower() not in uses:
                return False
        elif not self.takes_name(name):
            return False
        return not any(_excludes(one, name, uses) for one in self.excluded)

    def takes_name(self, name: str) -> bool:
        """Whether the name, or that of a subscription, is one of those to look at."""
        mask = "" if self.mailbox.startswith("\\") else self.mailbox
        return not mask or masks.mailbox_matches(mask, name)

    def why_unwanted(self, message: Message) -> str:
        """Return in Dovecot's words why a mail that is missing is not copied, "" if it is."""
        received = int(message.received.timestamp())
        if self.since and received < self.since:
            return "Ignoring missing local mail with too old timestamp"
        if self.until and received > self.until:
            return "Ignoring missing local mail with too new timestamp"
        if self.largest and message.virtual_size > self.largest:
            return "Ignoring missing local mail with too large size"
        word = self.flag.removeprefix("-")
        if not word or _has(message, word) is not self.flag.startswith("-"):
            return ""
        # Dovecot tells the one case as the other.
        what = "flags" if word.startswith("\\") else "keywords"
        if self.flag.startswith("-"):
            return f"Ignoring missing local mail that doesn't have wanted {what}"
        return f"Ignoring missing local mail that has unwanted {what}"


def _excludes(mask: str, name: str, uses: list[str]) -> bool:
    if mask.startswith("\\"):
        return mask.lower() in uses
    return masks.text_matches(mask.encode(errors="surrogateescape"), name.encode())


def _has(message: Message, word: str) -> bool:
    words = message.flags if word.startswith("\\") else message.keywords
    return word.lower() in (one.lower() for one in words)
