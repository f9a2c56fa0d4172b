import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.quota import parse_grace, parse_size, size_text
from fakedove.errors import StoreError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1G", 1073741824),
        ("10M", 10485760),
        ("1K", 1024),
        ("512B", 512),
        ("1t", 1 << 40),
        ("2 k", 2048),
        ("3KB", 3072),
        ("3KiB", 3072),
        ("77", 77),
        (77, 77),
        ("unlimited", None),
        ("0", None),
        (0, None),
    ],
)
def test_size(text: str | int, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "1.5G", "-1", -1, "1G2", "1 0", " 1", "1  K", "\u0661K"])
def test_what_is_no_size(text: str | int) -> None:
    with pytest.raises(StoreError, match="is no size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["1X", "1%", "1BB", "1IB", "1BiB", "10Gx", "1i"])
def test_unknown_unit(text: str) -> None:
    with pytest.raises(StoreError, match="unknown unit"):
        parse_size(text)


@given(st.integers(1, 1 << 60))
def test_every_size_can_be_written_and_read(size: int) -> None:
    assert parse_size(size_text(size)) == size


@given(st.integers(1, 9999), st.sampled_from("BKMGT"))
def test_units_are_powers_of_1024(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * 1024 ** "BKMGT".index(unit)


@given(st.text())
def test_any_text_is_a_size_or_a_store_error(text: str) -> None:
    try:
        size = parse_size(text)
    except StoreError:
        return
    assert size is None or size > 0


def test_grace_is_a_size_or_a_part_of_the_limit() -> None:
    assert parse_grace("10%", 1000) == 100
    assert parse_grace("10%", None) == 0
    assert parse_grace("1K", 1000) == 1024
    assert parse_grace(0, 1000) == 0
