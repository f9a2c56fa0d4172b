"""Every Dovecot release as data: one row for each change that a client can see.

A row says only what changed since the row before it; `find_release` returns the row that a
release number falls into. Facts: the sources of 118 tagged releases, eleven of them run and
recorded.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from msgspec import structs

from fakedove.dovecot.command_spans import MAIN, release_key
from fakedove.dovecot.event_filter import Grammar
from fakedove.dovecot.release import Release
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
from fakedove.dovecot.services import (
    SERVICES_2_3,
    SERVICES_2_3_8,
    SERVICES_2_3_16,
    SERVICES_2_3_19,
    SERVICES_2_4,
)
from fakedove.dovecot.status import Status
from fakedove.errors import UnknownReleaseError
from fakedove.wire.dialect import SERVER_LINE_LIMIT, Dialect

#: Search keys that 2.0 does not have.
_LATER_SEARCH_KEYS = frozenset(
    {"FUZZY", "X-REAL-UID", "OLDESTONLY", "MIMEPART", "SAVEDATESUPPORTED"}
)


def _rows() -> tuple[Release, ...]:
    rows = [
        Release(
            first="2.0.0",
            last="2.0.7",
            dialect=Dialect(
                minor=0,
                greets_first=True,
                strict_version=False,
                answers_auth=False,
                line_limit=1024,
                spins_on_long_line=True,
                splits_log_lines=False,
                nul_escape=False,
                lenient_base64=True,
            ),
            one_command=True,
            no_auth=True,
            quota_physical=True,
            control_name_text="Invalid mailbox name",
            fetch_opens_unseen=True,
            text_has_boundaries=True,
            lacks_search_keys=_LATER_SEARCH_KEYS,
            search_missing_text="Syncing mailbox {} failed",
            missing_text="Syncing mailbox {} failed",
            status_tells_missing=False,
            accident_hint=False,
        )
    ]

    def row(
        first: str, last: str, dialect: dict[str, bool | int] | None = None, **changes: object
    ) -> None:
        before = rows[-1]
        spoken = replace(before.dialect, **dialect) if dialect else before.dialect  # type: ignore[arg-type]
        rows.append(structs.replace(before, first=first, last=last, dialect=spoken, **changes))

    row("2.0.8", "2.0.13", one_command=False)
    # PLAIN is checked, but there is no reply line either way.
    row("2.0.14", "2.0.21", no_auth=False)
    lacks = _LATER_SEARCH_KEYS - {"FUZZY"}
    row("2.1.0", "2.1.1", {"answers_auth": True}, lacks_search_keys=lacks)
    row("2.1.2", "2.1.17", nouser=True)
    row(
        "2.2.0",
        "2.2.2",
        {"strict_version": True, "line_limit": SERVER_LINE_LIMIT, "spins_on_long_line": False},
        ssl=True,
        getopt=Getopt.SHORT_DIES,
        fetch_opens_unseen=False,
        text_has_boundaries=False,
        acl_names_namespace=True,
        keeps_inbox=False,
        lists_inbox_last=True,
        control_name_text="Control characters not allowed in new mailbox names",
    )
    row("2.2.3", "2.2.5", mail_failure=Failure.NUMBER, search_missing_text="", missing_text="")
    row("2.2.6", "2.2.6", log_address=True)
    row("2.2.7", "2.2.7", log_quotes_auth=True, creates_with_guid=True, accident_hint=True)
    row("2.2.8", "2.2.13", creates_and_subscribes=True)
    row("2.2.14", "2.2.14", lacks_search_keys=lacks - {"X-REAL-UID"})
    row(
        "2.2.15",
        "2.2.15",
        search_missing_text="Couldn't get mailbox '{}' GUID",
        missing_text="Mailbox {}: Mailbox sync failed",
        status_tells_missing=True,
    )
    row(
        "2.2.16",
        "2.2.21",
        lacks_search_keys=frozenset({"MIMEPART", "SAVEDATESUPPORTED"}),
        scope=Scope.ALL,
        other_failure=Failure.NAME_OR_DASH,
        split_names=True,
        quota_physical=False,
        move_over_quota=MoveOverQuota.ALLOWED,
        deduplicate_missing_text="Syncing mailbox '{}' failed",
        copy_logs_as_source=True,
        flags_clear_recent=False,
    )
    row(
        "2.2.22",
        "2.2.22",
        mail_failure=Failure.NAME_OR_DASH,
        double_status=True,
        old_commands_need_root=True,
        getopt=Getopt.LONG,
        user_file=True,
        expunge_option="[-m]",
        user_rule=UserRule.OPTION,
        logs_unknown_user=True,
        imports_as_root=True,
        status_field_option=True,
        deletes_recursively=False,
    )
    row("2.2.23", "2.2.24", user_rule=UserRule.OPTION_OVERRIDES)
    row("2.2.25", "2.2.25", deletes_recursively=True, deletes_with_care=True)
    row(
        "2.2.26",
        "2.2.27",
        {"nul_escape": True},
        user_rule=UserRule.FIELD,
        metadata_of_server=True,
        escapes_streamed_nul=True,
    )
    row("2.2.28", "2.2.28", lacks_search_keys=frozenset({"SAVEDATESUPPORTED"}))
    row(
        "2.2.29",
        "2.2.29.1",
        mail_failure=Failure.NAME,
        other_failure=Failure.NAME,
    )
    row("2.2.30", "2.2.32", status_firstsaved=True, user_json_commas=True)
    row(
        "2.2.33",
        "2.2.33.2",
        {"minor": 1, "log_packets": 3},
        log_channel=LogChannel.MULTIPLEXED,
        user_json_pieces=True,
    )
    row(
        "2.2.34",
        "2.2.36.4",
        {"greets_first": False},
        user_json_commas=False,
        fs_strips_slash=True,
    )
    row(
        "2.3.0",
        "2.3.3",
        sync_place_text="Failed to initialize user",
        old_commands_need_root=False,
        log_session=True,
        log_tls_closed=True,
        dict_dies_without_arguments=False,
        dict_opens_first=True,
        fs_put_tells_target=True,
        dict_tells_why=True,
        batch_crashes=True,
        cache_refuses_decisions=True,
        services=SERVICES_2_3,
        service_columns=12,
        old_stats_socket="old-stats",
        stats_dump_is_old=False,
    )
    row("2.3.4", "2.3.4.1", user_masks=True, log_names_extraneous=True, force_resync_fsck=True)
    row("2.3.5", "2.3.6", fs_metadata=True)
    row(
        "2.3.7",
        "2.3.7.2",
        snippet_length=200,
        debugs_auth=True,
        names_auth=True,
        file_descriptor=10,
    )
    row(
        "2.3.8",
        "2.3.8",
        {"log_packets": 1, "lenient_base64": False},
        row_packets=False,
        who_flushes=True,
        user_json_pieces=False,
        extra_statuses=frozenset({Status.NOREPLICATE}),
        services=SERVICES_2_3_8,
        service_columns=13,
    )
    row(
        "2.3.9",
        "2.3.9.3",
        {"minor": 2, "starttls": True},
        log_pid=True,
        snippet_quotes=True,
        fs_iter_options=True,
        names_peer=True,
        file_descriptor=8,
    )
    row(
        "2.3.10",
        "2.3.10.1",
        trans_flags=True,
        firstsaved_never=True,
        instance_dies=False,
        debugs_fs=True,
    )
    caching = Caching(adding_is_use=True)
    row("2.3.11", "2.3.12", lacks_search_keys=frozenset(), caching=caching)
    caching = structs.replace(caching, size_of_opened=False)
    row("2.3.13", "2.3.13", services=SERVICES_2_3_16, proxy_kick_host=True, caching=caching)
    row(
        "2.3.14",
        "2.3.14.1",
        metadata_prefix=True,
        metadata_opens_late=True,
        cache_remove_needs_query=True,
        fs_copy_hides_reason=True,
    )
    row("2.3.15", "2.3.16", dict_opens_first=False)
    caching = structs.replace(caching, loses_headers=True)
    row(
        "2.3.17",
        "2.3.18",
        {"splits_log_lines": True},
        caching=caching,
        double_status=False,
        fs_counts_in_32_bits=False,
        commands_read_options=False,
        log_prefix=True,
        copy_logs_as_source=False,
        auth_cache_flush_all=False,
        batch_crashes=False,
        old_commands=False,
        unknown_source=UnknownSource.CRASHES,
    )
    row(
        "2.3.19",
        "2.3.21.1",
        row_packets=True,
        services=SERVICES_2_3_19,
        deduplicate_missing_text=None,
        sync_escapes=NameEscapes.LISTED,
    )
    row(
        "2.4.0",
        "2.4.0",
        {"minor": 3, "extra_fields": True},
        alpn=Alpn.ALWAYS,
        ssl_no_refuses_starttls=False,
        extra_statuses=frozenset({Status.REFERRAL, Status.CHANGED, Status.EXPIRED}),
        streams_from_value_start=True,
        log_channel=LogChannel.OPTION,
        log_names_command=True,
        metadata_skips_empty_keys=True,
        log_repeats_prefix=True,
        user_rule=UserRule.FIELD_ALL_ITERATES,
        getopt=Getopt.LONG_LOGGED,
        all_users_win=True,
        trans_flags_crash=True,
        log_prefix_in_one_line=True,
        no_userdb_lookup=True,
        strict_numbers=True,
        option=True,
        deletes_empty_parents=True,
        percent_variables=False,
        braced_variables=True,
        save_places=True,
        kick_counts=True,
        who_destination=True,
        userdb_settings=True,
        status_option_keeps_positional=True,
        status_option_is_one_field=True,
        user_marks_log=False,
        user_tells_failure=True,
        anvil_greets=True,
        debugs_auth_input=True,
        debugs_mails=False,
        debugs_fs=False,
        tells_events_late=True,
        auth_lists_matches=True,
        json_colon_waits=True,
        drops_privileges=False,
        filter_names=True,
        fs_keeps_empty_folders=True,
        fs_spares_files=True,
        file_descriptor=9,
        sieve_back_quotes=False,
        sieve_put_crashes=True,
        services=SERVICES_2_4,
        event_filter=Grammar("/%", "end of file", "invalid token"),
        stats_hides_reasons=True,
        proxy_is_who=True,
        proxy_kick_host=False,
        log_errors_in_full=True,
        missing_mailbox_fails=False,
        search_dates_strict=True,
        expunge_option="[-d]",
        flags_split_at_spaces=True,
        transfer_is_strict=True,
        move_over_quota=MoveOverQuota.CRASHES,
        index_takes_masks=True,
        index_caches=False,
        force_resync_crashes=True,
        force_resync_respects_acl=False,
        storage_names_itself=True,
        rebuild_wants_query=True,
        attachment_names_decoded=True,
        sent_date_local=True,
        sent_date_clamped=True,
        fetch_fields_apart=True,
        empty_header_crashes=True,
        unknown_encoding_text="Unknown Content-Transfer-Encoding",
        uid_text="UID {}",
        failed_read_told_twice=False,
        imports_as_root=False,
        mail_location=False,
        sync_replica=False,
        sync_mistakes_folders=False,
        sync_escapes=NameEscapes.SENT,
        values_checked_late=True,
        makes_folders=False,
        path_of_cache=True,
        cache_checks_arguments=True,
        caching=structs.replace(caching, headers=True),
        acl_names_mailbox=True,
        acl_sharing_map=True,
        acl_log_prefix=b"acl: ",
        iteration_clears_log_pid=True,
    )
    # Measured on 2.4.1: a context that was made at the start of the process offers none.
    row("2.4.1", "2.4.1", alpn=Alpn.WITHOUT_SSL, move_needs_room=True)
    row("2.4.2", "2.4.2", status_deleted=True, several_user_masks=True, auth_requests=True)
    control_name = "New mailbox name contains forbidden character (U+{:04X})"
    row(
        "2.4.3",
        "2.4.3",
        control_name_text=control_name,
        delete_is_control=True,
        auth_cache_flush_all=True,
    )
    row("2.4.4", "2.4.4", search_checks_keywords=True)
    row(
        MAIN,
        MAIN,
        {"minor": 4, "stream_from_minor": 4},
        short_extra=ShortExtra.CLOSES,
        unknown_source=UnknownSource.KILLS,
        move_over_quota=MoveOverQuota.ALL_CRASH,
        subscriptions_in_list_order=True,
        detects_attachments=True,
    )
    return tuple(rows)


ROWS = _rows()
#: The newest row that has been released.
NEWEST = ROWS[-2]
_RANGE = f'{ROWS[0].first} to {NEWEST.last}, or "{MAIN}"'
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+){1,3}")


@cache
def find_release(number: str) -> Release:
    """Return the row of a release number such as "2.3.19.1", or of "main".

    Raises UnknownReleaseError, which names the range.
    """
    if number == MAIN or _NUMBER.fullmatch(number) is not None:
        wanted = release_key(number)
        for row in ROWS:
            if release_key(row.first) <= wanted <= release_key(row.last):
                return structs.replace(row, number=number)
    raise UnknownReleaseError(f'dovecot: unknown release "{number}"; known are {_RANGE}')


def find_protocol(version: str) -> Release:
    """Return the row of the newest release that speaks protocol "1.0" to "1.4".

    Raises UnknownReleaseError, which names the range.
    """
    for row in reversed(ROWS):
        if version == f"1.{row.dialect.minor}":
            return find_release(row.last)
    last = f"1.{ROWS[-1].dialect.minor}"
    text = f'protocol: unknown version "{version}"; known are "1.0" to "{last}"'
    raise UnknownReleaseError(text)


def choose_release(dovecot: str | None, protocol: str | None) -> Release:
    """Return the row for the settings `dovecot` and `protocol`, which must agree.

    Without both it is the newest released row.
    """
    if dovecot is None:
        return find_release(NEWEST.last) if protocol is None else find_protocol(protocol)
    release = find_release(dovecot)
    spoken = f"1.{release.dialect.minor}"
    if protocol is not None and protocol != spoken:
        find_protocol(protocol)
        text = f'protocol: Dovecot {dovecot} speaks "{spoken}", not "{protocol}"'
        raise UnknownReleaseError(text)
    return release
