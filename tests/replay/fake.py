"""The fake that recordings are replayed on: the recorder's store and listeners."""

from __future__ import annotations

import functools
import re
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec

from fakedove.certificates import make_server_certificate
from fakedove.double.stubs import Stubs
from fakedove.dovecot.attachments import keyword_of
from fakedove.dovecot.command_spans import MAIN
from fakedove.dovecot.flag_changes import used_keywords
from fakedove.dovecot.mailbox_seed import MailboxSeed
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import find_release
from fakedove.dovecot.services import Service
from fakedove.dovecot.store import Store
from fakedove.dovecot.store_file import load_store
from fakedove.dovecot.user_seed import UserSeed
from fakedove.net.tls import server_context
from fakedove.plan import Peer
from fakedove.sessions.doveadm import DoveadmSession
from fakedove.sessions.world import ListenerSettings, World
from tests.replay import memory
from tests.replay.compare import Heard
from tests.replay.transcripts import Conversation, load

STORE = Path(__file__).resolve().parents[2] / "fixtures" / "stores" / "recorded" / "store.toml"
DIRECTORY = "/srv/oracle"
VALUES = {"dir": DIRECTORY}
_PASSWORD = b"secret"
_UNIX, _OPEN_UNIX, _TCP = Peer(mode=0o600), Peer(mode=0o666), Peer(address="127.0.0.1")
_ALLOWED_24 = frozenset({b"who", b"mailbox list", b"quota get"})
_ALLOWED_23 = frozenset({b"mailbox list", b"quota get"})


#: A directory that stood outside the recorder's pristine copies, save for one release.
_LEFT_BEHIND = "../../nonexistent/"
#: What was answered by a new process although an older one was to be had.
_NEW_PROCESS = {("2.2.33", "x.second-service.mailbox-list@1.3")}
#: Releases recorded with Sieve, whose scripts are attributes of INBOX.
_WITH_SIEVE = ("2.3.19.1", "2.4.1")
#: Releases that had counted no changes yet; tss's folders, oldest first, where the recorder's file
#: system listed them by hash.
_HASHED = ("Työ", "Työ/Ääni €", "Archive", "Archive/2024", "Sent")
_FOLDERS = {
    "2.1.16": ("Trash", "INBOX", *_HASHED),
    "2.2.13": ("INBOX", "Trash", *_HASHED),
}


@functools.cache
def recorded_store(dovecot: str) -> Store:
    """Return the recorder's mail store, built once for each release."""
    store = load_store(STORE, directory=DIRECTORY, random=Random(1))
    if dovecot in _WITH_SIEVE:
        return store
    seeds = [_made_by(dovecot, store.users[name].freeze()) for name in store.names()]
    return Store(seeds, keys=store.dict, files=store.files, random=Random(1))


def _made_by(dovecot: str, user: UserSeed) -> UserSeed:
    """Return the user as a release without Sieve made it."""
    sieve = len(user.sieve_scripts) + (user.sieve_active is not None)
    boxes = tuple(
        _box_made_by(dovecot, box, sieve if box.name == "INBOX" else 0) for box in user.mailboxes
    )
    folders = _FOLDERS.get(dovecot, user.folders) if user.name == "tss" else user.folders
    return msgspec.structs.replace(user, mailboxes=boxes, folders=folders)


def _box_made_by(dovecot: str, box: MailboxSeed, sieve: int) -> MailboxSeed:
    """Return a mailbox that `sieve` changes less were made to."""
    if release_of(dovecot).detects_attachments:
        return _with_detected(box, sieve)
    counts = dovecot not in _FOLDERS
    modseqs = [one.modseq - sieve if counts else 1 for one in box.messages]
    messages = tuple(
        msgspec.structs.replace(one, modseq=modseq)
        for one, modseq in zip(box.messages, modseqs, strict=True)
    )
    highest = box.highestmodseq - sieve if counts else 1
    return msgspec.structs.replace(box, messages=messages, highestmodseq=highest)


def _with_detected(box: MailboxSeed, less: int) -> MailboxSeed:
    highest = box.highestmodseq + len(box.messages) - less
    messages = tuple(
        msgspec.structs.replace(
            one, keywords=(keyword_of(one.data, decoded=True), *one.keywords), modseq=highest
        )
        for one in box.messages
    )
    return msgspec.structs.replace(
        box, messages=messages, keywords=used_keywords(messages), highestmodseq=highest
    )


