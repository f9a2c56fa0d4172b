"""Other set-ups than the usual one, which a few recordings were made on.

    variant_of(conversation) -> Variant
    by_variant(conversations) -> {variant: conversations}

Conversations of one variant are played on one server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.replay.transcripts import Conversation


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings, users and a store that differ from the usual ones.

    `settings` are added to dovecot.conf, `users` to the passwd-file; without `mails` every
    user's store is empty.
    """

    name: str
    settings: str = ""
    users: str = ""
    mails: bool = True


USUAL = Variant("usual")

_NO_SSL = Variant("ssl = no", "ssl = no\n", mails=False)

_NO_CERTIFICATE = Variant(
    "ssl = no, no certificate",
    "ssl = no\nssl_server_cert_file =\nssl_server_key_file =\n",
    mails=False,
)

_DEBUG = {
    "2.3.19.1": Variant("debug", "mail_debug = yes\n", mails=False),
    "2.4.1": Variant(
        "debug", "log_debug = category=mail OR category=storage OR category=acl\n", mails=False
    ),
}

#: `nologin` with a host is a referral, but only if there is a doveadm_port to refer to.
_REFERRAL = Variant(
    "referral",
    "doveadm_port = 32099\n",
    "ref:{PLAIN}pass:5000:5000::/nonexistent::nologin host=127.0.0.9\n"
    "refnohost:{PLAIN}pass:5000:5000::/nonexistent::nologin\n"
    "refproxy:{PLAIN}pass:5000:5000::/nonexistent::proxy host=127.0.0.9 port=32098\n",
    mails=False,
)


def variant_of(conversation: Conversation) -> Variant:
    """Tell on which set-up a conversation was recorded."""
    match conversation.listener:
        case "nossl:tcp":
            return _NO_SSL
        case "nocert:tcp":
            return _NO_CERTIFICATE
    for given in conversation.given:
        if given.startswith("doveadm_port"):
            return _REFERRAL
        if given.startswith("mail_debug"):
            return _DEBUG[conversation.dovecot]
    return USUAL


def by_variant(conversations: Iterable[Conversation]) -> dict[Variant, list[Conversation]]:
    """Group conversations by the set-up that they need."""
    groups: dict[Variant, list[Conversation]] = {}
    for conversation in conversations:
        groups.setdefault(variant_of(conversation), []).append(conversation)
    return groups
