"""What a cache file holds, and what is lost in it."""

from __future__ import annotations

from fakedove.dovecot.cache.cache_file import CacheFile

DAY = 86400


def test_days_move_on_as_mails_come() -> None:
    file = CacheFile()
    first = 20_000 * DAY
    file.note_day(1, first + 5)
    assert (file.day_stamp, file.oldest_new_uid) == (first, 0)
    for day in range(1, 7):
        file.note_day(10 * day, first + day * DAY)
    assert file.oldest_new_uid == 0
    file.note_day(70, first + 7 * DAY)
    assert file.oldest_new_uid == 1


def test_days_without_mail_count() -> None:
    file = CacheFile()
    file.note_day(1, 20_000 * DAY)
    file.note_day(2, 20_003 * DAY)
    file.note_day(3, 20_008 * DAY)
    assert file.oldest_new_uid == 1
    file.note_day(4, 20_008 * DAY + 100)
    assert file.oldest_new_uid == 1


def test_after_a_long_time_all_is_old() -> None:
    file = CacheFile()
    file.note_day(1, 20_000 * DAY)
    file.note_day(7, 20_100 * DAY)
    assert file.oldest_new_uid == 1


def lost() -> CacheFile:
    file = CacheFile()
    file.record(1, frozenset({"hdr.date", "flags"}))
    file.lose(1, frozenset({"hdr.date"}))
    return file


def test_a_lost_date_is_lost_for_its_time_too() -> None:
    file = lost()
    assert file.lost(1) == {"hdr.date"}
    assert file.lost_dates == {1}


def test_a_time_that_is_cached_already_is_not_lost() -> None:
    file = CacheFile()
    file.record(1, frozenset({"hdr.date", "date.sent"}))
    file.lose(1, frozenset({"hdr.date"}))
    assert file.lost_dates == frozenset()


def test_what_is_dropped_is_found_again() -> None:
    file = lost()
    file.drop(1, frozenset({"hdr.date"}))
    assert file.cached(1) == {"flags"}
    assert not file.lost(1)
    assert not file.lost_dates


def test_a_time_worked_out_of_a_lost_date_stays() -> None:
    file = lost()
    file.record(1, file.cached(1) | {"date.sent"})
    file.drop(1, frozenset({"hdr.date"}))
    assert file.lost_dates == {1}


def test_a_mail_is_forgotten_with_what_it_lost() -> None:
    file = lost()
    file.forget(1)
    assert not file.cached(1)
    assert not file.lost(1)
    assert not file.lost_dates


def test_a_copy_changes_on_its_own() -> None:
    file = lost()
    other = file.copy()
    other.forget(1)
    assert file.cached(1)
    assert not other.cached(1)
