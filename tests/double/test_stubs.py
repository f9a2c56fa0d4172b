from __future__ import annotations

import pytest

from fakedove.double.answers import Cell
from fakedove.double.exchange import Exchange
from fakedove.double.patterns import Texts, exactly, like
from fakedove.double.selection import Arguments
from fakedove.double.stubs import Stub, Stubs
from fakedove.dovecot import dispatch
from fakedove.dovecot.registry import Invocation
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.reply import Item, Level, Log, Output, Scope
from fakedove.dovecot.status import Status
from fakedove.errors import StubError
from tests.double.exchanges import exchange

RELEASE = "2.4.1"
STORAGE: dict[str, Cell] = {
    "root": "User quota",
    "type": "STORAGE",
    "value": 1814,
    "limit": None,
    "percent": 0,
}


def stubs_of(release: str = RELEASE) -> Stubs:
    return Stubs(find_release(release))


def invocation(*fields: bytes, username: bytes = b"tss", release: str = RELEASE) -> Invocation:
    prepared = dispatch.prepare(find_release(release), username, fields)
    assert isinstance(prepared, Invocation)
    return prepared


def answered(stub: Stub, called: Invocation) -> tuple[list[Item], Status]:
    """Return what a stub answers: items and status."""
    assert stub.answer is not None
    output = stub.answer.output(called, _no_store)
    items = []
    while True:
        try:
            items.append(next(output))
        except StopIteration as end:
            return items, end.value


def _no_store() -> Output:
    raise AssertionError("the store is not asked")


def use(stub: Stub) -> None:
    """Let the stub have answered once."""
    stub.note(exchange())


def sent(called: Invocation) -> Exchange:
    """Return an invocation as it stands in the journal."""
    return exchange(called.command.name, called.username, called.fields)


QUOTA = invocation(b"quota get")
SENT = sent(QUOTA)


def test_rows_are_printed_in_the_order_of_the_columns() -> None:
    backwards = dict(reversed(STORAGE.items()))
    stub = stubs_of().on("quota get").reply([backwards])
    row = (b"User quota", b"STORAGE", b"1814", b"-", b"0")
    assert answered(stub, QUOTA) == ([row], Status.OK)


def test_cells_are_text_bytes_numbers_or_nothing() -> None:
    stub = (
        stubs_of()
        .on("mailbox list")
        .reply([{"mailbox": "Ty\u00f6"}, {"mailbox": b"\xff"}, {"mailbox": 7}, {"mailbox": None}])
    )
    rows, _ = answered(stub, invocation(b"mailbox list"))
    assert rows == [("Ty\u00f6".encode(),), (b"\xff",), (b"7",), (b"-",)]


def test_an_empty_reply() -> None:
    stub = stubs_of().on("quota get").reply()
    assert answered(stub, QUOTA) == ([], Status.OK)


def test_rows_are_copied() -> None:
    row = dict(STORAGE)
    stub = stubs_of().on("quota get").reply([row])
    row.clear()
    assert len(answered(stub, QUOTA)[0][0]) == 5  # type: ignore[arg-type]


def test_a_failure_with_a_log_line() -> None:
    stub = stubs_of().on("quota get").fail("TEMPFAIL", log="quota backend is down")
    log = Log(b"quota backend is down", Level.ERROR, Scope.MAIL)
    assert answered(stub, QUOTA) == ([log], Status.TEMPFAIL)


def test_the_log_of_a_command_that_is_not_about_mail() -> None:
    stub = stubs_of().on("reload").reply(log="text")
    log = Log(b"text", Level.ERROR, Scope.COMMAND)
    assert answered(stub, invocation(b"reload")) == ([log], Status.OK)


def test_text_behind_a_status() -> None:
    stub = stubs_of().on("quota get").fail("REFERRAL", "user@host")
    assert stub.answer is not None
    assert (stub.answer.status, stub.answer.suffix) == (Status.REFERRAL, b" user@host")


def test_a_bare_dash() -> None:
    stub = stubs_of().on("quota get").fail("-")
    assert answered(stub, QUOTA) == ([], Status.DASH)


def test_raw_bytes() -> None:
    stub = stubs_of().on("quota get").raw(b"broken")
    assert stub.answer is not None
    assert stub.answer.raw == b"broken"


@pytest.mark.parametrize(
    ("command", "user", "args", "listener", "matches"),
    [
        ("quota get", None, None, None, True),
        ("quota *", None, None, None, True),
        ("*", None, None, None, True),
        ("quota ge?", None, None, None, True),
        ("mailbox *", None, None, None, False),
        ("quota get", "tss", None, None, True),
        ("quota get", "bob", None, None, False),
        ("quota get", "t*", None, None, True),
        (like("quota *") & ~like("* recalc"), None, None, None, True),
        ("quota get", ~exactly("tss"), None, None, False),
        ("quota get", None, [], None, True),
        ("quota get", None, [...], None, True),
        ("quota get", None, ["*", ...], None, False),
        ("quota get", None, ["x"], None, False),
        ("quota get", None, None, "unix", True),
        ("quota get", None, None, "tcp", False),
    ],
)
def test_what_a_stub_answers_to(
    command: Texts, user: Texts | None, args: Arguments | None, listener: str | None, matches: bool
) -> None:
    stubs = stubs_of()
    stub = stubs.on(command, user=user, args=args, listener=listener).fail("TEMPFAIL")
    assert stubs.find(SENT) is (stub if matches else None)


