from __future__ import annotations

import itertools

import pytest

from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS, find_release
from fakedove.dovecot.reply import Level, Log, Scope
from fakedove.sessions.log_prefix import LogPrefix

SESSION = b"AbCdEfGhIjKlMnOp"


def line(
    release: str,
    scope: Scope,
    *,
    address: str | None = None,
    level: Level = Level.ERROR,
    told: bool = False,
) -> bytes:
    """Return prefix and text `...` of a line about `quota get` of tss."""
    prefixes = LogPrefix(find_release(release), address, SESSION)
    prefix, text = prefixes.of(Log(b"...", level, scope), b"quota get", b"tss", told=told)
    return prefix + text


# Measured: "Prefixes"; 2.4 adds `cmd NAME: `, and the word again for protocol errors.
@pytest.mark.parametrize(
    ("scope", "prefix", "added"),
    [
        (Scope.CONNECTION, b"doveadm: ", b"tcp: "),
        (Scope.PROTOCOL, b"doveadm: ", b"doveadm: "),
        (Scope.COMMAND, b"doveadm: ", b"cmd quota get: "),
        (Scope.LOOKUP, b"doveadm(tss): ", b"cmd quota get: "),
        (Scope.MAIL, b"doveadm(tss)<4242><AbCdEfGhIjKlMnOp>: ", b"cmd quota get: "),
        (Scope.PROCESS, b"doveadm(4242): ", b"cmd quota get: "),
        (Scope.MASTER, b"master: ", b""),
        (Scope.STDERR, b"doveadm: ", b""),
    ],
)
def test_prefixes_of_2_3_and_what_2_4_adds(scope: Scope, prefix: bytes, added: bytes) -> None:
    assert line("2.3.19.1", scope) == prefix + b"..."
    assert line("2.4.1", scope) == prefix + added + b"..."


# Recording x.search.bad of 2.4.1: `doveadm(PID): Fatal: Unknown argument NOSUCHKEY`.
def test_the_last_words_of_a_process_name_no_command() -> None:
    assert line("2.4.1", Scope.PROCESS, level=Level.FATAL) == b"doveadm(4242): ..."


# By release: `doveadm(IP): ` since 2.2.6.
@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("2.2.5", b"doveadm: ..."),
        ("2.2.6", b"doveadm(127.0.0.1): ..."),
        ("2.3.19.1", b"doveadm(127.0.0.1): ..."),
        ("2.4.1", b"doveadm(127.0.0.1): tcp: ..."),
    ],
)
def test_connections_over_tcp(release: str, expected: bytes) -> None:
    assert line(release, Scope.CONNECTION, address="127.0.0.1") == expected


# Recording of 2.4.1 over TCP: `doveadm(127.0.0.1,nosuch): cmd quota get: User doesn't exist`.
@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("2.3.16", b"doveadm(tss): ..."),
        ("2.3.17", b"doveadm(127.0.0.1,tss): ..."),
        ("2.4.1", b"doveadm(127.0.0.1,tss): cmd quota get: ..."),
    ],
)
def test_lookups_over_tcp(release: str, expected: bytes) -> None:
    assert line(release, Scope.LOOKUP, address="127.0.0.1") == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("2.2.36", b"doveadm(tss): ..."),
        ("2.3.0", b"doveadm(tss)<4242><AbCdEfGhIjKlMnOp>: ..."),
    ],
)
def test_when_sessions_got_into_the_log(release: str, expected: bytes) -> None:
    assert line(release, Scope.MAIL) == expected


def test_an_empty_user_name() -> None:
    prefixes = LogPrefix(find_release("2.3.19.1"), None, SESSION)
    entry = Log(b"x", scope=Scope.LOOKUP)
    assert prefixes.of(entry, b"who", b"", told=True) == (b"doveadm(): ", b"x")


# Commands that iterate log about the user they are at, not about the username field.
def test_another_user_than_the_command_names() -> None:
    prefixes = LogPrefix(find_release("2.3.19.1"), None, SESSION)
    entry = Log(b"x", scope=Scope.LOOKUP, user=b"bob")
    assert prefixes.of(entry, b"who", b"tss", told=True) == (b"doveadm(bob): ", b"x")


# By release: before 2.3.17 a client with a log channel costs the log its prefix.
@pytest.mark.parametrize(
    ("release", "scope", "expected"),
    [
        ("2.3.16", Scope.LOOKUP, b"doveadm: ..."),
        ("2.3.16", Scope.MAIL, b"doveadm: ..."),
        ("2.3.16", Scope.MASTER, b"master: ..."),
        ("2.3.17", Scope.LOOKUP, b"doveadm(tss): ..."),
        ("2.4.1", Scope.LOOKUP, b"doveadm(tss): cmd quota get: ..."),
    ],
)
def test_lines_that_a_client_gets_too(release: str, scope: Scope, expected: bytes) -> None:
    assert line(release, scope, told=True) == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.first))
def test_every_line_has_a_prefix_and_ends_in_its_text(row: Release) -> None:
    for address, told, scope in itertools.product((None, "::1"), (True, False), Scope):
        prefixes = LogPrefix(row, address, SESSION)
        prefix, text = prefixes.of(Log(b"text", scope=scope), b"who", b"tss", told=told)
        assert prefix.endswith(b": ")
        assert text.endswith(b"text")
