"""Reading a TOML table key by key, with errors that name the key by its full path.

A `Table` knows its keys beforehand, so an unknown one is refused with the nearest known name,
and every reader checks the type: what comes out is typed, and every error reads
`user[2].mailbox[0].uidvalidity: must be 1 or more, not 0`. Indices count from 0.
Mappings made in Python go through the same readers as files do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TypeAlias, TypeVar

from fakedove.errors import StoreError, did_you_mean

#: Makes the error to raise from a text.
Fail: TypeAlias = Callable[[str], Exception]

_T = TypeVar("_T")
_V = TypeVar("_V")

_KINDS = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str | bytes, "text"),
    (Mapping, "a table"),
    (datetime, "a date and time"),
    (date, "a date"),
    (time, "a time"),
    (Sequence, "a list"),
)


class Table:
    """One table with known keys."""

    __slots__ = ("_fail", "_path", "_values")

    def __init__(
        self,
        values: Mapping[str, object],
        known: Collection[str] | None,
        fail: Fail,
        path: str = "",
        later: Collection[str] = (),
    ) -> None:
        """Take `values`, whose keys must be `known` (None: any); `path` is where they stand.

        Keys of `later` are refused as not built yet. Raises what `fail` makes.
        """
        self._values = values
        self._fail = fail
        self._path = path
        if known is None:
            return
        for key in values:
            if key in later:
                raise self.error(key, f"is not built yet; there is: {', '.join(known)}")
            if key not in known:
                raise self.error(key, f"is not known{_nearest(key, known)}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def where(self) -> str:
        """The path of the table itself."""
        return self._path

    def items(self) -> Iterator[tuple[str, object]]:
        """Yield keys and values as they are."""
        yield from self._values.items()

    def at(self, key: str) -> str:
        """Return the full path of `key`."""
        return f"{self._path}.{key}" if self._path else key

    def error(self, key: str, text: str) -> Exception:
        """Return the error that says `text` of `key`."""
        return self._fail(f"{self.at(key)}: {text}")

    def need(self, key: str, example: str) -> None:
        """Raise if `key` is missing, and show an `example` of it."""
        if key not in self._values:
            raise self.error(key, f"is missing, for example {key} = {example}")

    def checked(self, key: str, check: Callable[[_V], _T], value: _V) -> _T:
        """Return `check(value)`; a StoreError that it raises is told with the path of `key`."""
        try:
            return check(value)
        except StoreError as error:
            raise self.error(key, str(error)) from None

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default an absent one is an error."""
        value = self._values.get(key, default)
        if not isinstance(value, str):
            self.need(key, '"..."')
            quoted = f'text in quotes, as "{value}"' if _is_number(value) else "text"
            raise self._wrong(key, quoted)
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None if `key` is absent."""
        return self.text(key) if key in self._values else None

    def path(self, key: str) -> str:
        """Return a path, given as text or as a path object."""
        value = self._values[key]
        if isinstance(value, os.PathLike):
            return os.fsdecode(value)
        return self.text(key)

    def path_or(self, key: str, kind: type[_T]) -> str | _T:
        """Return a path, or an object of a kind that only Python can give."""
        value = self._values[key]
        return value if isinstance(value, kind) else self.path(key)

    def full_text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self.text(key, default)
        if not value:
            raise self.error(key, "must not be empty")
        return value

    def seconds(self, key: str, default: float) -> float:
        """Return a number of seconds, 0 or more."""
        value = self._values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(key, "a number of seconds")
        if not 0 <= value < math.inf:
            raise self.error(key, f"must be a number of seconds, 0 or more, not {value}")
        return value

    def integer(self, key: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        """Return a whole number, at least `minimum` and at most `maximum`."""
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "a whole number")
        if value < minimum:
            raise self.error(key, f"must be {minimum} or more, not {value}")
        if maximum is not None and value > maximum:
            raise self.error(key, f"must be {maximum} or less, not {value}")
        return value

    def optional_integer(self, key: str, minimum: int = 0) -> int | None:
        """Return a whole number, or None if `key` is absent."""
        return self.integer(key, 0, minimum) if key in self._values else None

    def boolean(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def size(self, key: str) -> str | int | None:
        """Return a size as it stands, text or bytes, or None if `key` is absent."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, str) and not _is_whole(value):
            raise self._wrong(key, 'a size, as "1G" or a number of bytes')
        return value if value is None or isinstance(value, str) else self.integer(key, 0)

    def moment(self, key: str, default: datetime) -> datetime:
        """Return a date and time; one without a time zone is UTC."""
        value = self._values.get(key, default)
        if not isinstance(value, datetime):
            raise self._wrong(key, "a date and time without quotes, as 2024-01-31T10:00:00Z")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def optional_moment(self, key: str) -> datetime | None:
        """Return a date and time, or None if `key` is absent."""
        return self.moment(key, datetime.min) if key in self._values else None

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        """Return one of `choices`."""
        value = self.text(key, default)
        if value not in choices:
            raise self.error(key, f'"{value}" is not known{_nearest(value, choices)}')
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty if `key` is absent."""
        return tuple(self._texts_in(key, self._list(key)))

    def texts(self, key: str) -> dict[str, str]:
        """Return a table of texts by any key; whole numbers and yes or no become texts."""
        found = {}
        for name, value in self.mapping(key).items():
            if isinstance(value, bool):
                value = "yes" if value else "no"
            elif _is_whole(value):
                value = str(value)
            if not isinstance(value, str):
                raise self._fail(f"{self.at(key)}.{name}: must be text, not {_kind(value)}")
            found[name] = value
        return found

    def mapping(self, key: str) -> Mapping[str, object]:
        """Return a table of anything by any key, empty if `key` is absent."""
        value = self._values.get(key, {})
        if not isinstance(value, Mapping):
            raise self._wrong(key, "a table")
        return value

    def table(self, key: str, known: Collection[str] | None, later: Collection[str] = ()) -> Table:
        """Return a table, empty if `key` is absent."""
        return Table(self.mapping(key), known, self._fail, self.at(key), later)

    def tables(
        self, key: str, known: Collection[str] | None, later: Collection[str] = ()
    ) -> Iterator[Table]:
        """Yield the tables of a list of tables."""
        for index, value in enumerate(self._list(key)):
            path = f"{self.at(key)}[{index}]"
            if not isinstance(value, Mapping):
                raise self._fail(f"{path}: must be a table, not {_kind(value)}")
            yield Table(value, known, self._fail, path, later)

    def lists(self, key: str) -> dict[str, tuple[str, ...]]:
        """Return a table of lists of texts by any key."""
        table = Table(self.mapping(key), None, self._fail, self.at(key))
        return {name: table.words(name) for name, _ in table.items()}

    def _list(self, key: str) -> Sequence[object]:
        value = self._values.get(key, ())
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            hint = f"a list; write [[{self.at(key)}]]" if isinstance(value, Mapping) else "a list"
            raise self._wrong(key, hint)
        return value

    def _texts_in(self, key: str, values: Sequence[object]) -> Iterator[str]:
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self._fail(f"{self.at(key)}[{index}]: must be text, not {_kind(value)}")
            yield value

    def _wrong(self, key: str, right: str) -> Exception:
        return self.error(key, f"must be {right}, not {_kind(self._values.get(key))}")


def _nearest(name: str, known: Collection[str]) -> str:
    return did_you_mean(name, known) or f"; there is: {', '.join(known)}"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return f"{name} ({value})" if name == "a number" else name
    return "a value of another kind"
