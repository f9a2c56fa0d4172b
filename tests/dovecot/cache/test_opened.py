"""Decisions about fields of the cache, as they are made, written and dropped."""

from __future__ import annotations

from fakedove.dovecot.cache.cache_file import CacheFile
from fakedove.dovecot.cache.fields import Decision
from fakedove.dovecot.cache.opened import OpenedCache
from fakedove.dovecot.releases import find_release

DAY = 86400
NOW = 20_000 * DAY + 1000


def opened(file: CacheFile, now: int = NOW, *, decides: bool = True) -> OpenedCache:
    return OpenedCache(file, find_release("2.4.1"), now, decides=decides)


def saved(*uids: int, now: int = NOW) -> CacheFile:
    """Return the cache of mails that were saved with their flags."""
    file = CacheFile()
    for uid in uids:
        file.note_day(uid, now)
        cache = opened(file, now)
        cache.add("flags", uid)
        cache.close()
    return file


def decision(file: CacheFile, key: str) -> tuple[Decision, int]:
    stored = file.fields[key]
    return stored.decision, stored.last_used


def test_the_first_field_makes_the_file_with_all_that_are_known() -> None:
    file = saved(1)
    assert file.exists
    assert decision(file, "flags") == (Decision.TEMP, NOW)
    assert decision(file, "mime.parts") == (Decision.TEMP, 0)
    assert decision(file, "guid") == (Decision.NO, 0)


def test_a_field_that_is_added_is_cached_for_a_while() -> None:
    file = saved(1)
    cache = opened(file)
    assert not cache.lookup("guid", 1)
    cache.add("guid", 1)
    cache.close()
    assert decision(file, "guid") == (Decision.TEMP, NOW)
    assert opened(file).lookup("guid", 1)


def test_a_look_that_finds_nothing_counts_as_use() -> None:
    file = saved(1)
    cache = opened(file)
    cache.lookup("guid", 1)
    cache.close()
    assert decision(file, "guid") == (Decision.NO, NOW)


def test_a_new_field_comes_behind_the_others() -> None:
    file = saved(1)
    cache = opened(file)
    cache.add(cache.register("X-Foo"), 1)
    cache.close()
    assert [stored.name for stored in file.fields.values()][-1] == "hdr.X-Foo"


def test_who_goes_back_is_taken_to_have_no_cache_of_its_own() -> None:
    file = saved(1, 2)
    cache = opened(file)
    cache.lookup("flags", 2)
    cache.lookup("flags", 1)
    cache.close()
    assert decision(file, "flags")[0] is Decision.YES


def test_another_command_may_begin_at_the_first_again() -> None:
    file = saved(1, 2)
    for _ in range(2):
        cache = opened(file)
        cache.lookup("flags", 1)
        cache.lookup("flags", 2)
        cache.close()
    assert decision(file, "flags")[0] is Decision.TEMP


def test_old_mails_are_cached_for_long_once_they_are_asked_for() -> None:
    file = saved(1)
    for day in range(1, 9):
        file.note_day(day + 1, NOW + day * DAY)
    cache = opened(file, NOW + 8 * DAY)
    assert not cache.wants("mime.parts", 1)
    cache.lookup("flags", 1)
    assert cache.fields["flags"].decision is Decision.YES


def test_use_is_noted_once_a_day() -> None:
    file = saved(1)
    for later, noted in ((DAY, NOW), (DAY + 1, NOW + DAY + 1)):
        cache = opened(file, NOW + later)
        cache.lookup("flags", 1)
        cache.close()
        assert decision(file, "flags")[1] == noted


def test_headers_are_looked_up_before_the_file_is_read() -> None:
    """What is not known yet was never used: that is noted, but not worth writing."""
    file = saved(1)
    cache = opened(file, NOW + 10)
    cache.lookup_headers(["flags"], 1)
    cache.close()
    assert decision(file, "flags")[1] == NOW
    cache = opened(file, NOW + 10)
    cache.lookup_headers(["flags"], 1)
    cache.add("guid", 1)
    cache.close()
    assert decision(file, "flags")[1] == NOW + 10


def test_a_last_use_is_not_taken_back() -> None:
    file = saved(1)
    cache = opened(file)
    cache.open()
    cache.decide(cache.fields["flags"], Decision.NO, 5)
    assert cache.fields["flags"].last_used == 5
    cache.close()
    assert decision(file, "flags") == (Decision.NO, NOW)


def test_a_purge_drops_what_is_not_cached_and_what_nobody_used() -> None:
    file = saved(1)
    cache = opened(file)
    cache.add("guid", 1)
    cache.close()
    cache = opened(file)
    cache.open()
    cache.decide(cache.fields["flags"], Decision.NO, None)
    cache.purge()
    assert list(file.fields) == ["guid"]
    assert file.cached(1) == {"guid"}


def test_a_field_that_was_never_used_makes_the_next_sync_purge() -> None:
    file = saved(1)
    cache = opened(file)
    cache.sync()
    assert "mime.parts" in file.fields, "nothing was read, so nobody knows"
    cache.open()
    cache.sync()
    assert "mime.parts" not in file.fields


def test_what_long_was_not_used_is_cached_for_a_while_only() -> None:
    file = saved(1)
    cache = opened(file)
    cache.open()
    cache.decide(cache.fields["flags"], Decision.YES, None)
    cache.close()
    file.note_day(2, NOW + 40 * DAY)
    cache = opened(file, NOW + 40 * DAY)
    cache.purge()
    assert decision(file, "flags")[0] is Decision.TEMP


def test_a_purge_makes_the_file() -> None:
    file = CacheFile()
    opened(file).purge()
    assert file.exists
    assert "guid" in file.fields


def test_what_is_cached_without_a_decision_stays_undecided() -> None:
    file = saved(1)
    cache = opened(file, decides=False)
    cache.lookup("guid", 1)
    cache.add("guid", 1)
    cache.close()
    assert decision(file, "guid") == (Decision.NO, 0)
    assert file.cached(1) == {"flags", "guid"}


def test_a_new_mailbox_takes_over_what_another_decided() -> None:
    file, new = saved(1), CacheFile()
    cache = opened(file)
    cache.add(cache.register("X-Foo"), 1)
    cache.close()
    opened(new).take_over(opened(file))
    assert new.exists
    assert decision(new, "hdr.x-foo") == (Decision.TEMP, NOW)


def test_nothing_is_taken_over_where_there_is_no_cache() -> None:
    new = CacheFile()
    opened(new).take_over(opened(CacheFile()))
    assert not new.exists
