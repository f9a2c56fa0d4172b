"""What was asked and answered, in order, in a bounded ring."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Unpack, overload

from fakedove.double.connections import Connection
from fakedove.double.exchange import Exchange
from fakedove.double.exchange_json import json_line
from fakedove.double.patterns import Texts
from fakedove.double.selection import Looking, Selection
from fakedove.double.spelling import Spelling

#: Exchanges kept, and connections; older ones fall out.
CAPACITY = 10_000
#: Bytes of command lines, mails and replies kept, not counting the newest exchange.
CAPACITY_BYTES = 64 * 1024 * 1024
#: Exchanges that `describe` shows, and lines.
_SHOWN, _MOST_LINES = 50, 120


class Journal:
    """The exchanges and connections of one fake."""

    def __init__(
        self,
        capacity: int = CAPACITY,
        capacity_bytes: int = CAPACITY_BYTES,
        spelling: Spelling | None = None,
    ) -> None:
        self._exchanges: deque[Exchange] = deque()
        #: The bytes of each exchange but the newest.
        self._sizes: deque[int] = deque()
        self._connections: OrderedDict[int, Connection] = OrderedDict()
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._spelling = spelling or Spelling()
        self._bytes = 0
        #: Each is told of every exchange that is added.
        self.followers: list[Callable[[Exchange], None]] = []
        #: Each is told when one is added, and when its answer is complete.
        self.watchers: list[Callable[[Exchange], None]] = []

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        if isinstance(index, slice):
            return list(self._exchanges)[index]
        return self._exchanges[index]

    def __repr__(self) -> str:
        return f"<Journal: {len(self)} commands, {len(self.connections)} connections>"

    def append(self, exchange: Exchange) -> None:
        """Add an exchange, before the first byte of its reply leaves."""
        exchanges = self._exchanges
        if exchanges:
            # What came before is as long as it gets, or nearly.
            size = exchanges[-1].size
            self._sizes.append(size)
            self._bytes += size
        exchanges.append(exchange)
        while self._bytes > self._capacity_bytes or len(exchanges) > self._capacity:
            exchanges.popleft()
            self._bytes -= self._sizes.popleft()
        for tell in self.followers:
            tell(exchange)
        if self.watchers:
            self.tell(exchange)

    def tell(self, exchange: Exchange) -> None:
        """Tell the watchers of an exchange that is new, or whose answer is complete."""
        for watch in self.watchers:
            watch(exchange)

    def connect(self, connection: Connection) -> None:
        """Note a connection, or what there is to know of it now."""
        self._connections[connection.number] = connection
        if len(self._connections) > self._capacity:
            self._connections.popitem(last=False)

    def hang_up(self, connection: int, sent: int) -> None:
        """Note that the client of a connection is gone, and how many bytes it was sent."""
        for one in reversed(self._exchanges):
            if one.connection.number == connection and one._outcome.hang_up(sent):
                break

    @property
    def connections(self) -> list[Connection]:
        """The connections to doveadm listeners, oldest first, also those without a command."""
        # Those that a reset kept are known from their commands alone.
        known = {one.connection.number: one.connection for one in self._exchanges}
        known |= self._connections
        return [known[number] for number in sorted(known)]

    @property
    def passwords_sent_in_clear(self) -> list[Connection]:
        """The connections that sent a password, right or wrong, over TCP without TLS."""
        return [one for one in self.connections if one.password_in_clear]

    def commands(self, command: Texts | None = None, **looking: Unpack[Looking]) -> list[Exchange]:
        """Return the exchanges that all of this is true of, oldest first.

        Command, `user`, `args`, `listener` and `line` mean what they mean for `Stubs.on`;
        `status` is the name of a Status ("" where there is none), `connection` a connection's
        number. Raises StubError for what is no pattern, for a listener that there is not, and
        for a command that no release has and nobody sent.
        """
        return self.meant("*" if command is None else command, looking)[1]

    def meant(self, command: Texts, looking: Looking) -> tuple[Selection, list[Exchange]]:
        """Return what is meant, and the exchanges that it means; see `commands`."""
        selection = Selection(command, looking, past=True)
        self._spelling.check_past(selection, (one.command for one in self._exchanges))
        return selection, [one for one in self if selection.means(one)]

    def as_text(self) -> str:
        """Return all of it as conversations, connection by connection, without secrets."""
        return _told(self.connections, self, short=False)

    def as_json_lines(self) -> str:
        """Return each exchange as a line of JSON: see docs/journal.md for the keys."""
        return "".join(json_line(one) for one in self)

    def describe(self) -> str:
        """Return the newest of it as conversations, with long texts cut, which is said."""
        exchanges = tuple(self)
        newest = _newest(exchanges)
        connections = {one.number: one for one in self.connections}
        silent = connections.keys() - {one.connection.number for one in exchanges}
        shown = {*sorted(silent)[-_SHOWN:], *(one.connection.number for one in newest)}
        told = _told([connections[number] for number in sorted(shown)], newest, short=True)
        earlier = len(exchanges) - len(newest)
        head = f"({earlier:,} earlier commands)\n" if earlier else ""
        return head + told or "(no command was sent)"

    def clear(self) -> None:
        """Forget everything."""
        self._exchanges.clear()
        self._sizes.clear()
        self._connections.clear()
        self._bytes = 0


def _newest(exchanges: tuple[Exchange, ...]) -> list[Exchange]:
    """Return the newest exchanges that fit, at least one if there is any."""
    newest: list[Exchange] = []
    lines = 0
    for one in exchanges[: -_SHOWN - 1 : -1]:
        lines += len(one.conversation(short=True))
        if newest and lines > _MOST_LINES:
            break
        newest.append(one)
    return newest[::-1]


def _told(connections: Iterable[Connection], exchanges: Iterable[Exchange], *, short: bool) -> str:
    told: dict[int, list[str]] = {one.number: [one.describe()] for one in connections}
    for one in exchanges:
        told[one.connection.number] += one.conversation(short=short)
    for lines in told.values():
        if len(lines) == 1:
            lines.append("   (no command)")
    return "\n".join([line for lines in told.values() for line in lines])
