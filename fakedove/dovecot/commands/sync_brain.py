"""One of the two sides of a sync, from its list of mailboxes to the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from fakedove.dovecot.change_log import ListChange
from fakedove.dovecot.commands.sync_order import Looks, Order
from fakedove.dovecot.commands.sync_steps import access, apply
from fakedove.dovecot.commands.sync_talk import END, TURN, Course, Talk
from fakedove.dovecot.commands.sync_walk import Walk
from fakedove.dovecot.dsync import state
from fakedove.dovecot.dsync.attributes import Home
from fakedove.dovecot.dsync.renames import Way
from fakedove.dovecot.dsync.tree import Node, Tree
from fakedove.dovecot.dsync.tree_fill import (
    last_duplicates,
    listed,
    mark_deleted,
    read_tree,
    told,
    told_deletion,
)
from fakedove.dovecot.dsync.tree_merge import Merge
from fakedove.dovecot.guids import random_guid
from fakedove.dovecot.reply import Item, Level
from fakedove.dovecot.status import Status

_LOCK = ".dovecot-sync.lock"


class Brain:
    """One side: what it has, and what it knows of the other one."""

    def __init__(self, talk: Talk, place: str, order: Order, home: Home) -> None:
        """Sync the mail that `talk` is about, at a place that debug lines call `place`."""
        self.talk, call, master = talk, talk.call, talk.master
        #: All was done.
        self.ended = False
        self._call, self._place, self._order, self._home = call, place, order, home
        self._takes = order.takes(master=master)
        self._states = dict(order.given)
        self._walk = Walk(self.talk, order, home, self._states)
        self._local, self._remote = Tree(), Tree()
        self._locked = ""

    def prepare(self) -> Iterator[Item]:
        """Look at the list of mailboxes."""
        if self.talk.master and self._order.looks is Looks.CHANGED:
            yield from self.talk.debug("Imported mailbox states:")
            yield from self._tell_states()
        yield from self.talk.debug(self._place)
        call = self._call
        for name, box in listed(call.user):
            if box is not None and access(call, box) == "lookup":
                text = f"Failed to access mailbox {name}: Permission denied"
                yield self.talk.say(text, Level.ERROR)
                self.talk.refused = Status.NOPERM
                self.talk.failed = True
        if self.talk.refused is None:
            yield from self._separate()
            self._local = read_tree(
                call.user,
                self._order.wanted,
                self.talk.names,
                lambda box: bool(access(call, box)),
            )

    def course(self) -> Course:
        """Do it all; the side that began has been prepared before."""
        talk = self.talk
        if talk.master:
            yield from self._lock()
        else:
            yield from self.prepare()
        yield TURN
        if self._order.looks is Looks.CHANGED:
            yield from self._share_states()
        yield from self._send_names()
        yield from self._receive_names()
        yield from self._walk.lead(self._local) if talk.master else self._walk.follow()
        if talk.master:
            talk.stale = bool((yield from talk.receive())) or talk.stale
        else:
            talk.send(talk.stale)
        self.ended = True
        yield TURN

    def final_states(self) -> Iterator[Item]:
        """Yield the row of `-s`, which is the state for the next time."""
        if self.talk.stale:
            yield (b"",)
            return
        self._states |= {one.guid: one for one in self._walk.ended}
        for one in state.in_order(self._states.values()):
            node = self._local.by_guid.get(one.guid)
            if node is None or not node.exists:
                yield from self.talk.debug(f"Removed state for deleted mailbox {one.guid}")
                del self._states[one.guid]
        yield from self.talk.debug("Exported mailbox states:")
        yield from self._tell_states()
        yield (state.printed(self._states.values()),)

    def close(self) -> Iterator[Item]:
        """End, be it before all was done."""
        yield from self._walk.close()
        if self._locked:
            yield from self.talk.debug(f"Unlocked {self._locked}")

    def _tell_states(self) -> Iterator[Item]:
        for one in state.in_order(self._states.values()):
            yield from self.talk.debug(
                f"Mailbox {one.guid} state: uidvalidity={one.uidvalidity} uid={one.uid}"
                f" modseq={one.modseq} pvt_modseq=0 messages={one.messages} changes_during_sync=0"
            )

    def _separate(self) -> Iterator[Item]:
        """Give mailboxes with one GUID different ones."""
        call = self._call
        while pair := last_duplicates(call.user):
            guid, new = pair[0].guid, random_guid(call.store.random)
            changed = min(pair, key=lambda box: box.name.encode())
            names = f"{pair[0].name} and {pair[1].name}"
            text = f"Duplicate mailbox GUID {guid} for mailboxes {names}"
            text = f"{text} - giving a new GUID {new} to {changed.name}"
            yield self.talk.say(text, Level.ERROR)
            changed.guid = new

    def _lock(self) -> Iterator[Item]:
        if self._order.lock:
            self._locked = f"{self._call.user.home}/{_LOCK}"
            host = self._call.hostname
            hosts = f"local hostname={host}, remote hostname={host}"
            yield from self.talk.debug(f"Locking done locally in {self._locked} ({hosts})")

    def _share_states(self) -> Course:
        if self.talk.master:
            for one in self._states.values():
                self.talk.send(one)
                yield TURN
            self.talk.send(END)
        else:
            while (yield from self.talk.receive()) is not END:
                pass
        yield TURN

    def _send_names(self) -> Course:
        for node in self._local:
            yield from self.talk.debug(f"Local mailbox tree: {node.path} {told(node)}")
            self.talk.send((self.talk.names.sent(node.path), msgspec.structs.replace(node)))
            yield TURN
        self.talk.send(END)
        yield TURN
        self.talk.send(tuple(self._local.deletions))
        yield TURN

    def _receive_names(self) -> Course:
        while (message := (yield from self.talk.receive())) is not END:
            parts, node = cast(tuple[tuple[str, ...], Node], message)
            yield from self.talk.debug(f"Remote mailbox tree: {'/'.join(parts)} {told(node)}")
            self._remote.at(self.talk.names.taken(parts)).take(node)
        for node in self._remote:
            self._remote.index(node)
        yield TURN
        deletions = cast(tuple[ListChange, ...], (yield from self.talk.receive()))
        yield from self._merge(deletions)
        yield TURN

    def _merge(self, deletions: tuple[ListChange, ...]) -> Iterator[Item]:
        for one in deletions:
            name, done = mark_deleted(self._remote, self._local, one)
            text = f"{told_deletion(one)} name={name} local update={done}"
            yield from self.talk.debug(f"Remote mailbox tree deletion: {text}")
        for one in self._local.deletions:
            mark_deleted(self._local, self._remote, one)
        merge = Merge(
            self._local,
            self._remote,
            self._way,
            mistakes_folders=self._call.release.sync_mistakes_folders,
        )
        for text in merge.said:
            yield from self.talk.debug(text)
        self.talk.failed = merge.failed
        if self._takes:
            yield from apply(self.talk, merge.steps, self._order.wanted, self._home)

    @property
    def _way(self) -> Way:
        if not self._order.wanted.mirror:
            return Way.BOTH
        return Way.KEEP_REMOTE if self._takes else Way.KEEP_LOCAL
