"""How the two sides of a sync talk to each other: in turns, and each with the log.

Both run in one process. Each does one small thing, or finds that it has to wait, and then it is
the other one's turn; so their lines stand in the log. A side is a `Course` that yields `TURN`
where its turn is over.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Generator, Iterator
from typing import Final, Literal, TypeAlias, TypeVar

from fakedove.dovecot.dsync.names import Names
from fakedove.dovecot.dsync.said import Said, Tone
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Level, Log, Scope
from fakedove.dovecot.status import Status


class Mark(enum.Enum):
    """What stands between items, and between what is told the other side."""

    TURN = enum.auto()
    #: There is no more of the kind.
    END = enum.auto()
    #: The other side has no such mailbox, and it was to be there; or it does not matter.
    LOST = enum.auto()
    IGNORED = enum.auto()


TURN: Final = Mark.TURN
END: Final = Mark.END
Course: TypeAlias = Iterator[Item | Literal[Mark.TURN]]
_T = TypeVar("_T")
Waiting: TypeAlias = Generator[Item | Literal[Mark.TURN], None, _T]


def advance(course: Course) -> Iterator[Item]:
    """Go on with a course to the end of its turn."""
    for item in course:
        if item is TURN:
            return
        yield item


class Talk:
    """One side's end of the conversation."""

    def __init__(self, call: Call, path: str, *, master: bool) -> None:
        """Speak for the side whose mail `call` is about, at `path`; a `master` began."""
        self.call, self.path = call, path
        self.master = master
        self.names = Names(call.release.sync_escapes, master=master)
        #: It cannot go on.
        self.failed = False
        #: What it cannot go on for; None: nothing in particular.
        self.refused: Status | None = None
        #: All has to be synced anew, as the state of the last time is of no use.
        self.stale = False
        #: Why the sync should be done again; "": it need not.
        self.changed = ""
        self._inbox: deque[object] = deque()
        self._outbox: deque[object] = deque()

    def join(self, other: Talk) -> None:
        """Speak with `other`."""
        self._outbox, other._outbox = other._inbox, self._inbox

    @property
    def is_waited_for(self) -> bool:
        """Whether the other side has not taken yet what it was sent."""
        return bool(self._outbox)

    def send(self, message: object) -> None:
        """Tell the other side something."""
        self._outbox.append(message)

    def receive(self) -> Waiting[object]:
        """Return what comes next, once it has come."""
        while not self._inbox:
            yield TURN
        return self._inbox.popleft()

    def debug(self, text: str) -> Iterator[Item]:
        """Say something that only `-D` asks for."""
        yield from self.call.debug(_encoded(f"{self._name}: {text}"), Scope.STORAGE)

    def say(self, text: str, level: Level) -> Log:
        """Return what is said in any case."""
        if not self.call.release.sync_replica:
            text = f"{self._name}: {text}"
        return Log(_encoded(text), level, Scope.STORAGE)

    def note_change(self, reason: str) -> Iterator[Item]:
        """Note down why the sync should be done again."""
        yield from self.debug(f"Change during sync: {reason}")
        self.changed = self.changed or reason

    def tell(self, name: str, said: Said) -> Iterator[Item]:
        """Say something while mail is taken into the mailbox of that name."""
        name = self.names.opened(name)
        text, older = said.text, self.call.release.sync_replica
        importing = f"Import {name}: " if older else f"Import mailbox {name}: "
        match said.tone:
            case Tone.RECENT_DETAIL if older:
                return
            case Tone.DETAIL | Tone.RECENT_DETAIL:
                if self.call.invocation.debug:
                    yield from self.debug(importing + text)
                return
            case Tone.HOPELESS if older:
                text = f"Deleting mailbox '{name}': {text[text.index('UID=') :]}"
            case Tone.UNEXPECTED:
                mailbox = f"Mailbox {name}" if older else "Mailbox"
                advice = "(dsync must be run again without the state)"
                text = f"{mailbox} doesn't match previous state: {text} {advice}"
        level = Level.ERROR if said.tone is Tone.ERROR else Level.WARNING
        yield self.say(text if older else importing + text, level)

    @property
    def _name(self) -> str:
        return f"brain {'M' if self.master else 'S'}"


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
