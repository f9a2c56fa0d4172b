"""The course of a sync between two places on this server, from their lists to the state."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from fakedove.dovecot import acl
from fakedove.dovecot.change_log import SCRIPTS, rights_attribute
from fakedove.dovecot.commands.acl import inherit
from fakedove.dovecot.commands.mailbox_changes import delete
from fakedove.dovecot.dsync import attributes
from fakedove.dovecot.dsync.exporting import Side, changes, differ, look
from fakedove.dovecot.dsync.importing import Importer, Plan, carry_out
from fakedove.dovecot.dsync.state import MailboxState
from fakedove.dovecot.dsync.tree import Node, Tree, last_duplicates, listed, read_tree
from fakedove.dovecot.dsync.tree_merge import Act, Step, steps
from fakedove.dovecot.dsync.wanted import Wanted
from fakedove.dovecot.guids import random_guid
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Item, Level, Log, Scope
from fakedove.dovecot.sharing import list_shared, verify_listed
from fakedove.dovecot.status import Status
from fakedove.dovecot.user import User

#: How many saved mails are committed at once: by the side that begins, and by recent releases.
_BATCH = 100


class Sync:
    """A sync between the user's mail and that at another place."""

    def __init__(
        self,
        call: Call,
        far: User,
        wanted: Wanted,
        given: Mapping[str, MailboxState] | None = None,
    ) -> None:
        """Sync the user of `call` with `far`.

        `given` is the state of the last time, by GUID; without one, mailboxes are looked at
        that seem to differ.
        """
        self._wanted = wanted
        self._calls = (call, call.at_place(far))
        self._takes = (wanted.near_takes, wanted.far_takes)
        self._given = given or {}
        self._only_differing = given is None and not wanted.full
        #: What both sides had in common in the end, by GUID.
        self.states: dict[str, MailboxState] = dict(self._given)
        #: Something went wrong, and mailboxes that came later were not looked at.
        self.failed = False
        #: What no mail was looked at for.
        self.refused: Status | None = None
        #: The state that was given is out of date, so all is to be synced anew.
        self.desynced = False

    def run(self) -> Iterator[Item]:
        """Do it; `states`, `failed` and `desynced` tell then how it ended."""
        near, far = (yield from self._tree(0)), (yield from self._tree(1))
        if self.refused is not None:
            return
        # Mailboxes that come by this sync are in no state yet.
        known = set(near.by_guid())
        near_steps, far_steps = self._steps(near, far)
        known -= {step.guid for step in near_steps if step.act is Act.DELETE}
        yield from self._apply(0, near_steps)
        yield from self._apply(1, far_steps)
        nodes = [node for node in near if node.guid]
        for node in () if self._wanted.without_mails else nodes:
            yield from self._sync_mailbox(node)
            if self.failed:
                break
        guids = known & {node.guid for node in nodes}
        self.states = {guid: one for guid, one in self.states.items() if guid in guids}

    def _tree(self, index: int) -> Generator[Item, None, Tree]:
        """Return the list of one side, which fails if there is a mailbox that may not be read."""
        call = self._calls[index]
        for name, box in listed(call.user):
            if box is not None and _rights(call, box) == "lookup":
                text = f"Failed to access mailbox {name}: Permission denied"
                yield self._said(index, text, level=Level.ERROR)
                self.refused = Status.NOPERM
        yield from self._separate(index)
        return read_tree(call.user, self._wanted, lambda box: bool(_rights(call, box)))

    def _separate(self, index: int) -> Iterator[Item]:
        """Give mailboxes with one GUID different ones."""
        call = self._calls[index]
        while pair := last_duplicates(call.user):
            guid, new = pair[0].guid, random_guid(call.store.random)
            changed = min(pair, key=lambda box: box.name.encode())
            names = f"{pair[0].name} and {pair[1].name}"
            text = f"Duplicate mailbox GUID {guid} for mailboxes {names}"
            text = f"{text} - giving a new GUID {new} to {changed.name}"
            yield self._said(index, text, level=Level.ERROR)
            changed.guid = new

    def _steps(self, near: Tree, far: Tree) -> tuple[list[Step], list[Step]]:
        """Return what each side has to do to its list; both lists become what they will be."""
        mirror, seen = self._wanted.mirror, near.copy()
        near_steps = list(steps(near, far.copy(), mirror=mirror)) if self._takes[0] else []
        far_steps = list(steps(far, seen, mirror=mirror)) if self._takes[1] else []
        return near_steps, far_steps

    def _apply(self, side: int, planned: list[Step]) -> Iterator[Item]:
        call = self._calls[side]
        for step in planned:
            match step.act:
                case Act.DELETE:
                    yield from delete(call, call.user.mailbox(step.name))
                case Act.RENAME:
                    call.user.rename_mailbox(step.name, step.to)
                    yield from verify_listed(call, step.to)
                case Act.CREATE:
                    yield from _create(call, step)
                case Act.CREATE_FOLDER:
                    yield from _create_folder(call, step.name)
                case Act.DELETE_FOLDER:
                    call.user.delete_folder(step.name)
                case Act.SUBSCRIBE | Act.UNSUBSCRIBE:
                    call.user.subscribe(step.name, subscribed=step.act is Act.SUBSCRIBE)

    def _sync_mailbox(self, node: Node) -> Iterator[Item]:
        """Sync the mails of one mailbox, if both sides have it and it seems to differ."""
        near_box = self._calls[0].user.existing_mailbox(node.name)
        if near_box is None:
            return
        given = self._given.get(near_box.guid)
        if given is not None and given == _state_of(near_box):
            return
        far_box = _by_guid(self._calls[1].user, near_box.guid)
        if far_box is None:
            return
        uidvalidity = near_box.uidvalidity
        self.states[near_box.guid] = given or MailboxState(near_box.guid, uidvalidity)
        if self._only_differing and not differ(near_box, far_box):
            return
        near, far = look(near_box, given), look(far_box, given)
        if uidvalidity != far.uidvalidity:
            _agree_on_uidvalidity(near, far)
        stale = _why_stale(far_box, given)
        if stale:
            yield from self._tell_stale(far_box.name, stale)
        else:
            yield from self._exchange(near, far, given)

    def _tell_stale(self, name: str, why: str) -> Iterator[Item]:
        self.desynced = True
        text = f"Failed to do incremental sync for mailbox {name}, retry with a full sync ({why})"
        yield self._said(1, text)

    def _exchange(self, near: Side, far: Side, given: MailboxState | None) -> Iterator[Item]:
        """Let each side that takes over something do so, and note what they have in common."""
        ends = []
        for index, (local, remote) in enumerate(((near, far), (far, near))):
            if not self._takes[index]:
                ends.append((local.uidnext - 1, local.highestmodseq))
                continue
            plan = Importer(
                local, remote, self._wanted, master=index == 0, mirror=self._wanted.mirror
            ).plan(changes(remote, given), given)
            taken = attributes.taken_over(local, remote, given)
            plan.attributes = bool(taken)
            for name in taken:
                # The Sieve plugin enters its scripts a second time, as if by itself.
                if name.startswith(SCRIPTS):
                    local.box.note_attribute(name)
            yield from self._set_rights(index, local.box, remote, taken)
            yield from self._carry_out(index, plan, local.box, remote)
            ends.append((plan.uid, remote.highestmodseq))
        if self.failed:
            del self.states[near.box.guid]
            return
        self.states[near.box.guid] = MailboxState(
            near.box.guid,
            near.uidvalidity,
            min(uid for uid, _ in ends),
            min(modseq for _, modseq in ends),
            near.box.message_count if self._takes[0] else len(near.messages),
        )

    def _carry_out(self, index: int, plan: Plan, box: Mailbox, remote: Side) -> Iterator[Item]:
        call = self._calls[index]
        if plan.seeks:
            yield from self._seek(index, box)
        if not plan.hopeless:
            batch = 1 if index == 1 and call.release.sync_replica else _BATCH
            carry_out(plan, box, remote, now=call.store.clock.now(), batch=batch)
            return
        self.failed = True
        text = plan.hopeless
        if call.release.sync_replica:
            why = text[text.index("UID=") :]
            text = f"Deleting mailbox '{box.name}': {why}"
        yield self._said(index, text, box)
        yield from delete(call, box)

    def _seek(self, index: int, box: Mailbox) -> Iterator[Item]:
        """Look for new mails in the mailbox of all mails, which may not be there."""
        name = self._wanted.all_mails
        if name and self._calls[index].user.find_mailbox(name) is None:
            why = f"Couldn't sync \\All mailbox '{name}': Mailbox doesn't exist: {name}"
            yield self._said(index, why, box, Level.ERROR)

    def _set_rights(
        self, index: int, box: Mailbox, remote: Side, taken: list[str]
    ) -> Iterator[Item]:
        call = self._calls[index]
        for who, rights in remote.acl.items():
            if rights_attribute(who) in taken:
                box.acl = acl.changed(box.acl, who, acl.Change.SET, rights)
                box.acl_changed = int(call.store.clock.now().timestamp())
                yield from list_shared(call)

    def _said(
        self, index: int, text: str, box: Mailbox | None = None, level: Level = Level.WARNING
    ) -> Log:
        """Return what a side says, maybe while it imports into a mailbox."""
        if not self._calls[0].release.sync_replica:
            doing = "" if box is None else f"Import mailbox {box.name}: "
            text = f"brain {'MS'[index]}: {doing}{text}"
        return Log(text.encode(), level, Scope.STORAGE)


