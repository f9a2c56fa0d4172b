from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.output import BLOCK, Formatter
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import ROWS, find_release
from fakedove.dovecot.reply import Row, Streamed
from fakedove.dovecot.status import Status
from fakedove.wire import tabescape

NEW = find_release("2.3.19.1")
GATHERS = find_release("2.3.8")
STORAGE: Row = (b"User quota", b"STORAGE", b"26", b"1048576", b"0")
MESSAGE: Row = (b"User quota", b"MESSAGE", b"8", b"-", b"0")


def reply(
    formatter: Formatter,
    columns: int,
    rows: list[Row],
    status: Status = Status.OK,
    *,
    mail: bool = True,
    flushes: bool = False,
) -> list[bytes]:
    """Return the writes of one command."""
    writes: list[bytes] = []
    formatter.register(columns)
    for row in rows:
        formatter.row(row, writes)
    formatter.end(status, writes, mail=mail, flushes=flushes)
    return writes


# Measured: "first command: exactly one packet per row; then one".
def test_the_first_command_writes_row_by_row() -> None:
    assert reply(Formatter(NEW), 5, [STORAGE, MESSAGE]) == [
        b"User quota\tSTORAGE\t26\t1048576\t0\t",
        b"User quota\tMESSAGE\t8\t-\t0\t",
        b"\n+\n",
    ]


def test_a_reply_without_rows_is_its_status() -> None:
    assert reply(Formatter(NEW), 5, []) == [b"\n+\n"]
    assert reply(Formatter(NEW), 5, [], Status.NOUSER) == [b"\n-NOUSER\n"]


# Measured: `mailbox list` (1) then `quota get` (5): packets of 6 fields.
def test_the_second_command_writes_as_many_fields_as_both_have_columns() -> None:
    formatter = Formatter(NEW)
    reply(formatter, 1, [(b"INBOX",), (b"Sent",)])
    assert reply(formatter, 5, [STORAGE, MESSAGE]) == [
        b"User quota\tSTORAGE\t26\t1048576\t0\tUser quota\t",
        b"MESSAGE\t8\t-\t0\t",
        b"\n+\n",
    ]


# The columns of failed commands count too, and those of commands that never ran do not.
@pytest.mark.parametrize(
    ("columns", "status", "writes"),
    [
        pytest.param(
            2,
            Status.NOTFOUND,
            [
                b"User quota\tSTORAGE\t26\t1048576\t0\tUser quota\tMESSAGE\t",
                b"8\t-\t0\t",
                b"\n+\n",
            ],
            id="seq.fail-then-quota",
        ),
        pytest.param(
            5,
            Status.NOUSER,
            [
                b"User quota\tSTORAGE\t26\t1048576\t0\tUser quota\tMESSAGE\t8\t-\t0\t",
                b"\n+\n",
            ],
            id="seq.nouser-then-quota",
        ),
        pytest.param(
            0,
            Status.OK,
            [
                b"User quota\tSTORAGE\t26\t1048576\t0\t",
                b"User quota\tMESSAGE\t8\t-\t0\t",
                b"\n+\n",
            ],
            id="seq.create-then-quota",
        ),
    ],
)
def test_quota_get_after_another_command(columns: int, status: Status, writes: list[bytes]) -> None:
    formatter = Formatter(NEW)
    reply(formatter, columns, [], status)
    assert reply(formatter, 5, [STORAGE, MESSAGE]) == writes


# Measured: what is left over comes after the status line.
def test_other_commands_leave_fields_behind_their_status() -> None:
    formatter = Formatter(NEW)
    reply(formatter, 1, [(b"INBOX",)])
    rows: list[Row] = [(b"auth", b"1"), (b"lmtp", b"2")]
    assert reply(formatter, 2, rows, mail=False) == [b"auth\t1\tlmtp\t", b"\n+\n", b"2\t"]


# By release: since 2.3.8 who and kick write everything first.
def test_who_writes_all_before_its_status() -> None:
    formatter = Formatter(NEW)
    reply(formatter, 1, [(b"INBOX",)])
    rows: list[Row] = [(b"tss", b"1"), (b"bob", b"2")]
    assert reply(formatter, 2, rows, mail=False, flushes=True) == [
        b"tss\t1\tbob\t",
        b"2\t",
        b"\n+\n",
    ]


def test_the_position_is_never_reset() -> None:
    formatter = Formatter(NEW)
    reply(formatter, 3, [(b"a",)])
    assert reply(formatter, 0, [(b"b", b"c", b"d")]) == [b"b\tc\t", b"d\t", b"\n+\n"]


