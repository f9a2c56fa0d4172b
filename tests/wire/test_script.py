from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire.dialect import ScriptDialect
from fakedove.wire.script import (
    NOREPLY,
    REPLY,
    Header,
    HeaderError,
    Problem,
    build_header,
    header_length,
    parse_header,
    refuses_already,
)

_NOW = ScriptDialect()
_RAW = ScriptDialect(major=3, environment=False, escapes=False, lenient_alarm=True)
_VERSION = b"VERSION\tscript\t4\t0\n"


# Measured on 2.3.19.1 and 2.4.1: script-service.jsonl, the ids are in the second column.
@pytest.mark.parametrize(
    ("data", "recording", "header"),
    [
        (b"-\nhello\ntss\n\n", "args-hello-user", Header(arguments=(b"hello", b"tss"))),
        (b"noreply\na\n\n", "opt-noreply-args", Header(option=NOREPLY, arguments=(b"a",))),
        (b"\n", "opt-missing-entirely", Header(option=None)),
        (b"a b\nx\n\n", "opt-word", Header(option=b"a b", arguments=(b"x",))),
        (b"alarm=5\n-\n\n", "alarm-30-noreply", Header(alarm=5)),
        (
            b"env_FOO=1\nalarm=5\n-\nx\n\n",
            "alarm-after-env",
            Header(environment=((b"FOO", b"1"),), option=b"alarm=5", arguments=(b"-", b"x")),
        ),
        (b"-\nenv_FOO=1\n\n", "env-after-opt-is-arg", Header(arguments=(b"env_FOO=1",))),
        (b"env_FOO=a\x01tb\n-\n\n", "env-escaped-tab", Header()),
        (b"env_=x\n-\n\n", "env-empty-name", Header(environment=((b"", b"x"),))),
        (b"-\n\x010\nz\n\n", "args-empty-via-escape", Header(arguments=(b"", b"z"))),
    ],
)
def test_header(data: bytes, recording: str, header: Header) -> None:
    assert parse_header(_VERSION + data, _NOW) == header


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"VERSION\tscript\t3\t0\n-\n\n", Problem.INCOMPATIBLE),
        (b"VERSION\tscript\t4\t-1\n-\n\n", Problem.INCOMPATIBLE),
        (b"VERSION\tscript\t4\t0\tmore\n-\n\n", Problem.INCOMPATIBLE),
        (b"\n\n", Problem.INCOMPATIBLE),
        (_VERSION + b"alarm=x\n-\n\n", Problem.INVALID_ALARM),
        (_VERSION + b"alarm=4294967296\n-\n\n", Problem.INVALID_ALARM),
        (_VERSION + b"env_FOO\n-\n\n", Problem.INVALID_ENVIRONMENT),
        (_VERSION + b"\0-\nx\n\n", Problem.EMPTY_OPTION),
        (_VERSION + b"alarm=5\n\n", Problem.CRASH),
        (_VERSION + b"env_FOO=1\n\n", Problem.CRASH),
    ],
)
def test_refused(data: bytes, problem: Problem) -> None:
    with pytest.raises(HeaderError) as caught:
        parse_header(data, _NOW)
    assert caught.value.problem is problem


def test_older_releases() -> None:
    # script-http-by-release.jsonl, 2.1.16: v3-escape; a bad alarm is what atoi makes of it.
    header = parse_header(b"VERSION\tscript\t3\t0\nalarm=7x\n-\na\x01tb\n\n", _RAW)
    assert header == Header(alarm=7, arguments=(b"a\x01tb",))
    oneway = ScriptDialect(major=1, oneway=True)
    header = parse_header(b"VERSION\tscript\t1\t0\n-\nx\n\n", oneway)
    assert header == Header(option=None, arguments=(b"-", b"x"))


def test_a_variable_with_an_escape_arrives_since_2_4_3() -> None:
    later = ScriptDialect(escaped_environment=True)
    header = parse_header(_VERSION + b"env_FOO=a\x01tb\n-\n\n", later)
    assert header.accepted([b"FOO"]) == {b"FOO": b"a\tb"}


def test_accepted_variables() -> None:
    header = parse_header(_VERSION + b"env_FOO=1\nenv_BAZ=2\nenv_FOO=3\n-\n\n", _NOW)
    assert header.accepted([b"FOO", b"BAR"]) == {b"FOO": b"3"}


def test_what_follows_the_header_is_not_part_of_it() -> None:
    data = _VERSION + b"-\na\n\n"
    assert header_length(data + b"stdin\n\n") == len(data)
    assert header_length(data[:-1]) is None


def test_a_wrong_version_is_noticed_at_the_end_of_its_line() -> None:
    assert refuses_already(b"VERSION\tscript\t5\t0\n-", _NOW)
    assert not refuses_already(b"VERSION\tscript\t5", _NOW)
    assert not refuses_already(_VERSION, _NOW)


_texts = st.binary(min_size=1, max_size=12).filter(lambda text: b"\0" not in text)
_names = st.from_regex(rb"[A-Z_]{1,8}", fullmatch=True)
_values = _texts.filter(lambda text: b"\x01" not in build_header(Header(arguments=(text,)), _NOW))


@given(
    alarm=st.integers(0, 2**32 - 1),
    environment=st.lists(st.tuples(_names, _values), max_size=3),
    option=st.sampled_from([REPLY, NOREPLY]),
    arguments=st.lists(_texts, max_size=4),
)
def test_round_trip(
    alarm: int, environment: list[tuple[bytes, bytes]], option: bytes, arguments: list[bytes]
) -> None:
    header = Header(0, alarm, tuple(environment), option, tuple(arguments))
    data = build_header(header, _NOW)
    assert header_length(data) == len(data)
    assert parse_header(data, _NOW) == header


@given(st.binary(max_size=60), st.sampled_from([_NOW, _RAW]))
def test_garbage_raises_header_errors_only(data: bytes, dialect: ScriptDialect) -> None:
    for one in (data, b"VERSION\tscript\t%d\t0\n" % dialect.major + data):
        with contextlib.suppress(HeaderError):
            parse_header(one, dialect)
