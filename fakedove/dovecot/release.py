"""What a release of Dovecot does, as far as a client can see: the columns of the release table.

All other code asks a `Release`; none compares release numbers. It is a struct because making
a dataclass of so many columns takes longer than all else that is imported with it.
"""

from __future__ import annotations

import msgspec

from fakedove.dovecot.command_spans import commands_of
from fakedove.dovecot.event_filter import Grammar
from fakedove.dovecot.field_spans import fields_of, has_sections
from fakedove.dovecot.rules import (
    Alpn,
    Caching,
    Failure,
    Getopt,
    LogChannel,
    MoveOverQuota,
    NameEscapes,
    Scope,
    ShortExtra,
    UnknownSource,
    UserRule,
)
from fakedove.dovecot.script_rows import ScriptRow, script_row
from fakedove.dovecot.services import SERVICES_2_2, Service
from fakedove.dovecot.source_lines import fs_unlink_line
from fakedove.dovecot.status import Status
from fakedove.wire.dialect import Dialect


class Release(msgspec.Struct, frozen=True):
    """A row: the releases from `first` to `last` behave like this."""

    first: str
    last: str
    dialect: Dialect
    #: The release asked for: `first`, `last` or one between them.
    number: str = ""
    # The connection.
    #: The server closes after one reply.
    one_command: bool = False
    #: A client that must authenticate meets a process that dies.
    no_auth: bool = False
    #: TLS from the first byte.
    ssl: bool = False
    #: Where the TLS server offers ALPN `doveadm`.
    alpn: Alpn = Alpn.NEVER
    #: `ssl = no` refuses STARTTLS; later only a missing certificate does.
    ssl_no_refuses_starttls: bool = True
    # Replies.
    scope: Scope = Scope.MAIL
    mail_failure: Failure = Failure.DASH
    other_failure: Failure = Failure.DASH
    #: An unknown user has a status of its own; before, the process dies.
    nouser: bool = False
    #: A failure's status is followed by `\\n-\\n`.
    double_status: bool = False
    #: Statuses that this release knows beside those that all have.
    extra_statuses: frozenset[Status] = frozenset()
    #: Each row is a write of its own; else rows are gathered up to 8 KiB.
    row_packets: bool = True
    #: who writes everything before the status, and kick where it prints names.
    who_flushes: bool = False
    #: Where a block of a streamed value ends: at multiples of 8 KiB of the value itself.
    streams_from_value_start: bool = False
    #: NULs in streamed values are escaped; before, they end the value.
    escapes_streamed_nul: bool = False
    # The log.
    log_channel: LogChannel = LogChannel.NONE
    #: Texts on the log channel carry the server log's prefix.
    log_prefix: bool = False
    #: `cmd NAME: `, `tcp: ` and `doveadm: ` before log texts.
    log_names_command: bool = False
    #: Mail commands log as `doveadm(user)<pid><session>: `; before, as `doveadm(user): `.
    log_session: bool = False
    #: Behind an LF in a log text its prefix is repeated; before, it is `doveadm: ` there.
    log_repeats_prefix: bool = False
    #: An EOF inside TLS is logged as `Connection closed`.
    log_tls_closed: bool = False
    #: Between users the process logs as `doveadm(pid): `; before, as `doveadm: `.
    log_pid: bool = False
    #: After a command for all users it is `doveadm: ` again.
    iteration_clears_log_pid: bool = False
    #: In prefixes an LF of the user's name is a space.
    log_prefix_in_one_line: bool = False
    #: Connections over TCP log as `doveadm(IP): `.
    log_address: bool = False
    #: The line of a wrong kind of authentication is quoted.
    log_quotes_auth: bool = False
    logs_unknown_user: bool = False
    #: `Extraneous arguments found` names them.
    log_names_extraneous: bool = False
    # Commands in general.
    user_rule: UserRule = UserRule.FIELD
    getopt: Getopt = Getopt.SHORT
    #: `mailbox<TAB>list` is `mailbox list`.
    split_names: bool = False
    #: A few commands read their own options: short ones, of which a bad one ends the process, and
    #: what there is too much of is ignored.
    commands_read_options: bool = True
    #: `-F file` iterates over the users in a file on the server.
    user_file: bool = False
    #: `-A` counts although there is a `-F` or `-u`.
    all_users_win: bool = False
    trans_flags: bool = False
    #: `--trans-flags` kills the process if 32 bits cannot hold it.
    trans_flags_crash: bool = False
    no_userdb_lookup: bool = False
    #: An option's number that is none is -USAGE; before, it is ignored.
    strict_numbers: bool = False
    #: `OPTION log-passthrough`.
    option: bool = False
    short_extra: ShortExtra = ShortExtra.CRASHES
    # Single commands.
    save_places: bool = False
    #: What the usage of expunge calls its option `-d`.
    expunge_option: str = "[-d]"
    #: A change of flags takes \\Recent away from all messages of the mailbox.
    flags_clear_recent: bool = True
    #: Several spaces between flags are one; before, there is an empty keyword between them.
    flags_split_at_spaces: bool = False
    #: `user` in copy and move is in lower case and wants a query behind it.
    transfer_is_strict: bool = False
    #: What exceeds the quota in a copy is logged in the name of the source's user.
    copy_logs_as_source: bool = False
    unknown_source: UnknownSource = UnknownSource.NOTHING
    move_over_quota: MoveOverQuota = MoveOverQuota.REFUSED
    #: What is moved within a user's mail has to fit, and the user must not be over quota.
    move_needs_room: bool = False
    #: index takes several masks and always says what it did; before, only with `-v`.
    index_takes_masks: bool = False
    index_caches: bool = True
    #: `force-resync -f`.
    force_resync_fsck: bool = False
    #: force-resync crashes on a mask that can be no mailbox's name.
    force_resync_crashes: bool = False
    #: force-resync leaves out mailboxes that their ACL hides from the user.
    force_resync_respects_acl: bool = True
    #: What the mail storage logs begins with its name and place.
    storage_names_itself: bool = False
    rebuild_wants_query: bool = False
    #: Attachments' file names are understood in RFC 2231's form.
    attachment_names_decoded: bool = False
    #: import makes mailboxes and subscriptions as root, where their user cannot see them.
    imports_as_root: bool = False
    #: A mail location is one setting; later, a driver and a path, and the import has `-p`.
    mail_location: bool = True
    batch_crashes: bool = False
    #: `mailbox cache decision` fails for a decision that is none; before, it only says so.
    cache_refuses_decisions: bool = False
    #: backup, batch and sync are the last commands that are read and answered as all were up to
    #: 2.2.21: with short options anywhere in the line, for the user of that line, with one status
    #: that is a number.
    old_commands: bool = True
    #: An old command dies where another command has lent the rights of a user to the process.
    old_commands_need_root: bool = False
    #: What sync says of a place where there can be no mail.
    sync_place_text: str = "User initialization failed"
    #: sync has `-E` and takes `-d` for the user's mail_replica; later, it has `-p`.
    sync_replica: bool = True
    #: A sync takes the folder above the first mailbox in a folder, however deep, for that folder.
    sync_mistakes_folders: bool = True
    #: Where a sync takes a `%` in a name for an escape.
    sync_escapes: NameEscapes = NameEscapes.NONE
    #: kick answers with a count; before, with the user names.
    kick_counts: bool = False
    #: who -1 has a column for the destination address, who and kick have `-f`.
    who_destination: bool = False
    #: `user` with a mask lists users.
    user_masks: bool = False
    #: `user` writes each piece of its JSON apart.
    user_json_pieces: bool = False
    #: `user -f` leaves the commas of the fields it left out.
    user_json_commas: bool = False
    #: `user` marks the log lines that follow it, as mail commands do.
    user_marks_log: bool = True
    #: userdb fields are settings of 2.4 (`mail_path`, `quota_storage_size`).
    userdb_settings: bool = False
    # Other processes.
    #: A process that has opened a user's mail keeps that user's rights.
    drops_privileges: bool = True
    #: What `service status` lists on a fresh server, and how many columns it has.
    services: tuple[Service, ...] = SERVICES_2_2
    service_columns: int = 11
    #: The socket of the old statistics, and whether they have the name `stats dump`.
    old_stats_socket: str = "stats"
    stats_dump_is_old: bool = True
    #: What `stats add` understands, and whether the stats process alone says why it does not.
    event_filter: Grammar = Grammar()  # immutable
    stats_hides_reasons: bool = False
    #: instance list and remove die.
    instance_dies: bool = True
    #: who and kick take several user masks; before, -USAGE (and kick crashes if it counts).
    several_user_masks: bool = False
    #: proxy list and kick are who and kick; before, they ask the login processes.
    proxy_is_who: bool = False
    #: `proxy kick --host`, asked of the login processes.
    proxy_kick_host: bool = False
    #: log errors has microseconds, and prefixes as they are.
    log_errors_in_full: bool = False
    #: `user` says of a look-up that failed that it did, and lists nobody; before, it dies then.
    user_tells_failure: bool = False
    #: anvil speaks first.
    anvil_greets: bool = False
    #: auth cache flush without a user flushes all; before, the process dies.
    auth_cache_flush_all: bool = True
    status_firstsaved: bool = False
    status_deleted: bool = False
    #: An empty mailbox's `firstsaved` is `never`; before, 2^64-1.
    firstsaved_never: bool = False
    #: `-f` fields leave the first positional argument unused.
    status_option_keeps_positional: bool = False
    #: What the other commands say failed there.
    missing_text: str = "Mailbox {}: Mailbox sync failed"
    #: What deduplicate says failed there, if that is something else.
    deduplicate_missing_text: str | None = None
    #: mailbox status says so of each mailbox that is missing.
    status_tells_missing: bool = True
    #: Each -f names one field, rather than as many as spaces separate.
    status_option_is_one_field: bool = False
    #: What `search` says failed where a mailbox is missing; empty: nothing.
    search_missing_text: str = "Couldn't get mailbox '{}' GUID"
    #: Queries that are too wide for commands that remove mails: what to do is said too.
    accident_hint: bool = True
    #: Search keys that came later.
    lacks_search_keys: frozenset[str] = frozenset()
    #: Searches refuse days that do not exist, know times of day, and take a day as one of UTC.
    search_dates_strict: bool = False
    #: Searched keywords must be IMAP atoms.
    search_checks_keywords: bool = False
    #: `fetch hdr` of a mail without a byte is a bug that the process dies of.
    empty_header_crashes: bool = False
    #: A literal mailbox that does not exist is an error for searches.
    missing_mailbox_fails: bool = True
    #: Deleting the last child deletes a parent that is no mailbox; a rename that fails, two.
    deletes_empty_parents: bool = False
    #: mailbox status -f, create -g and -s, delete -r, -e and -Z.
    status_field_option: bool = False
    creates_with_guid: bool = False
    creates_and_subscribes: bool = False
    deletes_recursively: bool = True
    deletes_with_care: bool = False
    #: Listings have INBOX behind all others, rather than where its directory is.
    lists_inbox_last: bool = False
    #: INBOX cannot be deleted.
    keeps_inbox: bool = True
    #: mailbox create with a `/` behind the name makes a folder; later, the mailbox.
    makes_folders: bool = True
    #: Values of options are checked when the command begins; before, while options are read.
    values_checked_late: bool = False
    #: mailbox path knows `index-cache` and `list-index`.
    path_of_cache: bool = False
    #: Metadata can be those of the server, by `-s` and an empty mailbox name.
    metadata_of_server: bool = False
    #: mailbox metadata list -p.
    metadata_prefix: bool = False
    #: Reading metadata opens the mailbox only where it must; before, at once.
    metadata_opens_late: bool = False
    #: Nor does reading a key that is empty behind its prefix open the mailbox.
    metadata_skips_empty_keys: bool = False
    #: mailbox cache remove needs a query; before, it takes all mail.
    cache_remove_needs_query: bool = False
    #: The mailbox cache commands insist on a mailbox and on decisions that exist.
    cache_checks_arguments: bool = False
    caching: Caching = Caching()
    #: acl names mailboxes before what it says, and namespaces by their names.
    acl_names_mailbox: bool = False
    #: acl debug tells the namespace of a mailbox that does not exist.
    acl_names_namespace: bool = False
    #: Who shares mailboxes is entered in a dict, which is root's file: that fails.
    acl_sharing_map: bool = False
    #: What stands before what ACL files say in the log.
    acl_log_prefix: bytes = b""
    #: dict and fs are told by a settings filter what to work on; before, by a URI or a driver
    #: with arguments.
    filter_names: bool = False
    #: dict without its arguments dies; later it opens the dictionary before it looks at them.
    dict_dies_without_arguments: bool = True
    dict_opens_first: bool = False
    #: A change of a dictionary that fails is told with the reason; before, the library tells that.
    dict_tells_why: bool = False
    #: `fs put` of what cannot be read tells the target; before, it makes an empty file.
    fs_put_tells_target: bool = False
    #: fs takes a slash from the end of a path.
    fs_strips_slash: bool = False
    #: fs delete takes a number of files at a time that has 32 bits.
    fs_counts_in_32_bits: bool = True
    #: fs metadata knows the path; before, nothing.
    fs_metadata: bool = False
    #: fs iter --no-cache and --object-ids.
    fs_iter_options: bool = False
    #: With `-D` altmove and expunge tell which mail they are at, fs what failed, and user and
    #: auth how they get on with the auth service.
    debugs_mails: bool = True
    debugs_fs: bool = False
    #: A line with `D` or `v` has dictionaries and file systems tell what they do for the next line.
    tells_events_late: bool = False
    debugs_auth: bool = False
    #: What goes wrong with the auth service is told in its name, with the request; before, that
    #: it cannot be reached was always told of a "userdb lookup".
    names_auth: bool = False
    #: What the auth service is asked are requests of their own, which are told why they fail.
    auth_requests: bool = False
    #: A connection's debug lines say which process is at its other end.
    names_peer: bool = False
    #: Of the auth service it is also told what it answers, as it comes.
    debugs_auth_input: bool = False
    #: The auth service lists those users only that match the mask.
    auth_lists_matches: bool = False
    #: A colon in the JSON of `user` leaves together with the value behind it.
    json_colon_waits: bool = False
    #: fs copy says no more of a failure than that it is unknown.
    fs_copy_hides_reason: bool = False
    #: fs delete leaves directories that become empty.
    fs_keeps_empty_folders: bool = False
    #: `fs delete -R` leaves files alone that lie beside a directory where it has failed.
    fs_spares_files: bool = False
    #: The number of the first file that a process opens, which texts name.
    file_descriptor: int = 8
    #: Pigeonhole names the script that it does not find, and quotes with a grave accent.
    sieve_back_quotes: bool = True
    #: sieve put dies of a script that it cannot read.
    sieve_put_crashes: bool = False
    #: Variables are `%u`; later, `%{user}`.
    percent_variables: bool = True
    braced_variables: bool = False
    #: Subscriptions are listed in the order of the mailboxes; before, as in their file.
    subscriptions_in_list_order: bool = False
    #: Quota counts what is stored; later, what clients see.
    quota_physical: bool = False
    #: How a new mailbox name with a control character is refused, and which characters.
    control_name_text: str = "Control characters not allowed in new mailbox names"
    delete_is_control: bool = False
    # fetch.
    #: It opens a mailbox that is asked for by name although none is there.
    fetch_opens_unseen: bool = False
    #: text.utf8 has what stands between MIME parts.
    text_has_boundaries: bool = False
    #: Characters of a snippet, and whether it is of quoted text where there is no other.
    snippet_length: int = 100
    snippet_quotes: bool = False
    #: date.sent shows the sender's clock; before, Greenwich's beside the sender's zone.
    sent_date_local: bool = False
    #: Moments that 32 bits cannot hold are cut off at their ends; before, they wrap around.
    sent_date_clamped: bool = False
    #: Several fields are given apart, as they are; before, all are split at spaces.
    fetch_fields_apart: bool = False
    unknown_encoding_text: str = "Unknown Content-Transfer-Encoding."
    #: How the storage names a mail, and whether the command's own line repeats that.
    uid_text: str = "UID={}"
    failed_read_told_twice: bool = True
    #: A new mail gets a keyword that says whether it has attachments.
    detects_attachments: bool = False

    def __hash__(self) -> int:
        return hash(self.number)

    @property
    def short_options(self) -> bool:
        """Whether options have letters only, and usages are told as errors."""
        return self.getopt in (Getopt.SHORT, Getopt.SHORT_DIES)

    @property
    def kick_flushes(self) -> bool:
        """Whether kick writes everything before the status."""
        return self.who_flushes and not self.kick_counts

    @property
    def kick_forces(self) -> bool:
        """Whether `kick -f` means force; later it names a field."""
        return not self.kick_counts

    @property
    def stats_dump_is_new(self) -> bool:
        """Whether `stats dump` is about metrics."""
        return not self.stats_dump_is_old

    @property
    def index_takes_mask(self) -> bool:
        """Whether index takes one mask only."""
        return not self.index_takes_masks

    @property
    def source_options(self) -> bool:
        """Whether import and sync have options for the other side's settings."""
        return not self.mail_location

    @property
    def loose_numbers(self) -> bool:
        """Whether commands check numbers themselves, each in its own way."""
        return not self.strict_numbers

    @property
    def dict_uris(self) -> bool:
        """Whether dict takes URIs."""
        return not self.filter_names

    @property
    def fs_drivers(self) -> bool:
        """Whether fs takes a driver and its arguments."""
        return not self.filter_names

    @property
    def fs_unlink_line(self) -> int | None:
        """The source line that removes the target of `fs copy`, which a text names."""
        return fs_unlink_line(self.number)

    @property
    def fetch_fields(self) -> tuple[str, ...]:
        """The fields of fetch, in the order in which it lists them."""
        return fields_of(self.number)

    @property
    def fetch_sections(self) -> bool:
        """Whether fetch knows `body.SECTION` and `binary.SECTION`."""
        return has_sections(self.number)

    @property
    def script(self) -> ScriptRow:
        """The script service of the release."""
        return script_row(self.number)

    def knows(self, command: str) -> bool:
        """Whether this release's server knows `command` on the wire."""
        mail_only = self.scope is Scope.MAIL
        return command in commands_of(self.number, mail_only=mail_only)