# By release: 2.3.8 to 2.3.18 gather rows up to 8 KiB.
def test_rows_are_gathered() -> None:
    assert reply(Formatter(GATHERS), 5, [STORAGE, MESSAGE]) == [
        b"User quota\tSTORAGE\t26\t1048576\t0\tUser quota\tMESSAGE\t8\t-\t0\t",
        b"\n+\n",
    ]
    writes = reply(Formatter(GATHERS), 1, [(b"x" * 3000,)] * 4)
    assert [len(write) for write in writes] == [9003, 3001, 3]


# By release: failures of 2.2.22 to 2.3.16 have a second status.
def test_two_statuses() -> None:
    assert reply(Formatter(GATHERS), 1, [(b"a",)], Status.NOTFOUND) == [
        b"a\t",
        b"\n-NOTFOUND\n",
        b"\n-\n",
    ]


def test_values_are_escaped() -> None:
    assert reply(Formatter(NEW), 2, [(b"a\tb\n", b"")])[0] == b"a\x01tb\x01n\t\t"
    formatter = Formatter(NEW)
    reply(formatter, 1, [])
    assert reply(formatter, 1, [(b"a\tb\n",)])[0] == b"a\x01tb\x01n\t"


# Measured: `user` writes JSON and status in one packet.
def test_text_goes_out_with_the_status() -> None:
    writes: list[bytes] = []
    formatter = Formatter(NEW)
    formatter.text(b'{"tss":', writes)
    formatter.text(b"{}}", writes)
    formatter.end(Status.OK, writes, mail=False, flushes=False)
    assert writes == [b'{"tss":{}}\n+\n']


# By release: 2.2.33 to 2.3.7 write each piece apart.
def test_text_in_pieces() -> None:
    writes: list[bytes] = []
    formatter = Formatter(find_release("2.2.36"))
    formatter.text(b"{", writes)
    formatter.text(b"}", writes)
    formatter.end(Status.OK, writes, mail=False, flushes=False)
    assert writes == [b"{", b"}", b"\n+\n"]


# Measured: streamed values are cut whenever 8192 escaped bytes are pending.
def test_streamed_values_are_cut() -> None:
    writes = reply(Formatter(find_release("2.4.1")), 2, [(b"1", Streamed(b"x" * 20000))])
    assert [len(write) for write in writes] == [2 + BLOCK, BLOCK, 20000 - 2 * BLOCK + 1, 3]
    assert b"".join(writes) == b"1\t" + b"x" * 20000 + b"\t\n+\n"


def test_plain_values_are_never_cut() -> None:
    assert [len(write) for write in reply(Formatter(NEW), 1, [(b"x" * 100_000,)])] == [100_001, 3]


# By release: NULs in streamed values end them before 2.2.26.
@pytest.mark.parametrize(("number", "written"), [("2.2.25", b"a\t"), ("2.2.26", b"a\x010b\t")])
def test_nuls_in_streamed_values(number: str, written: bytes) -> None:
    assert reply(Formatter(find_release(number)), 1, [(Streamed(b"a\0b"),)])[0] == written


values = st.binary(max_size=6) | st.binary(max_size=6).map(Streamed)
commands = st.lists(st.lists(values, min_size=1, max_size=4), min_size=1, max_size=5)


def plain(value: bytes | Streamed) -> bytes:
    return value.data if isinstance(value, Streamed) else value


@given(st.sampled_from([row for row in ROWS if row.escapes_streamed_nul]), commands)
def test_whatever_the_cuts_the_reply_is_its_fields_and_status(
    release: Release, commands: list[list[bytes | Streamed]]
) -> None:
    formatter = Formatter(release)
    for row in commands:
        fields = tabescape.join(tuple(map(plain, row)))
        writes = reply(formatter, len(row), [tuple(row), tuple(row)])
        assert b"".join(writes) == fields * 2 + b"\n+\n"
        assert all(writes)


@given(commands)
def test_writes_end_at_multiples_of_all_columns(commands: list[list[bytes | Streamed]]) -> None:
    formatter = Formatter(NEW)
    position = 0
    totals = accumulate(len(row) for row in commands)
    for row, columns in zip(commands, totals, strict=True):
        *rows, status = reply(formatter, len(row), [tuple(row)] * 3)
        assert status == b"\n+\n"
        for write in rows[:-1]:
            position += write.count(b"\t")
            assert position % columns == 0
            position = 0
        position = (position + rows[-1].count(b"\t")) % columns
