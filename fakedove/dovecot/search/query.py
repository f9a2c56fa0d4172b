"""A parsed query: which mailboxes to look into, which messages to take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Scope
from fakedove.dovecot.search import words as words_module
from fakedove.dovecot.search.accidents import names_mailboxes, names_messages
from fakedove.dovecot.search.matching import Matcher
from fakedove.dovecot.search.places import Place, places
from fakedove.dovecot.search.simplify import simplify
from fakedove.dovecot.search.tree import Group, InThread, Node
from fakedove.dovecot.search.windows import settled
from fakedove.dovecot.user import User

#: A time for queries that are only checked.
_ANY_TIME = 2**31


class Query:
    """A query at work.

    It changes as it goes on: as in Dovecot, the message numbers of a query are fitted to
    each mailbox in turn, so that `2:*` is 1 ever after a mailbox of one message.
    """

    def __init__(self, nodes: Sequence[Node], release: Release, *, oldest_only: bool) -> None:
        """Take keys that all must match."""
        self.nodes = tuple(nodes)
        self._release = release
        self._oldest_only = oldest_only
        self._simplified = False
        self._death: Fatal | None = None
        #: Whether a file name was compared in the mailboxes so far.
        self._compared_filename = False

    def simplify(self) -> None:
        """Simplify the query before mailbox names are taken from it, as `expunge` does."""
        if not self._simplified:
            self.nodes = simplify(self.nodes)
            self._simplified = True

    def places(self, user: User) -> Iterator[Place]:
        """Yield the mailboxes of `user` to look into, those that cannot be opened included.

        Where file names were compared, Dovecot dies when it is through with the next mailbox:
        it frees what it compared with again.
        """
        named = self.nodes
        try:
            self.simplify()
        except Fatal as death:
            self._death = death
        for place in places(self.nodes, named, user, self._release, self._death):
            searched = place.box is not None and place.box.message_count > 0
            dies = searched and self._compared_filename
            yield place
            if dies:
                raise Fatal(b"killed with signal 6", Scope.MAIL, crash=True)

    def begin(self, *, opened: bool) -> None:
        """Raise Fatal where the real process dies as it begins to search a mailbox.

        If that could not be opened, it takes down threads that it has not set up.
        """
        if self._death is not None:
            raise self._death
        if not opened and any(map(_asks_for_threads, self.nodes)):
            raise Fatal(b"killed with signal 11", Scope.MAIL, crash=True)

    def find(self, box: Mailbox) -> list[Message]:
        """Return the messages that match, in the order of the mailbox; raise Fatal as `begin`."""
        self.begin(opened=True)
        matcher = Matcher(box, self._release)
        found = matcher.find(self.nodes, oldest_only=self._oldest_only)
        self._compared_filename |= matcher.compared_filename
        if box.message_count:
            self.nodes = settled(self.nodes, box.message_count)
        return found

    def accident(self) -> str | None:
        """Return why the query is too wide for a command that removes mails, or None."""
        if not names_mailboxes(self.nodes):
            return "search query must contain MAILBOX in all search branches"
        if not names_messages(self.nodes):
            hint = ' (e.g. just add "all" if you want everything)'
            text = "each branch in search query must contain something else besides MAILBOX"
            return text + hint if self._release.accident_hint else text
        return None


def parse_query(words: Sequence[bytes], release: Release, now: int = _ANY_TIME) -> Query:
    """Return the query that `words` make; raise Fatal as the real process dies of a bad one.

    `now` is in seconds since 1970, for times such as `1d`.
    """
    nodes, oldest_only = words_module.parse(words, release, now)
    return Query(nodes, release, oldest_only=oldest_only)


def _asks_for_threads(node: Node) -> bool:
    if isinstance(node, Group):
        return any(map(_asks_for_threads, node.keys))
    return isinstance(node, InThread)
