"""Build the mail store of a store.toml in a running Dovecot, through its own services.

Mailboxes, GUIDs, metadata, ACLs and Sieve scripts by doveadm commands over the UNIX socket,
mails by IMAP APPEND, which takes flags and the time of receipt in one transaction: so
modification sequences come out as small as they can be.
"""

from __future__ import annotations

import base64
import datetime
import imaplib
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

Table: TypeAlias = dict[str, object]

#: Seconds that the server may take for one answer.
_PATIENCE = 20


def load(path: Path) -> Table:
    """Read a store file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def tables(table: Table, key: str) -> list[Table]:
    """Return an array of tables, empty if absent."""
    return cast("list[Table]", table.get(key, []))


def text(table: Table, key: str) -> str:
    """Return a string that must be there."""
    return cast("str", table[key])


def names(store: Table) -> list[str]:
    """Return the names of the users, in the order of the file."""
    return [text(user, "name") for user in tables(store, "user")]


def passwd_file(store: Table, folder: str, rule: str) -> str:
    """Write the users as passwd-file lines; `rule` is the quota field, e.g. `x=*:storage=%s`.

    A quota of 1G is the default in the configuration, so that `user` shows no field for it; nor
    for quota roots with names, which are in the configuration too.
    """
    lines: list[str] = []
    for user in tables(store, "user"):
        home = text(user, "home").replace("{{dir}}", folder)
        fields = [text(user, "name"), "{PLAIN}" + text(user, "password")]
        fields += [str(user["uid"]), str(user["gid"]), "", home, ""]
        quota = user.get("quota_storage", "1G")
        lines.append(":".join([*fields, "" if quota == "1G" else rule % quota]) + "\n")
    return "".join(lines)


def dict_file(store: Table) -> str:
    """Write the dict as Dovecot's file driver keeps it: key and value lines, escaped."""
    entries = cast("dict[str, str]", store.get("dict", {}))
    return "".join(f"{_escape(key)}\n{_escape(value)}\n" for key, value in entries.items())


def mailbox_guids(store: Table) -> list[str]:
    """Return the GUIDs of all mailboxes of all users."""
    mailboxes = (one for user in tables(store, "user") for one in tables(user, "mailbox"))
    return [text(mailbox, "guid") for mailbox in mailboxes]


def files(store: Table) -> dict[str, str]:
    """Return the files below the server's folder: path and content."""
    return cast("dict[str, str]", store.get("files", {}))


class Builder:
    """Fills the store of a running server."""

    def __init__(self, doveadm: str, imap: tuple[str, int], folder: Path) -> None:
        """Take the doveadm socket's path, the IMAP address and the store file's folder."""
        self._doveadm, self._imap, self._folder = doveadm, imap, folder

    def build(self, store: Table) -> None:
        """Create everything that the users of the store have."""
        for user in tables(store, "user"):
            for mailbox in tables(user, "mailbox"):
                self._create(text(user, "name"), mailbox)
            self._deliver(user)
            for mailbox in tables(user, "mailbox"):
                self._decorate(text(user, "name"), mailbox)
            self._install_scripts(user)

    def mails(self, user: str) -> list[tuple[str, str, str]]:
        """Return mailbox, UID and GUID of every mail of a user."""
        fields = self.command(user, "fetch", "mailbox uid guid", "all").split("\t")
        return [(fields[n], fields[n + 1], fields[n + 2]) for n in range(0, len(fields) - 1, 3)]

    def _create(self, user: str, mailbox: Table) -> None:
        name = text(mailbox, "name")
        self.command(user, "mailbox create", "-g", text(mailbox, "guid"), name)
        validity = str(mailbox["uidvalidity"])
        self.command(user, "mailbox update", "--uid-validity", validity, name)
        if mailbox.get("subscribed"):
            self.command(user, "mailbox subscribe", name)

    def _deliver(self, user: Table) -> None:
        mailboxes = [mailbox for mailbox in tables(user, "mailbox") if "mail" in mailbox]
        if not mailboxes:
            return
        for mailbox in mailboxes:
            # One process for each: what it keeps of one index makes it purge another's cache.
            with imaplib.IMAP4(*self._imap, timeout=_PATIENCE) as client:
                client.login(text(user, "name"), text(user, "password"))
                for mail in tables(mailbox, "mail"):
                    self._append(client, text(mailbox, "name"), mail)

    def _append(self, client: imaplib.IMAP4, mailbox: str, mail: Table) -> None:
        data = (self._folder / text(mail, "file")).read_bytes()
        flags = " ".join(cast("list[str]", mail["flags"]))
        received = cast("datetime.datetime", mail["received"])
        for _ in range(cast("int", mail.get("copies", 1))):
            status, answer = client.append(
                f'"{mutf7(mailbox)}"', flags, imaplib.Time2Internaldate(received), data
            )
            if status != "OK":
                raise RuntimeError(f"APPEND to {mailbox}: {answer!r}")

    def _decorate(self, user: str, mailbox: Table) -> None:
        name = text(mailbox, "name")
        for key, value in cast("dict[str, str]", mailbox.get("metadata", {})).items():
            if key != "/private/specialuse":  # Comes from settings; setting it is refused.
                self.command(user, "mailbox metadata set", name, key, value)
        for identifier, rights in cast("dict[str, list[str]]", mailbox.get("acl", {})).items():
            self.command(user, "acl set", name, identifier, *rights)

    def _install_scripts(self, user: Table) -> None:
        sieve = cast("Table", user.get("sieve", {}))
        for script, file in cast("dict[str, str]", sieve.get("scripts", {})).items():
            body = (self._folder / file).read_text(encoding="utf-8")
            self.command(text(user, "name"), "sieve put", script, body=body)
        if "active" in sieve:
            self.command(text(user, "name"), "sieve activate", text(sieve, "active"))

    def command(self, user: str, name: str, *arguments: str, body: str | None = None) -> str:
        """Run one doveadm command and return its answer; anything but `+` is an error."""
        line = "\t".join(["", user, name, *map(_escape, arguments)]) + "\n"
        after = "" if body is None else re.sub(r"(?m)^\.", "..", body) + "\n.\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(self._doveadm)
            connection.sendall(b"VERSION\tdoveadm-server\t1\t0\n" + (line + after).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while data := connection.recv(65536):
                answer += data
        if not answer.startswith(b"+\n") or not answer.endswith(b"\n+\n"):
            raise RuntimeError(f"{user}: {name} {arguments}: answered {answer!r}")
        return answer[2:-3].decode("utf-8", "replace")


def mutf7(name: str) -> str:
    """Encode a mailbox name as IMAP has it (RFC 3501, 5.1.3)."""

    def encoded(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        digits = base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=")
        return "&" + digits.replace("/", ",") + "-"

    return re.sub(r"&|[^\x20-\x7e]+", encoded, name)


def _escape(value: str) -> str:
    table: Mapping[str, str] = {"\x01": "\x011", "\t": "\x01t", "\n": "\x01n", "\r": "\x01r"}
    return "".join(table.get(character, character) for character in value)
