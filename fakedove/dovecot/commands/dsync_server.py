"""`dsync-server`: the other end of a sync, which says hello and hears nobody out.

It greets as Dovecot does and takes what the client says for nothing, up to its end.
"""

from __future__ import annotations

from fakedove.dovecot.registry import Call, Gap, Kind, command, flag, option, positional
from fakedove.dovecot.reply import Log, Output, Scope, Takeover
from fakedove.dovecot.status import Status

_VERSION = b"VERSION\tdsync\t3\t5\n"
#: The keys of the greeting itself, and the one that went with 2.4.
_HELLO = (
    "hostname sync_ns_prefix sync_box sync_box_guid sync_type debug sync_visible_namespaces"
    " exclude_mailboxes send_mail_requests backup_send backup_recv lock_timeout no_mail_sync"
    " no_backup_overwrite purge_remote no_notify sync_since_timestamp sync_max_size sync_flags"
    " sync_until_timestamp virtual_all_box empty_hdr_workaround import_commit_msgs_interval"
    " hashed_headers alt_char"
)
_GONE = "import_commit_msgs_interval "
#: The keys of everything else, by the letter that its lines begin with.
_KEYS = {
    "S": "mailbox_guid last_uidvalidity last_common_uid last_common_modseq"
    " last_common_pvt_modseq last_messages_count changes_during_sync",
    "N": "name existence mailbox_guid uid_validity uid_next last_renamed_or_created subscribed"
    " last_subscription_change",
    "D": "hierarchy_sep escape_char mailboxes dirs unsubscribes",
    "B": "mailbox_guid uid_validity uid_next messages_count first_recent_uid highest_modseq"
    " highest_pvt_modseq mailbox_lost mailbox_ignore cache_fields have_guids have_save_guids"
    " have_only_guid128",
    "A": "type key value stream deleted last_change modseq",
    "C": "type uid guid hdr_hash modseq pvt_modseq add_flags remove_flags final_flags"
    " keywords_reset keyword_changes received_timestamp virtual_size",
    "R": "guid uid",
    "M": "guid uid pop3_uidl pop3_order received_date saved_date stream",
    "F": "error mail_error require_full_resync",
    "c": "name decision last_used",
}
_HOSTNAME = b"localhost"
_WITHOUT_VALUE = 2
#: A value that is not given.
_NULL = b"\x02"


@command(
    "dsync-server",
    flag("legacy-dsync", "E", when="sync_replica"),
    option("rawlog", "r"),
    option("timeout", "T", Kind.UNSIGNED),
    flag("replicator-notify", "U", when="sync_replica"),
    positional("ignore-arg", required=False),
    mail=True,
    usage="[-r <rawlog path>] [-T <timeout secs>] [-U]",
    gaps=(Gap("it greets; what the other end says is taken for nothing, up to its end"),),
)
def dsync_server(call: Call) -> Output:
    """Greet, and leave the connection to the sync."""
    hello = _HELLO if call.release.sync_replica else _HELLO.replace(_GONE, "")
    keys = {"H": hello, **_KEYS}
    lines = [f"{letter}{names}\n".replace(" ", "\t") for letter, names in keys.items()]
    # The last keys have no values of this side.
    values = [_HOSTNAME] + [_NULL] * (hello.count(" ") - _WITHOUT_VALUE)
    greeting = (
        b"%b%b.\n" % (_VERSION, "".join(lines).encode()),
        b"H%b\n" % b"".join(b"%b\t" % value for value in values),
    )
    yield Takeover(greeting, _farewell)
    return Status.OK


def _farewell(heard: bytes) -> Log:
    missing = b"handshake" if heard.startswith(_VERSION.rstrip(b"\n")) else b"version"
    return Log(b"read(<local>) failed: EOF (%b not received)" % missing, scope=Scope.STORAGE)