def _create(call: Call, step: Step) -> Iterator[Item]:
    """Make a mailbox; one of that name that is there gets the other GUID if that is higher."""
    box = call.user.existing_mailbox(step.name)
    if box is None:
        box = call.user.create_mailbox(step.name, step.guid, step.uidvalidity)
        yield from inherit(call, box)
    elif step.guid > box.guid:
        box.guid = step.guid


def _create_folder(call: Call, name: str) -> Iterator[Item]:
    """Make a folder, which is a mailbox where releases make no others."""
    if not call.release.makes_folders:
        box = call.user.create_mailbox(name)
        yield from inherit(call, box)
    elif not call.user.is_taken(name):
        call.user.create_folder(name)


def _rights(call: Call, box: Mailbox) -> str:
    """Return which of the two rights that a sync needs the owner has: "", one or both."""
    if not box.acl:
        return "lookup read"
    rights = acl.effective(box.acl, call.owner)
    return " ".join(one for one in ("lookup", "read") if one in rights)


def _by_guid(user: User, guid: str) -> Mailbox | None:
    return next((box for box in user.mailboxes.values() if box.guid == guid), None)


def _state_of(box: Mailbox) -> MailboxState:
    return MailboxState(
        box.guid, box.uidvalidity, box.uidnext - 1, box.highestmodseq, box.message_count
    )


def _agree_on_uidvalidity(near: Side, far: Side) -> None:
    """Let both have the UIDVALIDITY of the one with more mails, or else the higher one."""
    best = max((len(one.messages), one.uidvalidity) for one in (near, far))[1]
    near.box.uidvalidity = far.box.uidvalidity = best


def _why_stale(box: Mailbox, given: MailboxState | None) -> str:
    """Return why the state of the last time cannot be that of this mailbox, "" if it can."""
    if given is None or not given.uid:
        return ""
    if box.uidnext < given.uid:
        return f"uidnext {box.uidnext} < {given.uid}"
    if box.highestmodseq < given.modseq:
        return f"highest_modseq {box.highestmodseq} < {given.modseq}"
    return ""
