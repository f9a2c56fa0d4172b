"""The mail store: users and the few things that lie beside them, as Dovecot knows them.

A store begins as seeds, small immutable values. A user comes to life when it is first looked
up, and only live users can differ from their seed; so a store of 100,000 users is cheap, and
`snapshot` and `restore` cost what was touched in between and no more.

Clock and random source are handed in. The store reads no disk: `fakedove.dovecot.store_file`
makes one from a file.
"""

from __future__ import annotations

import posixpath
import random as random_module
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec

from fakedove.dovecot.clock import Clock
from fakedove.dovecot.daemons import Daemons
from fakedove.dovecot.masks import is_address
from fakedove.dovecot.quota_roots import DEFAULT_ROOT, QuotaRoot, checked_roots
from fakedove.dovecot.user import User
from fakedove.dovecot.user_seed import UserSeed
from fakedove.errors import StoreError, UnknownNameError, did_you_mean

#: Near names are sought among this many users; more would take seconds.
_NEAR_NAMES = 5000


class LoginSession(msgspec.Struct, frozen=True, gc=False):
    """A logged-in session, as `who` shows it."""

    user: str
    service: str = "imap"
    pid: int = 1
    ip: str = "127.0.0.1"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a store was at one moment, as differences to what was loaded."""

    changed: Mapping[str, UserSeed]
    #: Names that are not of the loaded users, or were removed and added again, in order.
    added: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()
    sessions: tuple[LoginSession, ...] = ()
    keys: Mapping[str, str]
    files: Mapping[str, bytes]
    places: Mapping[str, UserSeed] = msgspec.field(default_factory=dict)
    daemons: Daemons = msgspec.field(default_factory=Daemons)


class UnknownUserError(UnknownNameError, KeyError):
    """A user that is not in the store."""


class Store:
    """Users, logged-in sessions, dict and files, with a way back.

    `sessions`, `dict` (keys and values) and `files` (path below base_dir to content) are
    plain containers to change as you like.
    """

    def __init__(
        self,
        seeds: Iterable[UserSeed] = (),
        *,
        sessions: Iterable[LoginSession] = (),
        keys: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
        clock: Clock | None = None,
        random: random_module.Random | None = None,
    ) -> None:
        """Make a store of `seeds`; a `random` source with a seed makes new GUIDs repeatable.

        `keys` are those of the dict. Raises StoreError if two users have the same name.
        """
        self.clock = clock or Clock()
        #: The source of new GUIDs; give it a seed to have the same ones again.
        self.random = random or random_module.Random()
        self._loaded: Mapping[str, UserSeed] = _by_name(seeds)
        self._start = Snapshot(
            changed={}, sessions=tuple(sessions), keys=keys or {}, files=files or {}
        )
        self._live: dict[str, User] = {}
        self.sessions: list[LoginSession] = []
        self.dict: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        #: Mail that lies elsewhere, where a sync has put it, by its path.
        self.places: dict[str, User] = {}
        #: What the other processes of the server know.
        self.daemons = Daemons()
        self.users: Users = Users(self)
        self.restore()

    def lookup(self, name: str) -> User | None:
        """Return the user `name`, or None; as in Dovecot, the name is then tried in lower case."""
        user = self._live.get(name)
        if user is not None:
            return user
        return self._awaken(name) or self._awaken(name.lower())

    def names(self) -> Iterator[str]:
        """Yield the names of all users: in the order loaded, then in the order added."""
        for name in self._loaded:
            if name not in self._removed:
                yield name
        yield from self._added

    def __contains__(self, name: object) -> bool:
        """Whether there is a user with exactly this name."""
        return name in self._added or (name in self._loaded and name not in self._removed)

    def count(self) -> int:
        """Return how many users there are."""
        return len(self._loaded) - len(self._removed) + len(self._added)

    def add_user(
        self,
        name: str,
        password: str = "pass",
        *,
        quota: str | int | Iterable[QuotaRoot] | None = "1G",
        quota_messages: int | None = None,
        quota_grace: str | int | None = None,
        uid: int = 5000,
        gid: int = 5000,
        home: str | None = None,
        userdb: Mapping[str, str] | None = None,
        passdb: Mapping[str, str] | None = None,
    ) -> User:
        """Add and return a user with an empty INBOX.

        `quota` and `quota_grace` are sizes as "10M" or bytes, `quota=None` no limit; a list of
        quota roots says it all. Raises StoreError if the name is taken or empty, a size is
        wrong, or roots are what `User.quota_roots` does not take.
        """
        if not name:
            raise StoreError("a user's name must not be empty")
        if name in self:
            raise StoreError(f'there is a user "{name}" already')
        seed = UserSeed(
            name=name,
            password=password,
            uid=uid,
            gid=gid,
            home=f"/home/{name}" if home is None else home,
            quota_roots=_roots(quota, quota_messages, quota_grace),
            userdb=tuple((userdb or {}).items()),
            passdb=tuple((passdb or {}).items()),
        )
        self._added[name] = None
        self._live[name] = user = self._live_user(seed)
        return user

    def mail_at(self, path: str) -> User | None:
        """Return whose mail lies at `path`: a user's own or a copy; None if there is none."""
        path = posixpath.normpath(path)
        user = self.lookup(posixpath.basename(posixpath.dirname(path)))
        if user is not None and path == f"{user.home}/mdbox":
            return user
        return self.places.get(path)

    def new_place(self, path: str, owner: User) -> User:
        """Return the mail that `owner` begins to keep at `path`: at first there is no mailbox."""
        self.places[posixpath.normpath(path)] = place = self.no_mail(owner)
        return place

    def no_mail(self, owner: User) -> User:
        """Return what `owner` has where nothing is."""
        seed = UserSeed(
            name=owner.name,
            uid=owner.uid,
            gid=owner.gid,
            home=owner.home,
            alternative_known=False,
            without_inbox=True,
        )
        return self._live_user(seed)

    def add_session(
        self, user: str, service: str = "imap", *, pid: int = 1, ip: str = "127.0.0.1"
    ) -> LoginSession:
        """Log a user in, who need not be one of the store's, and return the session.

        Raises StoreError if `ip` is no IP address.
        """
        if not is_address(ip):
            raise StoreError(f'"{ip}" is no IP address')
        session = LoginSession(user, service, pid, ip)
        self.sessions.append(session)
        return session

    def remove_user(self, name: str) -> None:
        """Remove the user `name` with all mail; raises UnknownNameError if there is none."""
        if name not in self:
            raise self.unknown(name)
        self._live.pop(name, None)
        if name in self._added:
            del self._added[name]
        else:
            self._removed.add(name)

    def snapshot(self) -> Snapshot:
        """Return what the store is now, for `restore`."""
        frozen = {name: user.freeze() for name, user in self._live.items()}
        earlier = {name: seed for name, seed in self._point.changed.items() if name in self}
        return Snapshot(
            changed=earlier | frozen,
            added=tuple(self._added),
            removed=frozenset(self._removed),
            sessions=tuple(self.sessions),
            keys=self.dict.copy(),
            files=self.files.copy(),
            places={path: user.freeze() for path, user in self.places.items()},
            daemons=self.daemons.copy(),
        )

    def restore(self, snapshot: Snapshot | None = None) -> None:
        """Go back to `snapshot`, taken of this store, or to what was loaded.

        `User` and `Mailbox` objects taken from the store before are detached from it.
        """
        self._point = point = snapshot or self._start
        self._live.clear()
        self._added = dict.fromkeys(point.added)
        self._removed = set(point.removed)
        self.sessions[:] = point.sessions
        self.dict.clear()
        self.dict.update(point.keys)
        self.files.clear()
        self.files.update(point.files)
        self.places.clear()
        self.places.update((path, self._live_user(seed)) for path, seed in point.places.items())
        self.daemons.become(point.daemons)

    def unknown(self, name: str) -> UnknownUserError:
        """Return the error that there is no user `name`, with a near one if there is any."""
        near = did_you_mean(name, islice(self.names(), _NEAR_NAMES))
        return UnknownUserError(f'there is no user "{name}"{near}')

    def _awaken(self, name: str) -> User | None:
        user = self._live.get(name)
        if user is None and name in self:
            seed = self._point.changed.get(name) or self._loaded[name]
            self._live[name] = user = self._live_user(seed)
        return user

    def _live_user(self, seed: UserSeed) -> User:
        return User(seed, self.clock, self.random)


