from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakedove.dovecot.command_spans import MAIN
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import NEWEST, ROWS, choose_release, find_protocol, find_release
from fakedove.dovecot.rules import LogChannel
from fakedove.errors import ConfigurationError, UnknownReleaseError


def numbers(text: str) -> list[int]:
    return [99] if text == MAIN else [int(part) for part in text.split(".")]


def test_rows_follow_one_another_and_never_overlap() -> None:
    assert all(numbers(row.first) <= numbers(row.last) for row in ROWS)
    for before, after in itertools.pairwise(ROWS):
        assert numbers(before.last) < numbers(after.first), after.first


def test_every_row_changes_something() -> None:
    for before, after in itertools.pairwise(ROWS):
        assert replace(after, first=before.first, last=before.last) != before, after.first


def test_the_newest_release_is_not_the_development_branch() -> None:
    assert ROWS[-1].first == ROWS[-1].last == MAIN
    assert NEWEST is ROWS[-2]


@pytest.mark.parametrize(
    ("number", "first"),
    [
        ("2.0.0", "2.0.0"),
        ("2.2.33", "2.2.33"),
        ("2.2.33.2", "2.2.33"),
        ("2.2.36", "2.2.34"),
        ("2.3.7.2", "2.3.7"),
        ("2.3.16", "2.3.15"),
        ("2.3.19.1", "2.3.19"),
        ("2.4.1", "2.4.1"),
        (MAIN, MAIN),
    ],
)
def test_a_number_falls_into_its_row(number: str, first: str) -> None:
    found = find_release(number)
    assert found.first == first
    assert found.number == number


@pytest.mark.parametrize(
    "number",
    [
        "",
        "1.2.17",
        "2",
        "2.9.0",
        "2.4.99",
        "2.3.7.3",
        "Main",
        "2.4.1-4",
        "2.4.",
        "v2.4.1",
        " 2.4.1",
    ],
)
def test_unknown_releases(number: str) -> None:
    with pytest.raises(UnknownReleaseError, match=r'known are 2\.0\.0 to .*, or "main"') as caught:
        find_release(number)
    assert f'"{number}"' in str(caught.value)
    assert isinstance(caught.value, ConfigurationError)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.first))
def test_both_ends_of_a_row_are_in_it(row: Release) -> None:
    for end in (row.first, row.last):
        assert find_release(end) == replace(row, number=end)


@given(st.text(alphabet="0123456789.", max_size=8))
def test_any_number_is_in_one_row_or_unknown(number: str) -> None:
    try:
        found = find_release(number)
    except UnknownReleaseError:
        return
    assert numbers(found.first) <= numbers(number) + [0] * 4
    assert found in [replace(row, number=number) for row in ROWS]


# By release: the server's own minor.
@pytest.mark.parametrize(
    ("number", "minor"),
    [
        ("2.0.0", 0),
        ("2.2.32", 0),
        ("2.2.33", 1),
        ("2.3.8", 1),
        ("2.3.9", 2),
        ("2.3.21.1", 2),
        ("2.4.0", 3),
        ("2.4.4", 3),
        (MAIN, 4),
    ],
)
def test_protocol_minors(number: str, minor: int) -> None:
    assert find_release(number).dialect.minor == minor


# By release: "the most asked": (attribute, last release without, first with).
@pytest.mark.parametrize(
    ("attribute", "before", "first"),
    [
        ("strict_version", "2.1.17", "2.2.0"),
        ("answers_auth", "2.0.21", "2.1.0"),
        ("starttls", "2.3.8", "2.3.9"),
        ("nul_escape", "2.2.25", "2.2.26"),
        ("extra_fields", "2.3.21.1", "2.4.0"),
        ("stream_from_minor", "2.4.4", MAIN),
    ],
)
def test_when_a_dialect_learned_something(attribute: str, before: str, first: str) -> None:
    assert not getattr(find_release(before).dialect, attribute)
    assert getattr(find_release(first).dialect, attribute)


@pytest.mark.parametrize(
    ("attribute", "before", "first"),
    [
        ("ssl", "2.1.17", "2.2.0"),
        ("nouser", "2.1.1", "2.1.2"),
        ("log_address", "2.2.5", "2.2.6"),
        ("log_quotes_auth", "2.2.6", "2.2.7"),
        ("split_names", "2.2.15", "2.2.16"),
        ("double_status", "2.2.21", "2.2.22"),
        ("escapes_streamed_nul", "2.2.25", "2.2.26"),
        ("who_flushes", "2.3.7.2", "2.3.8"),
        ("debugs_auth", "2.3.6", "2.3.7"),
        ("debugs_fs", "2.3.9.3", "2.3.10"),
        ("trans_flags", "2.3.9.3", "2.3.10"),
        ("log_prefix", "2.3.16", "2.3.17"),
        ("option", "2.3.21.1", "2.4.0"),
        ("log_names_command", "2.3.21.1", "2.4.0"),
        ("auth_requests", "2.4.1", "2.4.2"),
    ],
)
def test_when_a_release_learned_something(attribute: str, before: str, first: str) -> None:
    assert not getattr(find_release(before), attribute)
    assert getattr(find_release(first), attribute)


