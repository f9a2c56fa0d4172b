"""`search`: which messages a query finds."""

from __future__ import annotations

from fakedove.dovecot.commands import queries
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.registry import Call, Kind, command, positional
from fakedove.dovecot.reply import Output
from fakedove.dovecot.status import Status


@command(
    "search",
    positional("query", Kind.TEXTS),
    mail=True,
    columns=("mailbox-guid", "uid"),
    usage="<search query>",
    check=queries.check_query,
)
def search(call: Call) -> Output:
    """Print mailbox GUID and UID of each message that matches."""
    missing = call.release.search_missing_text
    return queries.look(call, queries.query_of(call), _print, missing=missing, says_first=True)


def _print(box: Mailbox, messages: list[Message]) -> Output:
    guid = box.guid.encode()
    for message in messages:
        yield (guid, b"%d" % message.uid)
    return Status.OK
