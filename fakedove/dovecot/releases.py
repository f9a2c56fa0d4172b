"""Every Dovecot release as data: one row for each change that a client can see.

A row says only what changed since the row before it; `find_release` returns the row that a
release number falls into. Facts: the sources of 118 tagged releases, eleven of them run and
recorded.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from fakedove.dovecot.command_spans import MAIN, release_key
from fakedove.dovecot.release import (
    Alpn,
    Failure,
    Getopt,
    LogChannel,
    Release,
    Scope,
    ShortExtra,
    UserRule,
)
from fakedove.dovecot.event_filter import Grammar
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
        )
    ]

    def row(
        first: str, last: str, dialect: dict[str, bool | int] | None = None, **changes: object
    ) -> None:
        before = rows[-1]
        spoken = replace(before.dialect, **dialect) if dialect else before.dialect  # type: ignore[arg-type]
        rows.append(replace(before, first=first, last=last, dialect=spoken, **changes))  # type: ignore[arg-type]

    row("2.0.8", "2.0.13", one_command=False)
    # PLAIN is checked, but there is no reply line either way.
    row("2.0.14", "2.0.21", no_auth=False)
    row("2.1.0", "2.1.1", {"answers_auth": True})
    row("2.1.2", "2.1.17", nouser=True)
    row(
        "2.2.0",
        "2.2.2",
        {"strict_version": True, "line_limit": SERVER_LINE_LIMIT, "spins_on_long_line": False},
        ssl=True,
        getopt=Getopt.SHORT_DIES,
        control_name_text="Control characters not allowed in new mailbox names",
    )
    row("2.2.3", "2.2.5", mail_failure=Failure.NUMBER)
    row("2.2.6", "2.2.6", log_address=True)
    row("2.2.7", "2.2.15", log_quotes_auth=True)
    row(
        "2.2.16",
        "2.2.21",
        scope=Scope.ALL,
        other_failure=Failure.NAME_OR_DASH,
        split_names=True,
        quota_physical=False,
    )
    row(
        "2.2.22",
        "2.2.22",
        mail_failure=Failure.NAME_OR_DASH,
        double_status=True,
        getopt=Getopt.LONG,
        user_file=True,
        user_rule=UserRule.OPTION,
        logs_unknown_user=True,
    )
    row("2.2.23", "2.2.25", user_rule=UserRule.OPTION_OVERRIDES)
    row(
        "2.2.26",
        "2.2.28",
        {"nul_escape": True},
        user_rule=UserRule.FIELD,
        escapes_streamed_nul=True,
    )
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
    row("2.2.34", "2.2.36.4", {"greets_first": False}, user_json_commas=False)
    row(
        "2.3.0",
        "2.3.3",
        log_session=True,
        log_tls_closed=True,
        services=SERVICES_2_3,
        service_columns=12,
        old_stats_socket="old-stats",
        stats_dump_is_old=False,
    )
    row("2.3.4", "2.3.7.2", user_masks=True, log_names_extraneous=True)
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
    row("2.3.9", "2.3.9.3", {"minor": 2, "starttls": True}, log_pid=True)
    row("2.3.10", "2.3.12", trans_flags=True, firstsaved_never=True, instance_dies=False)
    row("2.3.13", "2.3.16", services=SERVICES_2_3_16, proxy_kick_host=True)
    row(
        "2.3.17",
        "2.3.18",
        {"splits_log_lines": True},
        double_status=False,
        log_prefix=True,
        auth_cache_flush_all=False,
    )
    row("2.3.19", "2.3.21.1", row_packets=True, services=SERVICES_2_3_19)
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
        user_rule=UserRule.FIELD_ALL_ITERATES,
        getopt=Getopt.LONG_LOGGED,
        no_userdb_lookup=True,
        strict_numbers=True,
        option=True,
        deletes_empty_parents=True,
        percent_variables=False,
        save_places=True,
        kick_counts=True,
        who_destination=True,
        userdb_settings=True,
        status_option_keeps_positional=True,
        user_marks_log=False,
        drops_privileges=False,
        services=SERVICES_2_4,
        event_filter=Grammar("/%", "end of file", "invalid token"),
        stats_hides_reasons=True,
        proxy_is_who=True,
        log_errors_in_full=True,
        missing_mailbox_fails=False,
    )
    # Measured on 2.4.1: a context that was made at the start of the process offers none.
    row("2.4.1", "2.4.1", alpn=Alpn.WITHOUT_SSL)
    row("2.4.2", "2.4.2", status_deleted=True, several_user_masks=True)
    control_name = "New mailbox name contains forbidden character (U+{:04X})"
    row(
        "2.4.3",
        "2.4.4",
        control_name_text=control_name,
        delete_is_control=True,
        auth_cache_flush_all=True,
    )
    row(
        MAIN,
        MAIN,
        {"minor": 4, "stream_from_minor": 4},
        short_extra=ShortExtra.CLOSES,
        subscriptions_in_list_order=True,
        new_mail_keywords=("$HasNoAttachment",),
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
                return replace(row, number=number)
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
