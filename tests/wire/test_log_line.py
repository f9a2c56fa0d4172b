from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.wire.log_line import LogLine, parse_log_line


# Measured: what a program wrote to stderr, and what 2.3.19.1 logged.
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"plain", LogLine(b"plain")),
        (b"", LogLine(b"")),
        (b"\x01\x02hello plain", LogLine(b"hello plain", 2)),
        (b"\x01\x011 debug one", LogLine(b"debug one", 1)),
        (b"\x01\x03123 warn", LogLine(b"warn", 3)),
        (b"\x01\x06123 panic", LogLine(b"panic", 6)),
        (b"\x01\x02123nospace", LogLine(b"123nospace", 2)),
        (b"\x01\x02 12 y", LogLine(b" 12 y", 2)),
        (b"\x01\x02-5 y", LogLine(b"-5 y", 2)),
        (b"\x01\x0212", LogLine(b"12", 2)),
        (b"\x01\x02", LogLine(b"", 2)),
        (b"\x01\x82123 flag", LogLine(b"flag", 2, b"")),
        (b"\x01\x42123 3 pfxtext", LogLine(b"text", 2, b"pfx")),
        (b"\x01\x424 pre:rest", LogLine(b"pre:rest", 2)),
        (b"\x01", LogLine(b"\x01", broken=-1)),
        (b"\x01x", LogLine(b"\x01x", broken=55)),
        (b"\x01\x00z", LogLine(b"\x01", broken=-1)),
        (b"a\x01\x021 mid", LogLine(b"a\x01\x021 mid")),
        (b"\x00\x01\x03F evil fatal?", LogLine(b"")),
    ],
)
def test_lines(line: bytes, said: LogLine) -> None:
    assert parse_log_line(line) == said


@given(st.binary(max_size=20).map(lambda line: b"\x01" + line))
def test_every_line_is_a_line(line: bytes) -> None:
    said = parse_log_line(line)
    assert 1 <= said.level <= 6
    assert said.text in line
