from datetime import UTC, datetime, timedelta, timezone

from fakedove.dovecot.clock import Clock, moment

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_it_runs_with_the_wall_clock() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


def test_a_set_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    clock.set(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_advancing_a_running_clock_shifts_it() -> None:
    clock = Clock()
    clock.advance(3600)
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead <= timedelta(hours=1)


def test_moments_come_back_in_utc() -> None:
    assert Clock(datetime(2024, 5, 1, 12)).now() == NOON
    clock = Clock(NOON.astimezone(timezone(timedelta(hours=2))))
    assert clock.now().utcoffset() == timedelta(0)


def test_nanoseconds_are_the_same_time() -> None:
    clock = Clock()
    before = clock.now()
    assert before <= moment(clock.nanoseconds()) <= clock.now()
    clock.advance(3600)
    before = clock.now()
    assert before <= moment(clock.nanoseconds()) <= clock.now()
    clock.set(datetime(1969, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    assert moment(clock.nanoseconds()) == clock.now()
    clock.advance(1)
    assert moment(clock.nanoseconds()) == clock.now()
    clock.become(NOON)
    assert moment(clock.nanoseconds()) == NOON
    clock.run()
    assert moment(clock.nanoseconds()) > NOON


def test_one_that_starts_stopped_tells_nanoseconds_too() -> None:
    assert moment(Clock(NOON).nanoseconds()) == NOON
