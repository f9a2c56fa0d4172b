"""What a command costs does not depend on how many users there are.

Nothing is timed: the lines of Python that run are counted, and those of a store with a
hundred times the users have to be as many.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.store import LoginSession, Store
from fakedove.dovecot.store_file import load_store
from fakedove.dovecot.user import User
from fakedove.dovecot.user_seed import UserSeed
from tests.sessions.talk import Talk

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_TABLE = """
[[user]]
name = "user{}@example.com"
quota_storage = "2G"
userdb = {{ color = "blue" }}
"""

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def many(count: int) -> Store:
    return Store(
        (UserSeed(name=f"user{number}@example.com") for number in range(count)),
        sessions=[LoginSession("user7@example.com")],
        clock=Clock(NOW),
        random=Random(1),
    )


@dataclass
class Ran:
    """What was run."""

    lines: int = 0
    #: Names of the users that came to life.
    users: list[str] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Ran]:
    ran = Ran()

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction:
        ran.lines += event == "line"
        if event == "call" and frame.f_code is User.__init__.__code__:
            ran.users.append(frame.f_locals["seed"].name)
        return trace

    # What other tests have left is collected before, not in between.
    gc.collect()
    gc.disable()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield ran
    finally:
        sys.settrace(before)
        gc.enable()


def cost(count: int, action: Callable[[Store], object]) -> int:
    # What is compiled and kept once does not count.
    action(many(10))
    store = many(count)
    with watched() as ran:
        action(store)
    return ran.lines


def said(*commands: bytes) -> Callable[[Store], object]:
    def say(store: Store) -> None:
        talk = Talk("2.4.1", store=store)
        talk.hello(0)
        for command in commands:
            assert talk.say(command + b"\n").endswith((b"\n+\n", b"\n-NOUSER\n"))

    return say


USER = b"\tuser7@example.com\t"


@pytest.mark.parametrize(
    "command",
    [
        USER + b"quota get",
        USER + b"mailbox list",
        USER + b"mailbox create\tA",
        USER + b"search\tall",
        b"\tnobody\tquota get",
        b"\t\tuser\tuser7@example.com",
        b"\t\tuser\tnobody",
        b"\t\twho",
        b"\t\twho\tuser7@example.com",
        b"\t\tkick\tuser7@example.com",
        b"\t\tauth cache flush\tuser7@example.com",
        b"\t\treload",
    ],
)
def test_a_command_looks_at_no_other_user(command: bytes) -> None:
    assert cost(10, said(command)) == cost(1000, said(command))


def touch(store: Store) -> None:
    store.users["user7@example.com"].mailbox("INBOX").deliver(b"x")
    store.add_user("eve")
    store.remove_user("user1@example.com")


def snapshot_and_restore(store: Store) -> None:
    touch(store)
    taken = store.snapshot()
    store.restore()
    store.restore(taken)


@pytest.mark.parametrize("action", [touch, snapshot_and_restore, Store.restore, Store.count])
def test_neither_do_changes_snapshots_and_resets(action: Callable[[Store], object]) -> None:
    assert cost(10, action) == cost(1000, action)


def test_only_users_that_are_asked_for_come_to_life() -> None:
    store = many(1000)
    with watched() as ran:
        said(USER + b"quota get", USER + b"mailbox list", b"\tnobody\tquota get")(store)
        said(b"\t\twho", b"\t\tuser\tuser*")(store)
        store.snapshot()
    assert ran.users == ["user7@example.com"]


def test_what_a_delivery_costs_does_not_depend_on_the_mails_that_are_there() -> None:
    costs = []
    for count in (10, 1000):
        store = many(10)
        inbox = store.users["user7@example.com"].mailbox("INBOX")
        inbox.append(inbox.draft(b"x") for _ in range(count))
        store.restore(store.snapshot())
        with watched() as ran:
            inbox = store.users["user7@example.com"].mailbox("INBOX")
            inbox.deliver(b"y")
            store.snapshot()
            inbox.deliver(b"z")
        costs.append(ran.lines)
        assert [one.data for one in inbox.messages[-3:]] == [b"x", b"y", b"z"]
        assert inbox.by_uid(count + 1) is inbox.messages[count]
    assert costs[0] == costs[1]


def test_commands_for_all_users_look_at_each_once() -> None:
    few, more = (cost(count, said(b"\t\tuser\tuser*")) for count in (10, 1000))
    assert few < more < 200 * few


def test_an_untouched_user_of_a_file_takes_less_than_a_kilobyte(tmp_path: Path) -> None:
    path = tmp_path / "store.toml"
    path.write_text("".join(_TABLE.format(number) for number in range(1000)))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        store = load_store(path)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store.users) == 1000
    assert after - before < 1000 * 1024