# Measured: the program adds `-u tss` and `--` by itself.
@pytest.mark.parametrize(
    "fields",
    [
        (b"mailbox list", b"-s", b"INBOX"),
        (b"mailbox list", b"-u", b"tss", b"-s", b"--", b"INBOX"),
        (b"mailbox", b"list", b"-s", b"INBOX"),
    ],
)
def test_arguments_are_compared_as_a_person_wrote_them(fields: tuple[bytes, ...]) -> None:
    stubs = stubs_of()
    stub = stubs.on("mailbox list", args=["-s", "INBOX"]).reply()
    assert stubs.find(sent(invocation(*fields))) is stub


def test_the_newest_stub_wins() -> None:
    stubs = stubs_of()
    old = stubs.on("quota get").fail("TEMPFAIL")
    new = stubs.on("quota *").fail("NOUSER")
    assert stubs.find(SENT) is new
    new.remove()
    assert stubs.find(SENT) is old
    new.remove()
    stubs.clear()
    assert stubs.find(SENT) is None
    assert not stubs


def test_a_stub_that_is_used_up_falls_to_the_next() -> None:
    stubs = stubs_of()
    always = stubs.on("quota get").fail("TEMPFAIL")
    twice = stubs.on("quota get", times=2).reply()
    for _ in range(2):
        assert stubs.find(SENT) is twice
        use(twice)
    assert stubs.find(SENT) is always


def test_a_stub_that_was_told_nothing_answers_nothing() -> None:
    stubs = stubs_of()
    stub = stubs.on("quota get")
    assert stubs
    assert stubs.find(SENT) is None
    assert stubs.unarmed() == [stub]
    stub.reply()
    assert stubs.unarmed() == []


def test_a_stub_says_where_it_comes_from() -> None:
    stub = stubs_of().on("quota get", user="tss")
    assert stub.where.startswith(__file__ + ":")
    assert repr(stub) == f"<Stub on('quota get', user='tss') of {stub.where}>"


# A stub cannot drift from the real server -------------------------------------------------


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("quota gte", 'no command "quota gte" in Dovecot 2.4.1; did you mean "quota get"?'),
        ("nosuch", 'no command "nosuch" in Dovecot 2.4.1'),
        ("zz*", "no command matches 'zz*'"),
    ],
)
def test_a_command_that_does_not_exist(command: str, text: str) -> None:
    with pytest.raises(StubError) as caught:
        stubs_of().on(command)
    assert text in str(caught.value)
    assert "quota get" in str(caught.value)


def test_a_command_that_this_release_does_not_have() -> None:
    with pytest.raises(StubError, match=r'no command "who" in Dovecot 2\.1\.16'):
        stubs_of("2.1.16").on("who")


@pytest.mark.parametrize("times", [0, -1, True, 1.5])
def test_how_often_is_at_least_once(times: object) -> None:
    with pytest.raises(StubError, match=f"times must be a whole number, 1 or more, not {times}"):
        stubs_of().on("quota get", times=times)  # type: ignore[arg-type]  # that is the point


def without(key: str) -> dict[str, Cell]:
    return {name: value for name, value in STORAGE.items() if name != key}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (STORAGE | {"colour": "red"}, 'no column "colour"'),
        (without("limit"), 'a column "limit" more'),
        ({}, 'a column "root" more'),
    ],
)
def test_a_row_has_just_the_columns_of_its_command(row: dict[str, Cell], problem: str) -> None:
    with pytest.raises(StubError) as caught:
        stubs_of().on("quota get").reply([row])
    assert problem in str(caught.value)
    assert "its columns are: root, type, value, limit, percent" in str(caught.value)


def test_a_row_must_suit_every_command_that_is_meant() -> None:
    with pytest.raises(StubError, match="mailbox"):
        stubs_of().on("mailbox *").reply([STORAGE])


@pytest.mark.parametrize(
    ("release", "status"),
    [(RELEASE, "NOSUCH"), (RELEASE, "tempfail"), (RELEASE, "OK"), ("2.3.19.1", "REFERRAL")],
)
def test_a_status_that_does_not_exist(release: str, status: str) -> None:
    with pytest.raises(StubError) as caught:
        stubs_of(release).on("quota get").fail(status)
    assert f'unknown status "{status}"; Dovecot {release} has: ' in str(caught.value)
    assert "TEMPFAIL" in str(caught.value)


# Recording cmd.opt-A: 2.3 adds a username column for `-A`, which a stub's rows do not have.
def test_a_username_column_is_supplied() -> None:
    stub = stubs_of("2.3.19.1").on("quota get").reply([STORAGE])
    called = invocation(b"quota get", b"-A", release="2.3.19.1")
    row = (b"tss", b"User quota", b"STORAGE", b"1814", b"-", b"0")
    assert answered(stub, called) == ([row], Status.OK)


# Columns of `mailbox status`, `fetch` and `who` are known only when they are called.
def test_rows_that_do_not_suit_the_columns_asked_for() -> None:
    stub = stubs_of().on("mailbox status").reply([{"mailbox": "INBOX", "messages": 4}])
    suited = invocation(b"mailbox status", b"messages", b"INBOX")
    assert answered(stub, suited) == ([(b"INBOX", b"4")], Status.OK)
    with pytest.raises(StubError, match="unseen"):
        answered(stub, invocation(b"mailbox status", b"messages unseen", b"INBOX"))
