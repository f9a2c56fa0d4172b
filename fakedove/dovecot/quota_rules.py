"""What a quota root says of single mailboxes: how much more they may hold, or that none counts.

    QuotaRule.of("Trash", storage="10%"), QuotaRule.of("Spam", ignore=True)

Measured on 2.3.19.1 (`quota_rule2 = Trash:storage=+10%`) and 2.4.1
(`quota_storage_percentage = 110` for `mailbox Trash`).
"""

from __future__ import annotations

import re

import msgspec

from fakedove.dovecot.masks import text_matches
from fakedove.dovecot.names import canonical_name
from fakedove.dovecot.quota import parse_size
from fakedove.errors import StoreError

_EXTRA = re.compile(r"(?P<sign>[+-]?)(?P<size>.*?)(?P<percent>%?)", re.DOTALL)


class Extra(msgspec.Struct, frozen=True, gc=False):
    """What a mailbox may have beyond a limit: an amount, maybe a negative one, and a part of it."""

    amount: int = 0
    percent: int = 0

    def beyond(self, limit: int | None) -> int | None:
        """Return the limit with this added, None for no limit, which one below 1 is too."""
        if not limit:
            return None
        total = limit + self.amount + limit * self.percent // 100
        return total if total > 0 else None


class QuotaRule(msgspec.Struct, frozen=True, gc=False):
    """What is different for the mailboxes that the mask matches; `*` is any text, `?` a character.

    With `ignore` they do not count, and nothing limits what is put into them. Else the extras say
    how full the user, with all mailboxes, may be for a mail to be put into one of these.
    """

    mailbox: str
    ignore: bool = False
    storage: Extra = Extra()
    messages: Extra = Extra()

    @classmethod
    def of(
        cls,
        mailbox: str,
        *,
        ignore: bool = False,
        storage: str | int | None = None,
        messages: str | int | None = None,
    ) -> QuotaRule:
        """Return a rule whose extras are written as "10M", "-10M", "10%" or numbers.

        Raises StoreError if one is none, or if the mask is that of all mailboxes.
        """
        return cls(checked_mask(mailbox), ignore, storage_extra(storage), messages_extra(messages))

    def matches(self, mailbox: str) -> bool:
        """Whether the rule is about the mailbox of that name."""
        return text_matches(self.mailbox.encode(), mailbox.encode())


def checked_mask(mailbox: str) -> str:
    """Return the mask of a rule; raise StoreError if it is that of all mailboxes."""
    if not mailbox.strip("*"):
        raise StoreError("a rule is for some mailboxes: all of them have the limits of the root")
    return canonical_name(mailbox)


def storage_extra(text: str | int | None) -> Extra:
    """Return what is written as "10M", "+10M", "-10M", "10%" or bytes; raise StoreError if not."""
    if text is None:
        return Extra()
    sign, size, percent = _parts(text)
    if percent:
        return _part(text, sign, size)
    return Extra((parse_size(size) or 0) * (-1 if sign else 1))


def messages_extra(text: str | int | None) -> Extra:
    """Return what is written as 10, "+10", "-10" or "10%"; raise StoreError if it is none."""
    if text is None:
        return Extra()
    sign, size, percent = _parts(text)
    if percent:
        return _part(text, sign, size)
    return Extra(_number(text, size) * (-1 if sign else 1))


def _parts(text: str | int) -> tuple[bool, str, bool]:
    """Return whether it is negative, its number, and whether that is a percentage."""
    match = _EXTRA.fullmatch(str(text))
    assert match is not None, "it matches anything"
    return match["sign"] == "-", match["size"], bool(match["percent"])


def _part(text: str | int, negative: bool, size: str) -> Extra:
    if negative:
        # The releases round such a part differently.
        raise StoreError(f'"{text}" is no extra: a percentage must not be negative')
    return Extra(percent=_number(text, size))


def _number(text: str | int, size: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", size, re.ASCII):
        raise StoreError(f'"{text}" is no extra: write a number, or a percentage such as "10%"')
    return int(size)
