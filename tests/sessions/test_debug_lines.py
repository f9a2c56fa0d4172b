"""The flag `D`: what the server tells then besides, in its log and on the log channel.

Measured on 2.3.16, 2.3.19.1 and 2.4.1. What the mail library tells needs `mail_debug`, which is
not `D`.
"""

from __future__ import annotations

import pytest

from tests.replay.compare import packets_of
from tests.sessions.talk import Talk

V23, V24 = "2.3.19.1", "2.4.1"
_AUTH = "auth-master: conn unix:/var/run/dovecot/auth-userdb"
_FIELDS = "tss uid=5000 gid=5000 home=/home/tss"


def ready(dovecot: str, minor: int = 0) -> Talk:
    talk = Talk(dovecot)
    talk.hello(minor)
    return talk


def told(talk: Talk) -> list[str]:
    """Return the log without its prefixes."""
    return [line.partition(": Debug: ")[2] or line for line in talk.log]


def look_up(number: int, *answer: str) -> list[str]:
    return [
        "auth-master: userdb lookup(tss): Started userdb lookup",
        f"{_AUTH}: Connecting",
        f"{_AUTH} (pid=4242,uid=0): Client connected (fd={number})",
        *answer,
        f"auth-master: userdb lookup(tss): auth USER input: {_FIELDS}",
        f"auth-master: userdb lookup(tss): Finished userdb lookup (username={_FIELDS})",
        f"{_AUTH} (pid=4242,uid=0): Disconnected: Connection closed (fd={number})",
    ]


def test_a_look_up() -> None:
    old, new = ready(V23), ready(V24)
    old.say(b"D\t\tuser\ttss\n")
    assert told(old) == look_up(7)
    new.say(b"D\t\tuser\ttss\n")
    fields = _FIELDS.replace(" ", "\t")
    assert told(new) == look_up(8, f"{_AUTH} (pid=4242,uid=0): auth input: {fields}")


def test_nothing_is_told_unless_asked_for() -> None:
    talk = ready(V23)
    talk.say(b"v\t\tuser\ttss\n")
    talk.say(b"\ttss\taltmove\tall\n")
    assert talk.log == []


def test_debug_lines_come_between_what_is_printed() -> None:
    talk = ready(V23, minor=1)
    packets, _ = packets_of(talk.say(b"D\t\tuser\t-f\tuid\ttss\n"))
    assert [packet.data for packet in packets if packet.channel == 0] == [
        b'{"tss":{',
        b'"uid":"5000"}}',
        b"\n+\n",
    ]
    assert [packet.channel for packet in packets] == [ord("L"), 0, *b"LLLL", 0, ord("L"), 0]


def test_a_user_that_does_not_exist() -> None:
    talk = ready(V24)
    talk.say(b"D\t\tuser\tnobody\n")
    assert talk.log[3:-1] == [
        f"doveadm(nobody)<4242><>: Debug: {_AUTH} (pid=4242,uid=0): auth input: ",
        "doveadm(nobody)<4242><>: Debug: auth-master: userdb lookup(nobody): auth USER input: ",
        "doveadm(nobody)<4242><>: Debug: auth-master: userdb lookup(nobody): Userdb lookup failed",
    ]


# Measured: the older auth service lists everybody, and `user` picks who matches.
@pytest.mark.parametrize(("dovecot", "listed"), [(V23, True), (V24, False)])
def test_who_is_listed(dovecot: str, listed: bool) -> None:
    talk = ready(dovecot)
    assert talk.say(b"D\t\tuser\tx*\n") == b'{"userList":[]}\n+\n'
    assert ("auth-master: userdb list: Returned username: tss" in told(talk)) is listed
    assert told(talk)[0] == "auth-master: userdb list: Started listing users (user_mask=x*)"


def test_another_server_hangs_up() -> None:
    old, new = ready(V23), ready(V24)
    for talk in (old, new):
        talk.say(b"D\t\tauth cache flush\t-a\tanvil\ttss\n")
    hung_up = "auth-master: conn unix:anvil (pid=4242,uid=0): Disconnected: "
    assert told(old)[3:5] == [
        hung_up + "Connection closed (fd=7)",
        "doveadm: Error: auth-master: auth cache flush: Disconnected unexpectedly",
    ]
    assert told(new)[4] == hung_up + "Handshake failed (fd=8)"
    assert told(new)[-1] == "auth-master: auth cache flush: Finished cache flush"


