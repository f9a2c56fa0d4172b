"""How one side of a sync goes through the mailboxes, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from fakedove.dovecot.commands.sync_exchange import Exchange
from fakedove.dovecot.commands.sync_order import Looks, Order
from fakedove.dovecot.commands.sync_talk import END, TURN, Course, Mark, Talk, Waiting
from fakedove.dovecot.dsync.attributes import Home
from fakedove.dovecot.dsync.exporting import Side, look, why_differing
from fakedove.dovecot.dsync.importing import Part
from fakedove.dovecot.dsync.said import Said
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.tree import Tree
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.message import Message
from fakedove.dovecot.reply import Item, Level, Log, Scope
from fakedove.dovecot.status import Status


class Walk:
    """The way through the mailboxes: one side leads, the other one follows."""

    def __init__(
        self, talk: Talk, order: Order, home: Home, states: dict[str, MailboxState]
    ) -> None:
        """Sync the mail that `talk` is about; `states` are those of the last time, by GUID."""
        self._talk, self._order, self._home, self._states = talk, order, home, states
        self._takes = order.takes(master=talk.master)
        self._gives = order.takes(master=not talk.master)
        self._exchange: Exchange | None = None
        self._by_guid: dict[str, Mailbox] = {}
        #: The mails of the mailbox that has all, and those of them by GUID.
        self._all: tuple[Sequence[Message], dict[str, Message]] = ((), {})
        #: What both sides had in common in the end, mailbox by mailbox.
        self.ended: list[MailboxState] = []

    def close(self) -> Iterator[Item]:
        """End where something went wrong."""
        if self._exchange is not None:
            yield from self._exchange.close()

    def lead(self, tree: Tree) -> Course:
        """Go through the mailboxes."""
        for node in () if self._order.wanted.without_mails else tree:
            if not (node.exists and node.guid):
                continue
            box = self._talk.call.user.existing_mailbox(self._talk.names.meant(node.path))
            if self._talk.names.problem(node.path):
                yield from self._refuse(node.path)
                return
            if box is None:
                continue
            side, given = look(box), self._states.get(box.guid)
            if self._order.looks is Looks.CHANGED and given == side.state:
                yield from self._tell_skipped(side)
                continue
            self._talk.send(side)
            yield TURN
            yield from self._sync_as_master(side, given)
        self._talk.send(END)
        yield TURN

    def _refuse(self, path: str) -> Iterator[Item]:
        """Give up, as what the list has stands for no name that a mailbox can have."""
        why = f"Invalid mailbox name: {self._talk.names.problem(path)}"
        text = f"Mailbox {path}: Failed to access mailbox {path}: {why}"
        yield Log(text.encode(errors="surrogateescape"), Level.ERROR, Scope.STORAGE)
        self._talk.failed, self._talk.refused = True, Status.USAGE

    def _tell_skipped(self, side: Side) -> Iterator[Item]:
        yield from self._talk.debug(
            f"Skipping mailbox {side.box.guid} with unchanged state"
            f" uidvalidity={side.uidvalidity} uidnext={side.uidnext}"
            f" highestmodseq={side.highestmodseq} highestpvtmodseq=0"
            f" messages={side.count}"
        )

    def _sync_as_master(self, side: Side, given: MailboxState | None) -> Course:
        """Sync a mailbox that the other side was told of."""
        talk, guid = self._talk, side.box.guid
        before = given or MailboxState(guid, side.uidvalidity)
        answer = yield from talk.receive()
        if answer is Mark.IGNORED:
            yield from talk.debug(f"Ignoring missing remote box GUID {guid}")
        elif answer is Mark.LOST:
            why = f"Remote lost mailbox GUID {guid} (maybe it was just deleted?)"
            yield from talk.note_change(why)
            talk.stale = True
        else:
            remote = cast(Side, answer)
            reason = yield from self._agree(side, remote)
            if reason:
                yield from self._share(side, remote, given)
                return
        self.ended.append(before)
        yield TURN

    def follow(self) -> Course:
        """Go through the mailboxes that the other side names."""
        talk = self._talk
        while (message := (yield from talk.receive())) is not END:
            remote = cast(Side, message)
            guid = remote.box.guid
            box = self._find(guid)
            if box is None:
                yield from self._tell_lost(guid)
                yield TURN
                continue
            given = self._states.get(guid)
            side = look(box)
            reason = yield from self._agree(side, remote)
            if not reason:
                yield from talk.debug(f"Skipping unchanged mailbox {guid}")
                talk.send(side)
                yield TURN
            else:
                yield from self._share(side, remote, given)
        yield TURN

    def _find(self, guid: str) -> Mailbox | None:
        user, box = self._talk.call.user, self._by_guid.get(guid)
        if box is None or box.guid != guid or user.existing_mailbox(box.name) is not box:
            self._by_guid = {}
            for one in user.mailboxes.values():
                self._by_guid.setdefault(one.guid, one)
            box = self._by_guid.get(guid)
        return box

    def _tell_lost(self, guid: str) -> Iterator[Item]:
        """Tell the other side that there is no such mailbox here, and whether it was to be."""
        answer = Mark.LOST
        if not self._takes and not self._order.wanted.mirror:
            answer = Mark.IGNORED
            yield from self._talk.debug(f"Ignore nonexistent mailbox GUID {guid} with -1 sync")
        else:
            yield from self._talk.note_change(f"Mailbox GUID {guid} was lost")
        yield from self._talk.debug(f"We don't have mailbox {guid}")
        self._talk.send(answer)

    def _agree(self, mine: Side, other: Side) -> Waiting[str]:
        """Agree on the UIDVALIDITY; return why the mails have to be synced, "" if not."""
        best = max((one.count, one.uidvalidity) for one in (mine, other))
        if mine.uidvalidity != other.uidvalidity:
            mine.box.uidvalidity = best[1]
        if self._order.looks is not Looks.DIFFERING:
            reason = "Full sync"
        else:
            reason = why_differing(mine, other)
        if reason:
            yield from self._talk.debug(f"Syncing mailbox {mine.box.guid}: {reason}")
        return reason

    def _share(self, side: Side, remote: Side, given: MailboxState | None) -> Course:
        """Sync the mails of a mailbox with the other side."""
        talk = self._talk
        if (yield from self._is_stale(side, remote, given)):
            yield TURN
            return
        sides, part = (side, remote), self._part()
        exchange = Exchange(
            talk, sides, part, self._home, given, takes=self._takes, gives=self._gives
        )
        self._exchange = exchange
        if not talk.master:
            talk.send(side)
            yield TURN
        yield from exchange.turn(first=talk.master)
        while exchange.state is None:
            yield TURN
            yield from exchange.turn()
        self.ended.append(exchange.state)
        self._exchange = None
        yield TURN

    def _part(self) -> Part:
        wanted, user = self._order.wanted, self._talk.call.user
        name = wanted.all_mails
        box = user.find_mailbox(name) if name else None
        problem = ""
        if name and box is None:
            problem = f"Couldn't sync \\All mailbox '{name}': Mailbox doesn't exist: {name}"
        messages = box.messages if box is not None else ()
        if messages is not self._all[0]:
            self._all = messages, {one.guid: one for one in reversed(messages)}
        return Part(wanted, self._talk.master, wanted.mirror, self._all[1], problem)

    def _is_stale(self, side: Side, remote: Side, given: MailboxState | None) -> Waiting[bool]:
        """Whether the state of the last time cannot be that of this mailbox."""
        talk, why = self._talk, _why_stale(side.box, given)
        if why:
            text = f"Failed to do incremental sync for mailbox {side.box.name}"
            yield talk.say(f"{text}, retry with a full sync ({why})", Level.WARNING)
            yield from talk.note_change(f"Incremental sync failed: {why}")
        restarts = bool(given and given.uid) and side.uidvalidity != remote.uidvalidity
        if restarts:
            self._states.pop(side.box.guid, None)
            reason = "UIDVALIDITY changed during a stateful sync, need to restart"
            yield from talk.note_change(reason)
            if self._takes and not why:
                yield from talk.tell(side.box.name, Said("Saved UIDs: "))
        if not (why or restarts):
            return False
        talk.stale = True
        talk.failed = talk.master or restarts
        if not talk.master:
            yield from talk.debug(f"We don't have mailbox {side.box.guid}")
            talk.send(Mark.LOST)
        return True


def _why_stale(box: Mailbox, given: MailboxState | None) -> str:
    """Return why the state of the last time cannot be that of this mailbox, "" if it can."""
    if given is None or not given.uid:
        return ""
    if box.uidnext < given.uid:
        return f"uidnext {box.uidnext} < {given.uid}"
    if box.highestmodseq < given.modseq:
        return f"highest_modseq {box.highestmodseq} < {given.modseq}"
    return ""
