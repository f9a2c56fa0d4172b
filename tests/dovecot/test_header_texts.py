from __future__ import annotations

from fakedove.dovecot.header_texts import HeaderTexts
from fakedove.dovecot.search.tree import Reading
from tests.dovecot.search.users import inbox_of, uids


def test_a_search_finds_the_same_again() -> None:
    user = inbox_of(b"Subject: one\n\n", b"Subject: two\n\n")
    assert uids(user, "subject one") == uids(user, "subject one") == [1]
    assert uids(user, "subject two") == [2]


def test_a_field_is_read_for_each_purpose() -> None:
    user = inbox_of(b'From: "A. B" <a@example.com>\n\n')
    for _ in range(2):
        assert uids(user, "from", b"B <a@example") == []
        assert uids(user, "from", b'B" <a@example') == [1]
        assert uids(user, "header from", b'"A. B" <') == [1]


def test_searches_see_mails_come_and_go() -> None:
    user = inbox_of(b"Subject: one\n\n")
    box = user.mailbox("INBOX")
    assert uids(user, "subject one") == [1]
    box.deliver(b"Subject: one more\n\n")
    assert uids(user, "subject one") == [1, 2]
    box.expunge([1])
    assert uids(user, "subject one") == [2]


def test_mails_that_are_gone_are_forgotten() -> None:
    headers = HeaderTexts()
    headers.of(b"subject", Reading.PACKED).update(dict.fromkeys(range(1, 7), "ONE\r\n"))
    headers.trim(3)
    assert len(headers.of(b"subject", Reading.PACKED)) == 6
    headers.trim(2)
    assert not headers.of(b"subject", Reading.PACKED)


def test_only_so_many_fields_are_kept() -> None:
    headers = HeaderTexts()
    for number in range(17):
        headers.of(b"x-%d" % number, Reading.PACKED)[1] = ""
    assert headers.of(b"x-16", Reading.PACKED)
    assert not headers.of(b"x-0", Reading.PACKED)
