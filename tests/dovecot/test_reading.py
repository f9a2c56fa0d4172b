"""In which pieces mails are read; numbers of the real servers 2.3.19.1 and 2.4.1."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot import mdbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.reading import BLOCK, Reading, with_crlf_in_blocks
from fakedove.dovecot.store import Store
from fakedove.dovecot.user import User

SENT = datetime(2024, 1, 4, 12, 0, 7, tzinfo=UTC)
#: The size of the recordings' large mail.
LARGE = 24127


def user_with(*sizes: int) -> tuple[User, tuple[Message, ...]]:
    user = Store(random=Random(1)).add_user("tss", home="/home/tss")
    box = user.mailbox("INBOX")
    for size in sizes:
        box.deliver(b"x" * size, received=SENT, saved=SENT)
    return user, box.messages


def test_mails_lie_one_behind_the_other() -> None:
    user, (first, second) = user_with(LARGE, LARGE)
    found = mdbox.places(user)
    assert found[first.guid].offset == 46
    # The header of the next mail and the metadata of this one: R, V, G and B lines.
    assert found[second.guid].offset - 46 - LARGE == 30 + 4 + 10 + len("V5e3f\n") + 34 + 7 + 1
    assert mdbox.file_path(user, found[first.guid]) == "/home/tss/mdbox/storage/m.1"


def test_copies_share_a_place() -> None:
    user, (first,) = user_with(100)
    user.create_mailbox("Copies").copy_in([first])
    assert len(mdbox.places(user)) == 1


def test_a_full_file_is_followed_by_another() -> None:
    user, (_, last) = user_with(8 * 1024 * 1024, 3 * 1024 * 1024)
    assert mdbox.places(user)[last.guid] == mdbox.Place(2, 46)


def test_the_first_piece_ends_with_a_block_of_the_file() -> None:
    user, (first, second) = user_with(LARGE, LARGE)
    reading = Reading(user, from_mail_start=False)
    assert reading.pieces(first, 0, LARGE)[0] == BLOCK - 46
    start = mdbox.places(user)[second.guid].offset
    assert reading.pieces(second, 0, LARGE)[0] == -start % BLOCK


def test_reading_begins_anew_where_the_buffer_does_not_reach() -> None:
    user, (_, second) = user_with(LARGE, LARGE)
    # The mail's header is read before it.
    assert Reading(user, from_mail_start=False).pieces(second, 0, LARGE)[0] == BLOCK - 30
    again = Reading(user, from_mail_start=True)
    assert again.pieces(second, 0, LARGE)[0] == BLOCK
    assert again.pieces(second, 0, LARGE)[0] == BLOCK


def test_a_body_goes_on_in_the_block_of_its_header() -> None:
    user, (mail,) = user_with(LARGE)
    reading = Reading(user, from_mail_start=True)
    reading.pieces(mail, 0, 127)
    assert list(reading.cuts(mail, 127, LARGE - 127)) == [BLOCK, 2 * BLOCK]


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a" * 5000, b"b"]), max_size=40))
def test_line_ends_become_crlf_in_any_blocks(words: list[bytes]) -> None:
    data = b"".join(words)
    whole = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    pieces = list(with_crlf_in_blocks(words))
    assert b"".join(pieces) == whole
    assert all(0 < len(piece) <= BLOCK for piece in pieces)
