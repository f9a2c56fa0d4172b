from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS, find_release
from fakedove.dovecot.reply import Fatal, Log, Scope
from fakedove.plan import Close
from fakedove.sessions.command_line import ClientFault, CommandLine, parse_command_line
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import ListenerSettings
from tests.sessions.talk import UNIX, Talk

V23 = find_release("2.3.19.1")
V24 = find_release("2.4.1")
MAIN = find_release("main")


def parsed(line: bytes, release: Release = V24, allowed: set[bytes] | None = None) -> CommandLine:
    return parse_command_line(line, release, None if allowed is None else frozenset(allowed))


def fault(line: bytes, release: Release = V24, allowed: set[bytes] | None = None) -> bytes:
    with pytest.raises(ClientFault) as caught:
        parsed(line, release, allowed)
    return caught.value.text


# Measured: FLAGS, USERNAME, COMMAND, arguments.
@pytest.mark.parametrize(
    ("line", "verbose", "username", "fields"),
    [
        (b"\ttss\tquota get", False, b"tss", (b"quota get",)),
        (b"v\ttss\tquota get\t", True, b"tss", (b"quota get", b"")),
        (b"D\t\twho", True, b"", (b"who",)),
        (b"vDDv\ttss\tmailbox\tlist\t-s", True, b"tss", (b"mailbox", b"list", b"-s")),
        (b"\t\t", False, b"", (b"",)),
    ],
)
def test_parts(line: bytes, verbose: bool, username: bytes, fields: tuple[bytes, ...]) -> None:
    assert parsed(line) == CommandLine(verbose, username, fields, debug=b"D" in line)


def test_fields_are_unescaped() -> None:
    assert parsed(b"\ta\x01tb\tx\x01ny\t\x011").username == b"a\tb"
    assert parsed(b"\ta\x01tb\tx\x01ny\t\x011").fields == (b"x\ny", b"\x01")


# Measured: an escaped NUL truncates the field; 2.2.26 learned the escape.
def test_an_escaped_nul_ends_its_field() -> None:
    assert parsed(b"\ttss\x010x\twho\ta").username == b"tss"
    assert parsed(b"\ttss\x010x\twho\ta").fields == (b"who", b"a")
    assert parsed(b"\ttss\x010x\twho", find_release("2.2.25")).username == b"tss0x"


@pytest.mark.parametrize("line", [b"", b"\t", b"\ttss", b"PLAIN\tAGRv", b"STARTTLS", b"v"])
def test_fewer_than_three_fields(line: bytes) -> None:
    assert fault(line) == b"doveadm client: No command given"


@pytest.mark.parametrize(
    ("line", "flag", "release"),
    [
        (b"z\ttss\twho", b"z", V24),
        (b"vDz\ttss\twho", b"z", V24),
        (b"V\ttss\twho", b"V", V24),
        (b"x\t\ttss\twho", b"x", V23),
        (b"\xff\ttss\twho", b"\xff", V24),
    ],
)
def test_unknown_flags(line: bytes, flag: bytes, release: Release) -> None:
    assert fault(line, release) == b"doveadm client: Unknown flag: " + flag


# Measured: compares field 3 literally; comes before "unknown command".
@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (b"\ttss\tmailbox list", None),
        (b"\ttss\tquota get\t-u\tbob", None),
        (b"\ttss\tmailbox\tlist", b"mailbox"),
        (b"\ttss\tnosuchcmd", b"nosuchcmd"),
        (b"\t\tOPTION\tlog-passthrough", None),
    ],
)
def test_allowed_commands(line: bytes, refused: bytes | None) -> None:
    allowed = {b"mailbox list", b"quota get"}
    if refused is None:
        assert parsed(line, V24, allowed).username in (b"tss", b"")
    else:
        text = b"doveadm client isn't allowed to use command: "
        assert fault(line, V24, allowed) == text + refused


def test_option_is_a_command_like_others_where_it_is_not_known() -> None:
    assert fault(b"\t\tOPTION\tlog-passthrough", V23, {b"who"}).endswith(b"command: OPTION")


