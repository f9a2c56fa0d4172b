"""What a client sees of each protocol version, and each status code, one conversation each."""

from __future__ import annotations

import pytest

from fakedove.double.stubs import Stubs
from fakedove.dovecot.releases import ROWS
from fakedove.plan import Peer
from tests.sessions.talk import PLAIN, TCP, Talk

QUOTA = b"User quota\tSTORAGE\t1\t1048576\t0\tUser quota\tMESSAGE\t1\t-\t0\t\n+\n"


def test_protocol_1_0_preauthenticated() -> None:
    talk = Talk(protocol="1.0")
    assert talk.hear() == b"+\n"
    assert talk.hello(0) == b""
    assert talk.say(b"\ttss\tquota get\n") == QUOTA


def test_protocol_1_0_with_password() -> None:
    talk = Talk(protocol="1.0", peer=TCP)
    assert talk.hear() == b"-\n"
    assert talk.hello(0) == b""
    assert talk.say(PLAIN) == b"+\n"
    assert talk.say(b"\ttss\tquota get\n") == QUOTA


def test_protocol_1_1_has_a_channel_for_replies_and_one_for_the_log() -> None:
    talk = Talk(protocol="1.1")
    assert talk.hello(1) == b"VERSION\tdoveadm-client\t1\t1\n+\n"
    assert talk.say(b"\tnobody\tquota get\n") == (
        b"L\0\0\0\x14\x04User doesn't exist\n\0\0\0\0\x09\n-NOUSER\n\0\0\0\0\x03\n-\n"
    )


def test_protocol_1_1_to_a_client_of_1_0_is_not_multiplexed() -> None:
    talk = Talk(protocol="1.1")
    assert talk.hello(0) == b"+\n"
    assert talk.say(b"\ttss\tquota get\n") == QUOTA


def test_protocol_1_2_offers_starttls() -> None:
    talk = Talk(protocol="1.2", peer=TCP)
    assert talk.hello(2) == b"VERSION\tdoveadm-client\t1\t2\n-\n"
    assert talk.say(b"STARTTLS\n") == b""
    talk.client.start_tls()
    assert talk.say(PLAIN) == b"+\n"
    assert talk.say(b"\ttss\tuser\ttss\n").endswith(b"}}\n+\n")


@pytest.mark.parametrize("protocol", ["1.0", "1.1"])
def test_starttls_is_refused_where_the_release_has_none(protocol: str) -> None:
    talk = Talk(protocol=protocol, peer=TCP)
    talk.hello(1)
    assert talk.say(b"STARTTLS\n").endswith(b"-\n")
    assert not talk.open
    assert talk.log == [
        "doveadm(127.0.0.1): Error: doveadm client attempted non-PLAIN authentication: STARTTLS"
    ]


def test_protocol_1_3_logs_to_the_client_only_after_option() -> None:
    talk = Talk(protocol="1.3")
    assert talk.hello(3) == b"VERSION\tdoveadm-client\t1\t3\n+\n"
    assert talk.say(b"\tnobody\tquota get\n") == b"\0\0\0\0\x09\n-NOUSER\n"
    assert talk.say(b"\t\tOPTION\tlog-passthrough\n") == b""
    assert talk.say(b"\tnobody\tquota get\n") == (
        b"L\0\0\0\x34\x04doveadm(nobody): cmd quota get: User doesn't exist\n"
        b"\0\0\0\0\x09\n-NOUSER\n"
    )


def test_protocol_1_4_streams() -> None:
    talk = Talk(protocol="1.4")
    assert talk.hello(4) == b"VERSION\tdoveadm-client\t1\t4\n+\n"
    header = b"\xff\xff\xff\xff\xff\x00\x02\x03\xfe"
    assert talk.say(b"\ttss\tquota get\n") == header + QUOTA
    assert talk.say(b"\ttss\tquota get\n") == QUOTA


@pytest.mark.parametrize("release", ["2.0.0", "2.1.16", "2.2.33", "2.2.33.2"])
def test_the_server_greets_before_version_up_to_2_2_33(release: str) -> None:
    assert Talk(release).hear() == b"+\n"
    assert Talk(release, peer=TCP).hear() == b"-\n"


@pytest.mark.parametrize("release", ["2.2.34", "2.3.0", "2.3.19.1", "2.4.4", "main"])
def test_the_server_greets_after_version_from_2_2_34_on(release: str) -> None:
    talk = Talk(release)
    assert talk.hear() == b""
    assert talk.hello(0) == b"+\n"


def test_2_2_33_says_its_version_after_the_greeting() -> None:
    talk = Talk("2.2.33", peer=TCP)
    assert talk.hear() == b"-\n"
    assert talk.hello(1) == b"VERSION\tdoveadm-client\t1\t1\n"
    assert talk.say(PLAIN) == b"+\n"


