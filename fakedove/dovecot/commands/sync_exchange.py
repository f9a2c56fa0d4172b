"""The sync of one mailbox as one side does it: what it tells, and what it takes over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from fakedove.dovecot import acl
from fakedove.dovecot.change_log import SCRIPTS, rights_attribute
from fakedove.dovecot.commands.sync_steps import delete_from_home
from fakedove.dovecot.commands.sync_talk import END, TURN, Course, Talk, advance
from fakedove.dovecot.dsync.attributes import Attribute, Attributes, Home, verdict
from fakedove.dovecot.dsync.exporting import Change, Side, changes
from fakedove.dovecot.dsync.importing import Importer, Part
from fakedove.dovecot.dsync.said import Said
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.writing import Writer
from fakedove.dovecot.message import Message
from fakedove.dovecot.reply import Item
from fakedove.dovecot.sharing import list_shared

_RIGHTS = rights_attribute("")
#: After how many saved mails they are committed.
_BATCH = 100


class Exchange:
    """One side's half of the sync of a mailbox."""

    def __init__(
        self,
        talk: Talk,
        sides: tuple[Side, Side],
        part: Part,
        home: Home,
        given: MailboxState | None,
        *,
        takes: bool,
        gives: bool,
    ) -> None:
        """Sync a mailbox that is the first of `sides` here and the second one there.

        `given` is the state of the last time, if it is known.
        """
        self._talk, self._home, self._given, self._gives = talk, home, given, gives
        self._local, self._remote = sides
        self._local.open(given)
        self._attributes = Attributes(self._local, home)
        call = talk.call
        older = call.release.sync_replica and not talk.master
        now, batch = call.store.clock.now(), 1 if older else _BATCH
        self._writer = Writer(self._local.box, now=now, batch=batch)
        self._importer = Importer(*sides, part, self._writer, given) if takes else None
        self._asked: list[str] = []
        #: All requests of the other side have come, and all its changes.
        self._is_asked = self._knows = False
        #: All is received, or sent, but for the state in the end.
        self._has_received = self._has_sent = False
        #: What both sides have in common in the end; None: it has not ended yet.
        self.state: MailboxState | None = None
        self._own_state = self._local.state
        self._receiving, self._sending = self._receive(), self._send()

    def turn(self, *, first: bool = False) -> Iterator[Item]:
        """Do what is to be done in one turn; in the `first` nothing has come yet."""
        if not first:
            yield from advance(self._receiving)
        over = self.state is not None or self._talk.failed
        if not over and not self._talk.is_waited_for:
            yield from advance(self._sending)

    def close(self) -> Iterator[Item]:
        """End where something went wrong."""
        importer, box = self._importer, self._local.box
        if importer is None or self.state is not None:
            return
        yield from self._tell(importer.close(whole=False))
        if importer.hopeless:
            yield from delete_from_home(self._talk.call, box, self._home)

    def _receive(self) -> Course:
        importer, talk = self._importer, self._talk
        if importer is not None:
            while (attribute := (yield from talk.receive())) is not END:
                yield from self._take_attribute(cast(Attribute, attribute))
                yield TURN
            yield TURN
            while (change := (yield from talk.receive())) is not END:
                yield from self._tell(importer.take(cast(Change, change)))
                talk.failed = bool(importer.hopeless)
                yield TURN
            yield from self._tell(importer.end_changes())
            talk.failed = bool(importer.hopeless)
            self._knows = True
            yield TURN
        if self._gives:
            while (guid := (yield from talk.receive())) is not END:
                self._asked.append(cast(str, guid))
                yield TURN
            self._is_asked = True
        if importer is None:
            self._has_received = True
            yield TURN
        else:
            if self._gives:
                yield TURN
            yield from self._receive_mails(importer)
        state, stale = cast(tuple[MailboxState, bool], (yield from talk.receive()))
        if stale:
            talk.changed = talk.changed or "Remote notified that changes happened during sync"
        own = self._own_state
        uid, modseq = min(own.uid, state.uid), min(own.modseq, state.modseq)
        self.state = msgspec.structs.replace(own, uid=uid, modseq=modseq)
        yield TURN

    def _receive_mails(self, importer: Importer) -> Course:
        asked = {mails[0].guid: mails for mails in importer.requests}
        while (message := (yield from self._talk.receive())) is not END:
            mail = cast(Message, message)
            yield from self._talk.debug(f"import mail uid 0 guid {mail.guid}")
            yield from self._tell(iter((Said(f"Import mail body for GUID={mail.guid} UID=0"),)))
            yield from self._tell(importer.save(asked[mail.guid], mail))
            yield TURN
        self._has_received = True
        yield from self._end_half()
        yield TURN

    def _send(self) -> Course:
        importer, talk = self._importer, self._talk
        if self._gives:
            whole = self._given is None or not self._given.uid
            for attribute in self._attributes.told(whole=whole):
                talk.send(attribute)
                yield TURN
            talk.send(END)
            yield TURN
            for change in changes(self._local, self._given):
                talk.send(change)
                yield TURN
            talk.send(END)
            yield TURN
        if importer is not None:
            while not self._knows:
                yield TURN
            for mails in importer.requests:
                talk.send(mails[0].guid)
                yield TURN
            talk.send(END)
            self._has_sent = not self._gives
            yield TURN
        if self._gives:
            yield from self._send_mails()

    def _send_mails(self) -> Course:
        while not self._is_asked:
            yield TURN
        asked = set(self._asked)
        for message in self._local.messages:
            if message.guid in asked:
                asked.remove(message.guid)
                self._talk.send(message)
                yield TURN
        self._has_sent = True
        self._talk.send(END)
        yield from self._end_half()
        yield TURN

    def _end_half(self) -> Iterator[Item]:
        """End this side's half, once nothing is to be received or sent but the state."""
        if not (self._has_received and self._has_sent):
            return
        importer = self._importer
        if importer is not None:
            yield from self._tell(importer.close(whole=True))
            self._talk.stale = self._talk.stale or importer.unexpected
            self._own_state = MailboxState(
                self._local.box.guid,
                self._local.uidvalidity,
                importer.uid,
                self._remote.highestmodseq,
                self._local.box.message_count,
            )
        self._talk.send((self._own_state, self._talk.stale))

    def _take_attribute(self, attribute: Attribute) -> Iterator[Item]:
        since = self._given.modseq if self._given else 0
        takes, why = verdict(attribute, self._attributes.find(attribute.name), since)
        if takes:
            yield from self._set(attribute)
        yield from self._tell(iter((Said(f"Import attribute {attribute.key}: {why}"),)))

    def _set(self, attribute: Attribute) -> Iterator[Item]:
        box = self._local.box
        self._writer.attributes = True
        if attribute.name.startswith(SCRIPTS):
            # The Sieve plugin enters its scripts a second time, as if by itself.
            box.note_attribute(attribute.name)
            self._home.rewrite(attribute.name)
        elif attribute.name.startswith(_RIGHTS):
            yield from self._set_rights(attribute)

    def _set_rights(self, attribute: Attribute) -> Iterator[Item]:
        """Set the rights of an identifier, which without any goes."""
        box, who = self._local.box, attribute.name.removeprefix(_RIGHTS)
        change = acl.Change.SET if attribute.value else acl.Change.DELETE
        entries = acl.changed(box.acl, who, change, (attribute.value or "").split())
        if entries != box.acl:
            box.acl = entries
            box.acl_changed = attribute.changed
            yield from list_shared(self._talk.call)

    def _tell(self, lines: Iterator[Said]) -> Iterator[Item]:
        for said in lines:
            yield from self._talk.tell(self._local.box.name, said)