@pytest.mark.parametrize("command", ["altmove", "expunge"])
def test_messages_that_a_command_is_at(command: str) -> None:
    old, new = ready(V23), ready(V24)
    for talk in (old, new):
        assert talk.say(b"D\ttss\t%b\tmailbox\tINBOX\tall\n" % command.encode()) == b"\n+\n"
    assert told(old) == [f"{command}: box=INBOX uid=1"]
    assert new.log == []


def test_errors_of_the_file_system_driver() -> None:
    talk = ready(V23)
    talk.say(b"D\t\tfs stat\tposix\tprefix=/nowhere/\tx\n")
    why = "stat(/nowhere/x) failed: No such file or directory"
    assert talk.log == [
        f"doveadm: Debug: fs-posix: fs-posix: {why}",
        f"doveadm: Error: x doesn't exist: {why}",
    ]


def test_the_channel_goes_first_that_was_silent_for_longer() -> None:
    talk = ready("2.3.16", minor=1)
    packets, _ = packets_of(talk.say(b"D\t\tuser\ttss\tnosuch\n"))
    channels = "".join("L" if packet.channel else "0" for packet in packets)
    # `{"tss":{` was written before its first line, all of the first entry before the next one's.
    # A failure has two status lines.
    assert channels == "L0" + "LLLL" + "0" + "LLL" + "0" + "L" + "00"


_GET, _LOST = (
    b"\t\tdict get\tacl_sharing_map\tshared/none\n",
    b"\t\tfs get\tmail_ext_attachment\tx\n",
)
_LOOKED_UP = [
    "dict created (driver=file)",
    "Looking up 'shared/none'",
    "Lookup finished for 'shared/none': not found",
    "shared/none doesn't exist",
    "dict destroyed",
]


def said_by_dict(talk: Talk) -> list[str]:
    return [line.partition("cmd dict get: ")[2].removeprefix("dict(file): ") for line in talk.log]


@pytest.mark.parametrize(
    "before",
    [b"D\t\twho\n", b"v\ttss\tmailbox list\n", b"v\t\tnosuch\n", b"D\t\tOPTION\tx\n"],
)
def test_events_are_told_by_the_command_behind_the_one_that_asked(before: bytes) -> None:
    talk = ready(V24)
    talk.say(before)
    talk.world.log.clear()
    talk.say(_GET)
    assert said_by_dict(talk) == _LOOKED_UP
    assert ": Debug: cmd dict get: dict(file): dict created" in talk.log[0]
    talk.world.log.clear()
    talk.say(_GET)
    assert said_by_dict(talk) == ["shared/none doesn't exist"]


def test_the_command_that_asks_tells_no_events_itself() -> None:
    talk = ready(V24)
    talk.say(b"D" + _GET)
    assert said_by_dict(talk) == ["shared/none doesn't exist"]
    talk.world.log.clear()
    talk.say(_LOST)
    debug, error = talk.log
    why = "open(/var/run/dovecot/fs/x) failed: No such file or directory"
    assert debug == f"doveadm: Debug: cmd fs get: fs-posix: fs-posix: {why}"
    assert error == f"doveadm: Error: cmd fs get: x doesn't exist: {why}"


def test_rows_come_behind_the_events_of_their_iteration() -> None:
    talk = ready(V24, minor=1)
    talk.world.store.dict["shared/k"] = "v"
    talk.say(b"v\t\twho\n")
    packets, _ = packets_of(talk.say(b"\ttss\tmail dict iter\tacl_sharing_map\tshared/\n"))
    ends = [packet.data.rpartition(b": ")[2] for packet in packets]
    assert ends == [
        b"dict created (driver=file)\n",
        b"Iterating prefix shared/\n",
        b"Iteration finished, got 1 rows\n",
        b"dict destroyed\n",
        b"shared/k\tv\t",
        b"\n+\n",
    ]


def test_a_transaction_tells_what_it_consists_of() -> None:
    talk = ready(V24)
    talk.say(b"v\t\twho\n")
    talk.say(b"\t\tdict set\t-t\t5000000001\tacl_sharing_map\tshared/k\tv\n")
    assert [line.partition("dict(file): ")[2] for line in talk.log] == [
        "dict created (driver=file)",
        "Starting transaction",
        "Setting timestamp on transaction to (5, 1)",
        "Setting 'shared/k' to 'v'",
        "Dict transaction finished",
        "dict destroyed",
    ]


def test_2_3_tells_no_events_of_dictionaries() -> None:
    talk = ready(V23)
    talk.say(b"D\t\twho\n")
    talk.say(b"D\t\tdict get\tfile:/var/run/dovecot/dict\tshared/none\n")
    assert told(talk) == ["doveadm: Error: shared/none doesn't exist"]
