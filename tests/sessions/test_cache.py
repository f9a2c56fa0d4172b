"""What reading mail leaves in the cache, as clients get to see it; answers of the real servers."""

from __future__ import annotations

from random import Random

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk

BOTH = pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
OLD = pytest.mark.parametrize("release", ["2.2.36", "2.3.4.1", "2.3.19.1"])
MAIL = (
    b"From: a@example.com\nSubject: hello %d\nDate: Mon, 01 Jan 2024 10:00:00 +0000\n"
    b"Message-ID: <same@example.com>\n\nhi\n"
)


def talk_about(release: str, mails: int = 3) -> Talk:
    store = Store(random=Random(1))
    box = store.add_user("tss").mailbox("INBOX")
    for number in range(mails):
        box.deliver(MAIL % number)
    store.users["tss"].mailbox("Box", create=True)
    talk = Talk(release, store=store)
    talk.hello(0)
    return talk


def ask(talk: Talk, *words: bytes) -> bytes:
    return talk.say(b"\ttss\t" + b"\t".join(words) + b"\n")


def decided(talk: Talk, mailbox: bytes = b"INBOX") -> dict[str, str]:
    """Return the decision about each field; `used` behind it if it was ever used."""
    words = ask(talk, b"mailbox cache decision", b"-a", mailbox).decode().split("\t")
    rows = [words[start : start + 4] for start in range(0, len(words) - 1, 4)]
    return {
        name: decision if used.startswith("1970") else f"{decision} used"
        for _, name, decision, used in rows
    }


@BOTH
def test_a_field_that_was_fetched_is_cached_from_then_on(release: str) -> None:
    talk = talk_about(release)
    before = decided(talk)
    ask(talk, b"fetch", b"size.physical guid", b"MAILBOX", b"INBOX", b"ALL")
    now = decided(talk)
    changed = {name: now[name] for name in now if now[name] != before.get(name)}
    assert changed == {"size.physical": "temp used", "guid": "temp used"}


@BOTH
def test_what_is_read_again_by_one_command_is_cached_for_long(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"fetch", b"date.sent", b"MAILBOX", b"INBOX")
    assert decided(talk)["date.sent"] == "temp used"
    # What the first command leaves alone, another that looks twice does not.
    ask(talk, b"fetch", b"date.sent", b"MAILBOX", b"INBOX", b"MAILBOX", b"INBOX")
    assert decided(talk)["date.sent"] == "yes used"


@BOTH
def test_one_command_looks_twice_however_often_others_looked_once(release: str) -> None:
    talk = talk_about(release)
    for _ in range(3):
        ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX")
    assert decided(talk)["guid"] == "temp used"
    for _ in range(3):
        ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX")
    ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX", b"MAILBOX", b"INBOX")
    assert decided(talk)["guid"] == "yes used"


@BOTH
def test_finding_threads_reads_headers_of_new_mails_only(release: str) -> None:
    talk = talk_about(release)
    find = b"search", b"MAILBOX", b"INBOX", b"INTHREAD", b"REFS", b"ALL"
    ask(talk, *find)
    now = decided(talk)
    # All have one message ID: that of the mail before is looked at again.
    assert now["hdr.message-id"] == "yes used"
    assert now["hdr.references"] == "temp used"
    assert now["date.sent"] == "temp used"
    ask(talk, b"mailbox cache decision", b"-d", b"temp", b"-f", b"hdr.message-id", b"INBOX")
    ask(talk, *find)
    assert decided(talk)["hdr.message-id"] == "temp used"


@BOTH
def test_threads_that_nobody_asks_for_are_not_sorted(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"search", b"MAILBOX", b"INBOX", b"INTHREAD", b"REFS", b"UID", b"9")
    assert decided(talk)["hdr.references"] == "temp used"
    assert decided(talk)["date.sent"] == "no"


@BOTH
def test_fetching_what_the_index_has_leaves_nothing(release: str) -> None:
    talk = talk_about(release)
    before = decided(talk)
    ask(talk, b"fetch", b"uid flags size.virtual date.saved", b"MAILBOX", b"INBOX", b"ALL")
    assert decided(talk) == before