class Users(Mapping[str, User]):
    """The users of a store by name; reading one brings it to life."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        """Show the users of `store`."""
        self._store = store

    def __getitem__(self, name: str) -> User:
        """Return the user `name`; raises UnknownNameError, with a near name, without one."""
        user = self._store.lookup(name)
        if user is None:
            raise self._store.unknown(name)
        return user

    def __contains__(self, name: object) -> bool:
        return name in self._store

    def __iter__(self) -> Iterator[str]:
        return self._store.names()

    def __len__(self) -> int:
        return self._store.count()


def _roots(
    quota: str | int | Iterable[QuotaRoot] | None, messages: int | None, grace: str | int | None
) -> tuple[QuotaRoot, ...]:
    if quota is None or isinstance(quota, str | int):
        return (QuotaRoot.of(DEFAULT_ROOT, quota, messages, grace),)
    if messages is not None or grace is not None:
        raise StoreError(
            "quota_messages and quota_grace belong into the quota roots that are given"
        )
    return checked_roots(quota)


def _by_name(seeds: Iterable[UserSeed]) -> dict[str, UserSeed]:
    users: dict[str, UserSeed] = {}
    for seed in seeds:
        if seed.name in users:
            raise StoreError(f'there are two users "{seed.name}"')
        users[seed.name] = seed
    return users
