"""What a userdb lookup gives: `userdb_fields(Account.of(user), release)`."""

from __future__ import annotations

from typing import Self

import msgspec

from fakedove.dovecot.mailbox_seed import Items
from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.quota_settings import quota_fields
from fakedove.dovecot.release import Release
from fakedove.dovecot.user import User


class Account(msgspec.Struct, frozen=True, gc=False):
    """What the userdb knows of a user, as it is now."""

    name: str
    uid: int
    gid: int
    home: str
    quota_roots: tuple[QuotaRoot, ...]
    #: Extra fields, in order.
    userdb: Items

    @classmethod
    def of(cls, user: User) -> Self:
        """Return what is known of `user`."""
        extra = tuple(user.userdb.items())
        return cls(user.name, user.uid, user.gid, user.home, user.quota_roots, extra)


def userdb_fields(account: Account, release: Release) -> dict[str, str]:
    """Return what a userdb lookup gives, in order."""
    fields = {"uid": str(account.uid), "gid": str(account.gid), "home": account.home}
    if release.userdb_settings:
        fields["mail_path"] = f"{account.home}/mdbox"
    else:
        fields["mail"] = "mdbox:~/mdbox:ALT=~/alt"
    return fields | auth_fields(account, release)


def auth_fields(account: Account, release: Release) -> dict[str, str]:
    """Return what the auth service gives of it; the rest comes from the settings."""
    fields = {"uid": str(account.uid), "gid": str(account.gid), "home": account.home}
    return fields | quota_fields(account.quota_roots, release) | dict(account.userdb)
