"""`expunge`."""

from __future__ import annotations

from fakedove.dovecot import texts
from fakedove.dovecot.cache.reads import EXPUNGED
from fakedove.dovecot.commands import queries
from fakedove.dovecot.commands.mailbox_changes import delete
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.registry import Call, Invocation, Kind, command, flag, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Output
from fakedove.dovecot.search import parse_query
from fakedove.dovecot.status import Status


def _check(invocation: Invocation, release: Release) -> None:
    if not invocation.texts("query"):
        usage = invocation.command.usage_in(release)
        raise texts.misused(release, usage.replace("[-d]", release.expunge_option))
    queries.check_accidents("expunge", parse_query(invocation.texts("query"), release))


@command(
    "expunge",
    flag("delete-empty-mailbox", "d"),
    positional("query", Kind.TEXTS, required=False),
    mail=True,
    usage="[-d] <search query>",
    check=_check,
)
def expunge(call: Call) -> Output:
    """Remove each message that matches; `-d` removes mailboxes that are empty then."""

    def work(box: Mailbox, messages: list[Message]) -> Output:
        yield from queries.debug(call, box.name, messages)
        box.expunge([message.uid for message in messages])
        if call.invocation.flag("delete-empty-mailbox") and not box.message_count:
            yield from delete(call, box)
            call.user.subscriptions.pop(box.name, None)
        return Status.OK

    query = queries.query_of(call)
    query.simplify()
    return queries.look(call, query, work, missing="Syncing mailbox '{}' failed", reads=EXPUNGED)
