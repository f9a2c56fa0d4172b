"""`fetch` where fields cannot be printed, as the real servers 2.3.19.1 and 2.4.1 answered."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
GOOD = b"Subject: ok\n\nq\n"
UNKNOWN = b"Content-Transfer-Encoding: x\n\nq\n"


def talk_about(release: str, *mails: bytes) -> Talk:
    store = Store(random=Random(1))
    box = store.add_user("tss", home="/home/tss").mailbox("INBOX")
    for mail in mails:
        box.deliver(mail)
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


def ask(talk: Talk, *words: bytes) -> bytes:
    return talk.say(b"\ttss\tfetch\t" + b"\t".join(words) + b"\n")


@BOTH
def test_a_value_that_cannot_be_printed_leaves_no_gap(release: str) -> None:
    talk = talk_about(release, UNKNOWN, GOOD)
    answer = ask(talk, b"uid binary.1 seq", b"all")
    assert answer == b"1\t1\t2\tq\x01r\x01n\t2\t\n-DATAERR\n"
    assert "fetch(binary.1) failed for box=INBOX uid=1: Unknown Content-Tr" in talk.log[0]


@BOTH
def test_the_users_name_stays_in_its_column(release: str) -> None:
    talk = talk_about(release, UNKNOWN, GOOD)
    answer = ask(talk, b"-A", b"uid binary.1 seq", b"all")
    assert answer == b"tss\t1\t1\t2\ttss\tq\x01r\x01n\t2\t\n-DATAERR\n"


@BOTH
@pytest.mark.parametrize(
    ("mail", "nul"),
    [
        (b"Content-Type: multipart/x; boundary=x\n\np\0\n--x\n\na\n--x--\n", b"p\x80"),
        (b"Content-Type: multipart/x; boundary=x\n\np\0\n--x\n\na\0\n--x--\n", b"p\x010"),
        (b"Content-Type: multipart/x; boundary=x\na: \0\n\np\0\n--x\n\na\n--x--\n", b"p\x010"),
    ],
    ids=["around the parts", "in a part", "in a header"],
)
def test_nuls_are_told_where_dovecot_looks_for_them(release: str, mail: bytes, nul: bytes) -> None:
    assert nul + b"\x01r" in ask(talk_about(release, mail), b"binary.", b"all")


def test_the_header_of_nothing_is_a_bug_of_2_4() -> None:
    assert ask(talk_about("2.3.19.1", b""), b"hdr", b"all") == b"\t\n+\n"
    crashed = talk_about("2.4.1", b"")
    assert ask(crashed, b"hdr", b"all") == b""
    assert not crashed.open
    assert crashed.log[0].endswith(
        "assertion failed: (!i_stream_is_buffer_invalid(_stream)) (the real server crashes here)"
    )
    assert ask(talk_about("2.4.1", b""), b"hdr.subject body text", b"all") == b"\t\t\t\n+\n"


@pytest.mark.parametrize(
    ("release", "mail", "again"),
    [("2.3.19.1", "UID=1: ", "Mailbox INBOX: UID=1: "), ("2.4.1", "UID 1: ", "")],
)
def test_encoded_data_without_an_end(release: str, mail: str, again: str) -> None:
    talk = talk_about(release, b"Content-Transfer-Encoding: base64\n\nQUJ")
    assert ask(talk, b"binary.1", b"all") == b"\n-TEMPFAIL\n"
    read = "read(<binary stream of mailbox INBOX UID 1>) failed: read(/home/tss/mdbox/storage/m.1)"
    why = f"{read} failed: Base64 data ends prematurely"
    assert talk.log[0].endswith(f"Mailbox INBOX: {mail}{why}")
    assert talk.log[1].endswith(f"fetch(binary.1) failed for box=INBOX uid=1: {again}{why}")


@BOTH
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (b"uid nosuch", "Unknown fetch field: nosuch"),
        (b"body.x", "Unknown fetch section: x"),
        (b"binary.1.", "Unknown fetch section: 1."),
        (b"hdr.from.address.utf8", "Unknown header filter: address.utf8"),
        (b"text.utf8", "(the real server crashes here)"),
    ],
)
def test_what_kills_the_process(release: str, fields: bytes, text: str) -> None:
    talk = talk_about(release, b"no colon\n\nbody")
    assert ask(talk, fields, b"all") == b""
    assert not talk.open
    assert talk.log[-1].endswith(text)


@BOTH
def test_an_unknown_header_filter_is_found_with_the_first_mail(release: str) -> None:
    talk = talk_about(release)
    assert ask(talk, b"hdr.from.nosuch", b"all") == b"\n+\n"


@pytest.mark.parametrize(
    ("release", "answer"),
    [("2.3.19.1", b"1\t1\t\n+\n"), ("2.4.1", b"")],
)
def test_fields_as_options(release: str, answer: bytes) -> None:
    talk = talk_about(release, GOOD)
    words = (b"--field", b"uid", b"--field", b"seq", b"mailbox", b"INBOX")
    assert ask(talk, *words) == answer


@BOTH
def test_spaces_around_fields(release: str) -> None:
    assert ask(talk_about(release, GOOD), b"  uid   seq ", b"all") == b"1\t1\t\n+\n"


@pytest.mark.parametrize(("release", "seconds"), [("2.3.19.1", b"4263467296"), ("2.4.1", b"0")])
def test_a_date_before_1970(release: str, seconds: bytes) -> None:
    talk = talk_about(release, b"Date: Mon, 01 Jan 1969 10:00:00 +0000\n\n")
    assert ask(talk, b"date.sent.unixtime", b"all") == seconds + b"\t\n+\n"


def test_copies_count_as_references() -> None:
    talk = talk_about("2.4.1", GOOD, UNKNOWN)
    user = talk.world.store.users["tss"]
    user.create_mailbox("Copies").copy_in(user.mailbox("INBOX").messages[:1])
    assert ask(talk, b"refcount", b"mailbox", b"INBOX") == b"2\t1\t\n+\n"