@pytest.mark.parametrize("release", [row.last for row in ROWS])
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o700, None])
def test_nothing_but_a_unix_socket_of_mode_0600_is_preauthenticated(
    release: str, mode: int | None
) -> None:
    talk = Talk(release, peer=Peer(address=None if mode else "127.0.0.1", mode=mode))
    greeting = talk.hear() + talk.hello(0)
    assert greeting == (b"+\n" if mode == 0o600 else b"-\n")


# Status codes, by what brings them about


def status(talk: Talk, command: bytes) -> bytes:
    talk.hear()
    talk.hello(0)
    return talk.say(command)


def test_nouser() -> None:
    assert status(Talk("2.4.1"), b"\tnobody\tquota get\n") == b"\n-NOUSER\n"


def test_tempfail() -> None:
    assert status(Talk("2.4.1"), b"\t\tquota get\t-F\t/missing\n") == b"\n-TEMPFAIL\n"


def test_dataerr() -> None:
    assert status(Talk("2.4.1"), b"\ttss\tmailbox create\tINBOX\n") == b"\n-DATAERR\n"


def test_notfound() -> None:
    talk = Talk("2.4.1")
    assert status(talk, b"\ttss\tmailbox status\tmessages\tnope\n") == b"\n-NOTFOUND\n"


def test_usage() -> None:
    assert status(Talk("2.4.1"), b"\ttss\tquota get\tsurplus\n") == b"\n-USAGE\n"


def test_unknown_is_a_code_without_a_name_such_as_quota_exceeded() -> None:
    talk = Talk("2.4.1")
    talk.world.store.users["tss"].quota_storage = 1
    talk.world.store.users["tss"].quota_grace = 0
    assert status(talk, b"\ttss\tsave\nSubject: x\n\nbody\n.\n") == b"\n-UNKNOWN\n"


def test_a_bare_dash_is_an_unknown_command() -> None:
    assert status(Talk("2.4.1"), b"\ttss\tnosuch\n") == b"\n-\n"


def test_failures_have_two_status_lines_from_2_2_22_to_2_3_16() -> None:
    assert status(Talk("2.3.16"), b"\tnobody\tquota get\n") == b"\n-NOUSER\n\n-\n"
    assert status(Talk("2.3.17"), b"\tnobody\tquota get\n") == b"\n-NOUSER\n"


def test_failures_are_numbers_from_2_2_3_to_2_2_15() -> None:
    command = b"\ttss\tmailbox create\tINBOX\n"
    assert status(Talk("2.2.2"), command) == b"\n-\n"
    assert status(Talk("2.2.15"), command) == b"\n-65\n"


@pytest.mark.parametrize(
    ("release", "code"),
    [
        ("2.4.1", "NOPERM"),
        ("2.4.1", "PROTOCOL"),
        ("2.3.19.1", "NOREPLICATE"),
        ("2.4.1", "CHANGED"),
        ("2.4.1", "EXPIRED"),
    ],
)
def test_a_stub_answers_with_any_status_that_the_release_has(release: str, code: str) -> None:
    def arm(stubs: Stubs) -> None:
        stubs.on("quota get").fail(code, log="as told")

    talk = Talk(release, arm=arm)
    assert status(talk, b"\ttss\tquota get\n") == b"\n-%b\n" % code.encode()
    assert talk.log[0].endswith("as told")


def test_a_stub_refers_to_another_host() -> None:
    talk = Talk("2.4.1", arm=lambda stubs: stubs.on("quota get").fail("REFERRAL", "tss@192.0.2.1"))
    assert status(talk, b"\ttss\tquota get\n") == b"\n-REFERRAL tss@192.0.2.1\n"


@pytest.mark.parametrize(
    ("release", "reply"), [("2.4.1", b"\n-REFERRAL ref@127.0.0.9\n"), ("2.3.19.1", b"INBOX\t\n+\n")]
)
def test_a_user_of_another_host_is_a_referral_from_2_4_on(release: str, reply: bytes) -> None:
    # Asked of both: passdb `nologin host=127.0.0.9`, doveadm_port set.
    talk = Talk(release)
    talk.world.doveadm_port = 32099
    user = talk.world.store.add_user("ref")
    user.passdb.update(nologin="", host="127.0.0.9")
    assert status(talk, b"\tref\tmailbox list\n") == reply


def test_a_stub_adds_text_behind_a_plus() -> None:
    talk = Talk("2.4.1", arm=lambda stubs: stubs.on("reload").raw(b"\n+ more text\n"))
    assert status(talk, b"\t\treload\n") == b"\n+ more text\n"
