"""`user` where the recordings do not ask it; answers and log lines of the real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk, small_store

V23, V24 = "2.3.19.1", "2.4.1"
BOTH = pytest.mark.parametrize("release", [V23, V24])


def ready(release: str, store: Store | None = None) -> Talk:
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


@BOTH
def test_the_userdb_alone_is_asked_for_a_service(release: str) -> None:
    talk = ready(release, small_store())
    said = talk.say(b"\t\tuser\t-x\tservice=imap\t-u\tTSS\tnobody\n")
    assert said == (
        b'{"TSS":{"source":"userdb","updated_username":"tss",'
        b'"uid":"5000","gid":"5000","home":"/home/tss"},'
        b'"nobody":{"error":"userdb lookup: user doesn\'t exist"}}\n-NOUSER\n'
    )


@BOTH
@pytest.mark.parametrize("arguments", [b"-u\ttss", b"-u\t-x\trip=1.2.3.4\ttss"])
def test_without_a_service_the_process_dies(release: str, arguments: bytes) -> None:
    talk = ready(release)
    assert talk.say(b"\t\tuser\t" + arguments + b"\n") == b""
    assert not talk.open


@pytest.mark.parametrize(
    ("release", "field", "value"),
    [
        (V23, b"uid", b'"uid":"5000"'),
        (V24, b"uid", b'"uid":"5000"'),
        (V23, b"source", b'"source":'),
        (V23, b"x", b'"x":'),
        (V24, b"source", b""),
    ],
)
def test_one_field_of_the_userdb(release: str, field: bytes, value: bytes) -> None:
    said = ready(release).say(b"\t\tuser\t-u\t-x\tservice=\t-f\t%b\ttss\n" % field)
    assert said == b'{"tss":{%b}}\n+\n' % value


@BOTH
def test_nobody_answers_for_the_userdb(release: str) -> None:
    talk = ready(release)
    said = talk.say(b"D\t\tuser\t-a\tmissing\t-x\tservice=imap\t-u\ttss\n")
    assert said == b'{"tss":{"error":"userdb lookup failed"}}\n-TEMPFAIL\n'
    assert talk.log == [
        "doveadm: Debug: auth-master: userdb lookup(tss): Started userdb lookup",
        "doveadm: Debug: auth-master: conn unix:missing: Connecting",
        "doveadm: Error: auth-master: userdb lookup(tss): "
        "connect(missing) failed: No such file or directory",
        "doveadm: Debug: auth-master: userdb lookup(tss): Userdb lookup failed",
    ]


@BOTH
def test_asking_the_userdb_alone_leaves_no_mark_on_the_log(release: str) -> None:
    talk = ready(release)
    talk.say(b"D\t\tuser\t-x\tservice=imap\t-u\ttss\n")
    assert all(line.startswith("doveadm: Debug: auth-master: ") for line in talk.log)
    assert "Disconnected: Connection closed" in talk.log[-1]


def test_who_was_busy_with_mail_may_not_list_users_any_more() -> None:
    talk = ready(V23)
    assert talk.say(b"\t\tuser\tt*\n") == b'{"userList":["tss"]}\n+\n'
    talk.say(b"\ttss\tmailbox list\n")
    before = len(talk.log)
    assert talk.say(b"D\t\tuser\tt*\n") == b'{"userList":[]}\n-DATAERR\n'
    conn = "conn unix:/var/run/dovecot/auth-userdb"
    peer = f"{conn} (pid=4242,uid=0)"
    assert [line.removeprefix("doveadm(4242): ") for line in talk.log[before:]] == [
        "Debug: auth-master: userdb list: Started listing users (user_mask=t*)",
        f"Debug: auth-master: {conn}: Connecting",
        f"Debug: auth-master: {peer}: Client connected (fd=7)",
        "Error: auth-master: userdb list: User listing returned failure",
        "Debug: auth-master: userdb list: Listing users failed",
        "Error: user listing failed",
        f"Debug: auth-master: {peer}: Disconnected: Connection closed (fd=7)",
    ]
    assert talk.say(b"\t\tuser\t-f\tuid\ttss\n") == b'{"tss":{"uid":"5000"}}\n+\n'


def test_a_denied_list_needs_nobody_who_watches() -> None:
    talk = ready(V23)
    talk.say(b"\ttss\tmailbox list\n")
    assert talk.say(b"\t\tuser\tt*\n") == b'{"userList":[]}\n-DATAERR\n'
    assert len(talk.log) == 2


def test_a_process_that_keeps_its_rights_lists_users_after_mail() -> None:
    talk = ready(V24)
    talk.say(b"\ttss\tmailbox list\n")
    assert talk.say(b"\t\tuser\tt*\n") == b'{"userList":["tss"]}\n+\n'


@pytest.mark.parametrize("socket", [b"auth-master", b"anvil", b"doveadm-server"])
def test_who_was_busy_with_mail_reaches_no_other_socket(socket: bytes) -> None:
    talk = ready(V23)
    talk.say(b"\ttss\tmailbox list\n")
    assert talk.say(b"\t\tuser\t-a\t%b\ttss\n" % socket) == b'{"tss":{}}\n-TEMPFAIL\n'
    path = socket.decode()
    assert talk.log[-1].endswith(
        f"userdb lookup(tss): connect({path}) failed: Permission denied (euid=5000(<unknown>) "
        f"egid=5000(<unknown>) missing +r perm: {path}, dir owned by 0:0 mode=0755)"
    )


@pytest.mark.parametrize(
    ("release", "told"),
    [
        ("2.2.36", b"userdb lookup: connect(missing)"),
        ("2.3.4.1", b"userdb lookup: connect(missing)"),
        ("2.3.8", b"auth-master: userdb lookup(tss): connect(missing)"),
    ],
)
def test_how_it_is_told_that_nobody_answers(release: str, told: bytes) -> None:
    talk = Talk(release)
    talk.hello(1)
    said = talk.say(b"\t\tuser\t-a\tmissing\ttss\n")
    # Packets may cut what stands before the text from it, but not the text.
    assert told + b" failed: No such file or directory" in said
    assert b"auth-master: " + told not in said


@pytest.mark.parametrize(
    ("release", "answer"),
    [("2.2.36", b""), ("2.3.4.1", b'{"userList":[]}\n-DATAERR\n\n-\n'), ("2.3.8", b"")],
)
def test_nobody_lists_users(release: str, answer: bytes) -> None:
    talk = ready(release)
    assert talk.say(b"\t\tuser\t-a\tmissing\t*\n") == answer
    assert talk.open is bool(answer)


@pytest.mark.parametrize(
    ("release", "template", "text"),
    [
        ("2.3.19.1", b"%{env:DOVECOT_VERSION} %{env:IDLE_KILL}%{env:HOME}", "2.3.19.1 60"),
        ("2.3.19.1", b"%{env:CONFIG_FILE}", "/var/run/dovecot/config"),
        ("2.3.19.1", b"%{env:DOVECOT_VERSION:default}", ""),
        (
            "2.4.1",
            b"%{env:DOVECOT_VERSION | upper} %{env:IDLE_KILL_INTERVAL}%{env:HOME}",
            "2.4.1 60",
        ),
        ("2.4.1", b"%{env:STATS_WRITER_SOCKET_PATH}", "/var/run/dovecot/stats-writer"),
        ("2.4.1", b"%{dovecot:revision}", "7d8c0e5759"),
    ],
)
def test_a_template_tells_of_the_process_and_its_release(
    release: str, template: bytes, text: str
) -> None:
    talk = Talk(release)
    talk.hello(0)
    answer = talk.say(b"\t\tuser\t-e\t%b\ttss\n" % template)
    assert f'":"{text}"' in answer.decode()