def test_option() -> None:
    assert parsed(b"\t\tOPTION\tlog-passthrough").is_option
    assert not parsed(b"\ttss\tquota get\tOPTION").is_option


# Measured: `x`: one more field, itself an escaped list.
@pytest.mark.parametrize(
    "line",
    [
        b"x\tproxy-ttl=5\ttss\tquota get",
        b"vx\tproxy-ttl=5\x01tforward=a=b\ttss\tquota get",
        b"x\t\ttss\tquota get",
    ],
)
def test_extra_fields(line: bytes) -> None:
    found = parsed(line)
    assert (found.username, found.fields, found.log) == (b"tss", (b"quota get",), ())


@pytest.mark.parametrize("value", [b"abc", b"", b"-1", b"5x", b"0", b"00", b"2147483648"])
def test_a_bad_ttl_is_logged_and_the_command_runs(value: bytes) -> None:
    found = parsed(b"x\tproxy-ttl=" + value + b"\ttss\tmailbox list")
    assert found.fields == (b"mailbox list",)
    assert found.log == (Log(b"Invalid proxy-ttl value: " + value, scope=Scope.LOOKUP),)


# Measured: 2.4.1 is killed by signal 11, main closes the connection.
def test_an_extra_field_with_nothing_behind_it() -> None:
    with pytest.raises(Fatal) as caught:
        parsed(b"x\tproxy-ttl=5\ttss", V24)
    assert caught.value.crash
    assert fault(b"x\tproxy-ttl=5\ttss", MAIN) == b"doveadm client: No command given"


# Measured on 2.4.1, as the first line of a pre-authenticated connection: with as many extra
# fields as there are fields at all it reads memory that it has not written.
@pytest.mark.parametrize(
    ("line", "survives"),
    [
        (b"xx\t\tb", True),
        (b"xx\ta\tb", True),
        (b"xvx\ta\tb", True),
        (b"xx\ta\tbbb", False),
        (b"xDxv\ta\tb", False),
        (b"xx\taaaaaaa\tbbbbb", True),
        (b"xx\ta\t" + b"b" * 26, False),
        (b"xxx\ta\tb\tc", True),
        (b"xxx\t\t\t", False),
        (b"xxxx\t\t\t\t", False),
        (b"xx\ta\tb\tc", False),
        (b"xxx\ta\tb", False),
        (b"x\ta\tb", False),
    ],
)
def test_all_fields_are_extra_ones(line: bytes, survives: bool) -> None:
    if survives:
        assert parse_command_line(line, V24, None, first=True).fields == (b"",)
    else:
        with pytest.raises(Fatal):
            parse_command_line(line, V24, None, first=True)


# Measured on 2.4.1: over TCP, and after an unknown command, one of the two places is no pointer.
def test_all_fields_of_a_later_line_are_extra_ones() -> None:
    with pytest.raises(Fatal):
        parsed(b"xx\ta\tb")
    assert parsed(b"xxx\ta\tb\tc").fields == (b"",)
    assert fault(b"xxx\ta\tb\tc", allowed={b"who"}).endswith(b"isn't allowed to use command: ")


@given(
    st.binary(max_size=30).filter(lambda line: b"\n" not in line),
    st.sampled_from(ROWS),
    st.none() | st.just(frozenset([b"who"])),
)
def test_any_line_is_parsed_or_refused(
    line: bytes, release: Release, allowed: frozenset[bytes] | None
) -> None:
    try:
        found = parse_command_line(b"\t" + line, release, allowed)
    except ClientFault:
        return
    assert found.fields
    assert allowed is None or found.fields[0] == b"who" or (release.option and found.is_option)


def test_a_line_known_from_another_listener_is_still_not_allowed() -> None:
    free = Talk("2.4.1")
    free.hello(0)
    assert free.say(b"\ttss\tmailbox list\n") == b"INBOX\t\n+\n"
    settings = ListenerSettings("restricted", allowed_commands=frozenset({b"quota get"}))
    session = DoveadmSession(free.world, settings)
    session.open(UNIX)
    session.receive(b"VERSION\tdoveadm-server\t1\t0\n")
    assert session.receive(b"\ttss\tmailbox list\n") == (Close(),)
