"""IMAP's ENVELOPE of a header."""

from __future__ import annotations

from fakedove.dovecot.mime.addresses import Address, parse_addresses
from fakedove.dovecot.mime.headers import header_fields, without_nul
from fakedove.dovecot.mime.imap_strings import for_humans, nstring, nstring_unfolded

_ADDRESSES = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_TEXTS = (b"date", b"subject", b"in-reply-to", b"message-id")


def envelope(header: bytes) -> bytes:
    """Return the envelope without its parentheses.

    Of several texts the last one counts; addresses of several headers are all taken.
    """
    texts: dict[bytes, bytes] = {}
    addresses: dict[bytes, list[Address]] = {name: [] for name in _ADDRESSES}
    for field in header_fields(header):
        name = field.name.lower()
        if name in addresses:
            addresses[name] += parse_addresses(field.value, fill_missing=True)
        elif name in _TEXTS:
            texts[name] = without_nul(field.value)
    sender = addresses[b"from"]
    subject = texts.get(b"subject")
    return b" ".join(
        [
            nstring_unfolded(texts.get(b"date")),
            b"NIL" if subject is None else for_humans(subject),
            _list(sender),
            _list(addresses[b"sender"] or sender),
            _list(addresses[b"reply-to"] or sender),
            *(_list(addresses[name]) for name in (b"to", b"cc", b"bcc")),
            nstring_unfolded(texts.get(b"in-reply-to")),
            nstring_unfolded(texts.get(b"message-id")),
        ]
    )


def _list(addresses: list[Address]) -> bytes:
    if not addresses:
        return b"NIL"
    return b"(%b)" % b"".join(_address(one) for one in addresses)


def _address(one: Address) -> bytes:
    name = b"NIL" if one.name is None else for_humans(one.name)
    return b"(%b %b %b %b)" % (name, nstring(one.route), nstring(one.mailbox), nstring(one.domain))