# By release: what went away again.
@pytest.mark.parametrize(
    ("attribute", "last", "after"),
    [
        ("one_command", "2.0.7", "2.0.8"),
        ("no_auth", "2.0.13", "2.0.14"),
        ("double_status", "2.3.16", "2.3.17"),
        ("commands_read_options", "2.3.16", "2.3.17"),
        ("deduplicate_missing_text", "2.3.18", "2.3.19"),
        ("debugs_mails", "2.3.21.1", "2.4.0"),
        ("missing_mailbox_fails", "2.3.21.1", "2.4.0"),
        ("force_resync_respects_acl", "2.3.21.1", "2.4.0"),
    ],
)
def test_when_a_release_unlearned_something(attribute: str, last: str, after: str) -> None:
    assert getattr(find_release(last), attribute)
    assert not getattr(find_release(after), attribute)


@pytest.mark.parametrize(
    ("number", "line"),
    [("2.2.18", None), ("2.2.36", 770), ("2.2.36.4", 771), ("2.3.16", 810), ("2.4.1", 841)],
)
def test_a_line_of_the_source_that_a_text_names(number: str, line: int | None) -> None:
    assert find_release(number).fs_unlink_line == line


def test_greetings_ended_with_2_2_33() -> None:
    assert find_release("2.2.33.2").dialect.greets_first
    assert not find_release("2.2.34").dialect.greets_first


def test_row_packets_had_a_gap() -> None:
    seen = {number: find_release(number).row_packets for number in ("2.3.7.2", "2.3.8", "2.3.18")}
    assert seen == {"2.3.7.2": True, "2.3.8": False, "2.3.18": False}
    assert find_release("2.3.19").row_packets


# Measured: "who gets it".
def test_who_gets_log_lines() -> None:
    assert find_release("2.2.32").log_channel is LogChannel.NONE
    assert find_release("2.2.33").log_channel is LogChannel.MULTIPLEXED
    assert find_release("2.3.21.1").log_channel is LogChannel.MULTIPLEXED
    assert find_release("2.4.0").log_channel is LogChannel.OPTION


# By release: from a dash over numbers to names; two statuses for a failure.
# By release.
@pytest.mark.parametrize(
    ("command", "number", "known"),
    [
        ("quota get", "2.0.5", True),
        ("who", "2.2.15", False),
        ("who", "2.2.16", True),
        ("mailbox list", MAIN, True),
        ("nosuchcmd", "2.4.1", False),
        ("", "2.4.1", False),
        ("help", "2.3.19.1", False),
        ("Quota Get", "2.4.1", False),
    ],
)
def test_known_commands(command: str, number: str, known: bool) -> None:
    assert find_release(number).knows(command) is known


@pytest.mark.parametrize(
    ("version", "number"), [("1.0", "2.2.32"), ("1.1", "2.3.8"), ("1.2", "2.3.21.1"), ("1.4", MAIN)]
)
def test_a_protocol_is_spoken_last_by(version: str, number: str) -> None:
    assert find_protocol(version).number == number


def test_the_newest_release_speaks_1_3() -> None:
    assert find_protocol("1.3").number == NEWEST.last


@pytest.mark.parametrize("version", ["", "1", "1.5", "2.0", "1.03"])
def test_unknown_protocols(version: str) -> None:
    with pytest.raises(UnknownReleaseError, match=r'known are "1\.0" to "1\.4"'):
        find_protocol(version)


def test_release_and_protocol_must_agree() -> None:
    assert choose_release(None, None).number == NEWEST.last
    assert choose_release("2.3.19.1", None).number == "2.3.19.1"
    assert choose_release(None, "1.2").number == "2.3.21.1"
    assert choose_release("2.3.19.1", "1.2").number == "2.3.19.1"
    with pytest.raises(UnknownReleaseError, match=r'Dovecot 2\.3\.19\.1 speaks "1\.2", not "1\.3"'):
        choose_release("2.3.19.1", "1.3")
    with pytest.raises(UnknownReleaseError, match="unknown version"):
        choose_release("2.3.19.1", "7")


@pytest.mark.parametrize(
    ("release", "ssl", "offered"),
    [
        ("2.3.21.1", "yes", False),
        ("2.4.0", "yes", True),
        ("2.4.0", "starttls", True),
        # Measured on 2.4.1, with Python and with openssl s_client.
        ("2.4.1", "yes", False),
        ("2.4.1", "starttls", False),
        ("2.4.1", "no", True),
        ("main", "yes", False),
    ],
)
def test_alpn_is_offered_by_2_4_0_and_then_only_without_ssl(
    release: str, ssl: str, offered: bool
) -> None:
    assert find_release(release).alpn.offered(ssl) is offered
