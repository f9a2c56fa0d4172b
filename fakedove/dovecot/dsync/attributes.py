"""The attributes of a mailbox that a sync carries over: Sieve scripts, metadata, rights.

Metadata and Sieve scripts are those of the home directory, which both sides share: of them only
the log can tell that they are to be set. The rights in an ACL are attributes of each side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from fakedove.dovecot.change_log import (
    ACTIVE_SCRIPT,
    SCRIPTS,
    rights_attribute,
    script_attribute,
)
from fakedove.dovecot.dsync.exporting import Side
from fakedove.dovecot.mailbox_seed import SPECIAL_USE_KEY
from fakedove.dovecot.metadata_order import names_of

_PREFIX = "vendor/vendor.dovecot/pvt/"
_RIGHTS = rights_attribute("")
_KINDS = ("private", "shared")


class Home(msgspec.Struct, frozen=True):
    """What both sides find in the home directory."""

    #: By the mailbox's GUID.
    metadata: Mapping[str, dict[str, str]]
    #: INBOX's Sieve scripts, oldest first, and which of them is active.
    scripts: dict[str, bytes]
    active: str | None

    def rewrite(self, attribute: str) -> None:
        """Write a script anew, which is the newest one then."""
        for name in list(self.scripts):
            if script_attribute(name) == attribute:
                self.scripts[name] = self.scripts.pop(name)

    def names(self, guid: str, kind: str) -> list[bytes]:
        """Return the names of a mailbox's metadata, `private` or `shared`, as they are listed."""
        keys = (key for key in self.metadata.get(guid, {}) if key != SPECIAL_USE_KEY)
        return names_of(keys, kind, guid)

    def forget(self, guid: str) -> None:
        """Drop the metadata of a mailbox that is deleted, wherever else there is one like it."""
        kept = self.metadata.get(guid, {})
        for key in [key for key in kept if key != SPECIAL_USE_KEY]:
            del kept[key]


class Attribute(msgspec.Struct, frozen=True):
    """An attribute as one side has it."""

    #: As the change log names it.
    name: str
    #: None: it is not there any more.
    value: str | None
    #: When it was changed, in seconds, as far as the file tells; 0: not known.
    changed: int = 0
    #: When the log says that it was changed; 0: it does not.
    modseq: int = 0

    @property
    def key(self) -> str:
        """Return it as Dovecot names it."""
        if self.name.startswith(_RIGHTS):
            return _PREFIX + self.name
        if self.name.startswith(SCRIPTS):
            return f"{_PREFIX}server/{self.name}"
        return self.name.lstrip("/").partition("/")[2]


class Attributes:
    """The attributes of a mailbox on one side."""

    def __init__(self, side: Side, home: Home) -> None:
        """Look at the mailbox of `side`, whose log tells which of them were changed."""
        self._box, self._logged, self._unset = side.box, side.attributes, side.unset
        self._home = home

    def told(self, *, whole: bool) -> Iterator[Attribute]:
        """Yield what is told the other side: all, or those that the log knows."""
        seen: set[str] = set()
        for kind in _KINDS:
            # The shared ones are listed once the private ones are told.
            for name in list(self._names(kind)):
                seen.add(name)
                found = self._attribute(name)
                is_told = found.value is not None or name in self._unset
                if is_told and (whole or name in self._logged):
                    yield found
        for name in self._logged:
            if name in self._unset and name not in seen:
                yield self._attribute(name)

    def find(self, name: str) -> Attribute | None:
        """Return an attribute as it is now; None: this side knows nothing of it."""
        found = self._attribute(name)
        return None if found.value is None and name not in self._logged else found

    def _names(self, kind: str) -> Iterator[str]:
        """Yield the names of those that have a value, in the order in which a sync tells them."""
        box, home = self._box, self._home
        if kind == "shared":
            yield from map(rights_attribute, box.acl)
        elif box.name == "INBOX":
            yield from (script_attribute(one) for one in reversed(tuple(home.scripts)))
            if home.active is not None:
                yield ACTIVE_SCRIPT
        for name in home.names(box.guid, kind):
            yield f"/{kind}/{name.decode(errors='surrogateescape')}"

    def _attribute(self, name: str) -> Attribute:
        value: str | None
        changed = 0
        if name.startswith(_RIGHTS):
            rights = self._box.acl.get(name.removeprefix(_RIGHTS))
            value = None if rights is None else " ".join(rights)
            changed = self._box.acl_changed
        elif name == ACTIVE_SCRIPT:
            value = self._home.active
        elif name.startswith(SCRIPTS):
            scripts = {script_attribute(one): data for one, data in self._home.scripts.items()}
            script = scripts.get(name)
            value = None if script is None else script.decode(errors="surrogateescape")
        else:
            value = self._home.metadata.get(self._box.guid, {}).get(name)
        return Attribute(name, value, changed, self._logged.get(name, 0))


def verdict(remote: Attribute, local: Attribute | None, since: int) -> tuple[bool, str]:
    """Return whether the other side's attribute is taken over, and why in Dovecot's words.

    `since` is the modseq of the last sync, 0 if it is not known.
    """
    if remote.value is None and (local is None or local.value is None):
        return False, "Nonexistent in both sides"
    if local is None:
        return True, "Nonexistent locally"
    if since and local.modseq <= since < remote.modseq:
        return True, "Changed remotely"
    if since and remote.modseq <= since < local.modseq:
        return False, "Changed locally"
    if remote.changed != local.changed:
        newer = remote.changed > local.changed
        return newer, f"{'Remote' if newer else 'Local'} has newer timestamp"
    if remote.value == local.value:
        return False, "Unchanged value"
    if remote.modseq != local.modseq:
        newer = remote.modseq > local.modseq
        return newer, f"{'Remote' if newer else 'Local'} has newer modseq"
    takes = local.value is None or (remote.value is not None and remote.value > local.value)
    side = "remote" if takes else "local"
    return takes, f"Value changed, but unknown which is newer - picking {side}"