@functools.cache
def certificate_context(alpn: bool) -> ssl.SSLContext:
    """Return a TLS context for the server side."""
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_server_certificate(Path(directory) / "tls")
        return server_context(str(certificate.certificate), str(certificate.key), alpn)


def release_of(dovecot: str) -> Release:
    """Return the row of a recording's `dovecot` field."""
    return find_release(MAIN if dovecot.startswith(MAIN) else dovecot)


@dataclass(frozen=True, slots=True)
class Listener:
    """One of the recorder's listeners: what its sessions go by, and who connects."""

    settings: ListenerSettings
    peer: Peer


def listener(name: str, release: Release) -> Listener:
    """Return the recorder's listener of this name."""
    settings = functools.partial(ListenerSettings, name=name, password=_PASSWORD)
    match name:
        case "unix":
            return Listener(settings(), _UNIX)
        case "unix-second":
            return Listener(settings(service_count=0), _UNIX)
        case "unix-auth":
            return Listener(settings(), _OPEN_UNIX)
        case "tcp":
            return Listener(settings(), _TCP)
        case "ssl":
            return Listener(settings(ssl="yes"), _TCP)
        case "tcp-restricted":
            allowed = _ALLOWED_24 if release.option else _ALLOWED_23
            return Listener(settings(allowed_commands=allowed), _TCP)
        case "tcp-nopassword":
            return Listener(ListenerSettings(name=name), _TCP)
        case "nossl:tcp":
            return Listener(settings(ssl="no"), _TCP)
        case "nocert:tcp":
            return Listener(settings(ssl="no", certificate=False), _TCP)
    raise ValueError(f"no listener {name}")


def _other_hosts_port(conversation: Conversation) -> int:
    """Return the port at which other hosts would be asked; it was set where nobody had mail."""
    found = (re.match(r"doveadm_port=(\d+)", given) for given in conversation.given)
    return next((int(match[1]) for match in found if match), 0)


def _store_without_mail() -> Store:
    store = Store(random=Random(1))
    store.add_user("tss")
    return store


@contextmanager
def world_of(conversation: Conversation) -> Iterator[World]:
    """Give a world as the recorder had it, and put the store back afterwards."""
    release = release_of(conversation.dovecot)
    port = _other_hosts_port(conversation)
    store = _store_without_mail() if port else recorded_store(conversation.dovecot)
    store.daemons.services["doveadm2"] = Service("doveadm2", 100, 1)
    if conversation.dovecot != "2.4.1":
        store.files[_LEFT_BEHIND] = b""
    for given in conversation.given:
        kind, _, rest = given.partition(":")
        if kind == "file":
            name, _, content = rest.partition("=")
            store.files[name] = content.encode("latin-1")
        elif kind == "imap":
            store.add_session(rest, pid=len(store.sessions) + 1)

    def read_file(path: str) -> bytes:
        try:
            return store.files[path.removeprefix(f"{DIRECTORY}/")]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    try:
        yield World(
            release,
            store,
            Stubs(release),
            read_file=read_file,
            base_dir=f"{DIRECTORY}/run",
            directory=DIRECTORY,
            doveadm_port=port,
            random=Random(2),
        )
    finally:
        store.restore()


def replay(
    conversation: Conversation, world: World, values: Mapping[str, str] = VALUES
) -> list[Heard]:
    """Play a conversation on a session of its own, after those that its process had before."""
    for one in _served_before(conversation):
        _play(one, world, values)
    return _play(conversation, world, values)


def _served_before(conversation: Conversation) -> Iterator[Conversation]:
    """Yield what was recorded of the same process earlier, where one serves many."""
    release = MAIN if conversation.dovecot.startswith(MAIN) else conversation.dovecot
    if conversation.listener != "unix-second" or (release, conversation.id) in _NEW_PROCESS:
        return
    for one in load(release):
        if one.id == conversation.id:
            return
        if one.listener == conversation.listener:
            yield one


def _play(conversation: Conversation, world: World, values: Mapping[str, str]) -> list[Heard]:
    where = listener(conversation.listener, world.release)
    session = DoveadmSession(world, where.settings)
    return memory.play(
        conversation,
        session,
        where.peer,
        lambda: certificate_context(world.release.alpn.offered(where.settings.ssl)),
        values,
    )