@OLD
def test_a_search_caches_the_header_that_it_reads(release: str) -> None:
    talk = talk_about(release)
    assert "hdr.subject" not in decided(talk)
    ask(talk, b"search", b"SUBJECT", b"hello")
    assert decided(talk)["hdr.subject"] == "temp used"
    size = "no used" if release == "2.3.19.1" else "temp used"
    assert decided(talk)["size.physical"] == size, "opening a mail looks for its size"


@BOTH
def test_a_header_that_is_searched_by_name_has_it_in_capitals(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"search", b"HEADER", b"X-Foo", b"bar")
    assert decided(talk)["hdr.X-FOO"] == "temp used"


@BOTH
def test_an_unknown_field_is_not_found(release: str) -> None:
    answer = ask(talk_about(release), b"mailbox cache decision", b"-f", b"hdr.x-foo", b"INBOX")
    assert answer == b"INBOX\thdr.x-foo\t<not found>\t\t\n+\n"


@BOTH
def test_a_mailbox_that_never_had_a_mail_has_no_cache(release: str) -> None:
    answer = ask(talk_about(release), b"mailbox cache decision", b"-a", b"Box")
    assert answer == b"\n-TEMPFAIL\n"


@BOTH
def test_a_new_mailbox_decides_as_inbox_does(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX", b"ALL")
    ask(talk, b"mailbox create", b"New")
    assert decided(talk, b"New")["guid"] == "temp used"


@BOTH
def test_a_purge_forgets_fields_that_are_not_cached(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"fetch", b"hdr.x-foo", b"MAILBOX", b"INBOX", b"ALL")
    ask(talk, b"mailbox cache decision", b"-d", b"no", b"-f", b"hdr.x-foo", b"INBOX")
    assert decided(talk)["hdr.x-foo"] == "no used"
    ask(talk, b"mailbox cache purge", b"INBOX")
    assert "hdr.x-foo" not in decided(talk)


@BOTH
def test_a_copy_takes_along_what_the_other_mailbox_caches(release: str) -> None:
    talk = talk_about(release)
    ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX", b"ALL")
    ask(talk, b"copy", b"Box", b"MAILBOX", b"INBOX", b"ALL")
    assert decided(talk, b"Box")["flags"] == "temp used"
    assert decided(talk, b"Box")["guid"] == "no"


def indexed(talk: Talk) -> str:
    talk.say(b"v\ttss\tindex\tINBOX\n")
    return talk.log[-1].partition("INBOX: ")[2]


@OLD
def test_index_caches_behind_the_last_mail_that_has_anything_cached(release: str) -> None:
    talk = talk_about(release)
    assert indexed(talk) == "Cache is already up to date"
    ask(talk, b"mailbox cache remove", b"MAILBOX", b"INBOX", b"UID", b"2:3")
    assert indexed(talk) == "Caching mails seq=2..3"
    assert indexed(talk) == "Cache is already up to date"


def test_since_2_4_index_caches_nothing() -> None:
    talk = talk_about("2.4.1")
    ask(talk, b"mailbox cache remove", b"MAILBOX", b"INBOX", b"ALL")
    assert indexed(talk) == "Index is already up to date"


def test_removing_by_a_search_leaves_what_the_search_adds() -> None:
    talk = talk_about("2.3.19.1")
    ask(talk, b"mailbox cache remove", b"MAILBOX", b"INBOX", b"SUBJECT", b"hello")
    assert indexed(talk) == "Cache is already up to date"


SENT, NEVER = b"1704103200", b"0"


def test_the_first_mail_found_by_another_header_loses_its_date() -> None:
    talk = talk_about("2.3.19.1")
    query = (b"MAILBOX", b"INBOX", b"SUBJECT", b"hello")
    answer = ask(talk, b"fetch", b"date.sent.unixtime", *query)
    assert answer == b"\t".join((NEVER, SENT, SENT)) + b"\t\n+\n"
    answer = ask(talk, b"fetch", b"hdr.date date.sent.unixtime", b"MAILBOX", b"INBOX", b"1")
    assert answer == b"\t0\t\n+\n", "the cache has it that there is none"
    assert ask(talk, b"search", b"SENTBEFORE", b"2000-01-01").count(b"\t") == 2
    assert ask(talk, b"search", b"HEADER", b"Date", b"2024").count(b"\t") == 4


@pytest.mark.parametrize(
    "first",
    [
        (b"fetch", b"date.sent", b"MAILBOX", b"INBOX", b"ALL"),
        (b"fetch", b"hdr.subject", b"MAILBOX", b"INBOX", b"ALL"),
        (b"mailbox cache remove", b"MAILBOX", b"INBOX", b"ALL"),
    ],
)
def test_the_date_is_not_lost_where_it_is_known_or_nothing_else_is_read(
    first: tuple[bytes, ...],
) -> None:
    talk = talk_about("2.3.19.1")
    ask(talk, *first)
    query = (b"MAILBOX", b"INBOX", b"SUBJECT", b"hello")
    answer = ask(talk, b"fetch", b"date.sent.unixtime", *query)
    assert answer == b"\t".join((SENT, SENT, SENT)) + b"\t\n+\n"


def test_with_date_in_the_query_nothing_is_lost() -> None:
    talk = talk_about("2.3.19.1")
    query = (b"SUBJECT", b"hello", b"SENTSINCE", b"2020-01-01")
    answer = ask(talk, b"fetch", b"date.sent.unixtime", *query)
    assert answer == b"\t".join((SENT, SENT, SENT)) + b"\t\n+\n"


def test_2_4_caches_dates_from_the_start_and_loses_none() -> None:
    talk = talk_about("2.4.1")
    answer = ask(talk, b"fetch", b"date.sent.unixtime", b"SUBJECT", b"hello")
    assert answer == b"\t".join((SENT, SENT, SENT)) + b"\t\n+\n"


@pytest.mark.parametrize(
    ("release", "query", "left"),
    [
        ("2.3.19.1", (b"ALL",), 1),
        ("2.3.19.1", (b"SUBJECT", b"hello"), 2),
        ("2.4.1", (b"SUBJECT", b"hello"), 1),
    ],
)
def test_deduplicate_loses_a_message_id_in_the_same_way(
    release: str, query: tuple[bytes, ...], left: int
) -> None:
    talk = talk_about(release)
    ask(talk, b"deduplicate", b"-m", b"MAILBOX", b"INBOX", *query)
    answer = ask(talk, b"mailbox status", b"messages", b"INBOX")
    assert answer == b"INBOX\t%d\t\n+\n" % left


def test_reset_brings_the_cache_back_too() -> None:
    talk = talk_about("2.3.19.1")
    start = talk.world.store.snapshot()
    before = decided(talk)
    ask(talk, b"fetch", b"guid", b"MAILBOX", b"INBOX", b"ALL")
    assert decided(talk) != before
    talk.world.store.restore(start)
    assert decided(talk) == before


def test_parts_have_all_their_lines_where_they_are_not_cached() -> None:
    talk = talk_about("2.4.1", mails=1)
    query = (b"fetch", b"mime.parts", b"MAILBOX", b"INBOX", b"ALL")
    assert b"lines=0) body_size=" in ask(talk, *query)
    ask(talk, b"mailbox cache remove", b"MAILBOX", b"INBOX", b"ALL")
    assert b"lines=5) body_size=" in ask(talk, *query)
    assert b"lines=0) body_size=" in ask(talk, *query)


@BOTH
def test_a_mailbox_that_is_asked_twice_is_synchronized_in_between(release: str) -> None:
    answer = ask(talk_about(release), *(b"mailbox cache decision", b"-a", b"INBOX", b"INBOX"))
    words = answer.decode().split("\t")
    half = len(words) // 2
    sizes = [rows[rows.index("size.virtual") + 1] for rows in (words[:half], words[half:])]
    assert sizes == (["no", "no"] if release == "2.3.19.1" else ["temp", "no"])


def test_since_2_4_a_command_that_synchronizes_drops_fields_that_nobody_uses() -> None:
    talk = talk_about("2.4.1")
    ask(talk, b"flags add", b"\\Seen", b"MAILBOX", b"INBOX", b"SUBJECT", b"hello")
    ask(talk, b"mailbox cache decision", b"-d", b"yes", b"-f", b"size.virtual", b"INBOX")
    assert decided(talk)["size.virtual"] == "temp", "what the file does not have is not kept"
