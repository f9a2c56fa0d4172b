"""The configuration: one TOML file, or the same keys as keyword arguments.

`load_config` reads a file, `make_config` takes keywords; both check everything that can be
checked without a server and raise ConfigurationError, one line that begins with the path of
the setting: `listener[2].mode: ...`. Which release `dovecot` or `protocol` names is resolved
elsewhere. Keys and services of the contract that are not built yet are refused by name.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from fakedove.dovecot.scripts import DEFAULT_PROCESS_LIMIT
from fakedove.dovecot.store import Store
from fakedove.dovecot.toml_table import Table
from fakedove.errors import ConfigurationError, did_you_mean
from fakedove.execute_blocks import ExecuteBlock, beside, read_blocks
from fakedove.stub_settings import StubSetting, expectations, stubs

#: Services that a listener can have now, and those of later work.
SERVICES = ("doveadm", "script")
LATER_SERVICES = ("doveadm-http", "imap", "script-login", "admin")

_KEYS = (
    *("dovecot", "protocol", "doveadm_password", "doveadm_allowed_commands", "doveadm_port"),
    *("store", "clock", "seed", "base_dir", "listener", "script", "execute", "tls", "stub"),
    *("expect", "unmatched", "hostname"),
)
_LATER_KEYS = ("doveadm_api_key", "plugin", "post_login")
_LISTENER_KEYS = (
    *("name", "service", "script", "path", "mode", "address", "ssl", "tls"),
    *("doveadm_password", "doveadm_allowed_commands", "service_count"),
)
_SCRIPT_KEYS = (
    *("executable", "accept_env", "passthrough", "dotstream", "record", "process_limit"),
)
_TLS_KEYS = ("cert", "key")
_UNMATCHED = ("store", "fail")

#: The listeners of a configuration that names none, besides a socket for each script service.
_DEFAULT_LISTENERS = (
    {"name": "unix", "path": "doveadm-server", "mode": "0600"},
    {"name": "tcp", "address": "127.0.0.1:0"},
    {"name": "tls", "address": "127.0.0.1:0", "ssl": "yes"},
)


class Ssl(StrEnum):
    """When a listener speaks TLS."""

    NO = "no"
    #: After the client asked for it.
    STARTTLS = "starttls"
    #: From the first byte.
    YES = "yes"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """One socket to listen on; it has either a `path` or an `address`."""

    name: str
    service: str = "doveadm"
    #: Which [script.NAME] a script service runs; None for another service.
    script: str | None = None
    #: As given: relative to base_dir.
    path: str | None = None
    #: Permission bits of the UNIX socket; 0o600 alone means pre-authenticated.
    mode: int = 0o600
    #: Host and port; port 0 is a free one.
    address: tuple[str, int] | None = None
    ssl: Ssl = Ssl.STARTTLS
    #: False: no certificate is configured here, whatever [tls] says.
    tls: bool = True
    #: The listener's own setting, or else the general one.
    doveadm_password: str
    doveadm_allowed_commands: tuple[str, ...] = ()
    #: Connections that one doveadm process serves, one after another; 0: any number.
    service_count: int = 1

    @property
    def speaks_tls(self) -> bool:
        """Whether clients can speak TLS here: one that is pre-authenticated cannot ask for it."""
        preauthenticated = self.address is None and self.mode == 0o600
        return self.tls and (self.ssl is Ssl.YES or not preauthenticated)


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a script service runs: `executable = script [-e NAMES] [-p] PROGRAM ARGUMENTS`."""

    #: Absolute path of the program, and the arguments before the client's; empty: no program.
    executable: tuple[str, ...] = ()
    #: Variables that clients may set (-e).
    accept_env: tuple[str, ...] = ()
    #: No header is read and no result code written (-p).
    passthrough: bool = False
    #: Stdin and stdout are dot-streams.
    dotstream: bool = False
    #: Stdin and stdout of the program are kept in the journal.
    record: bool = False
    #: Connections that are served at a time; others wait.
    process_limit: int = DEFAULT_PROCESS_LIMIT


class Tls(msgspec.Struct, frozen=True):
    """Certificate and key: paths of PEM files."""

    cert: str
    key: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration, checked."""

    dovecot: str | None
    protocol: str | None
    doveadm_password: str
    #: What the server calls itself.
    hostname: str
    doveadm_port: int
    #: Path of the store file, or the store itself; None: the embedded demo store.
    store: str | Store | None
    #: When the clock stands still at the start; None: it runs.
    clock: datetime | None
    #: Of the random source, for GUIDs and session ids; None: they differ each time.
    seed: int | None
    #: None: a fresh temporary directory.
    base_dir: str | None
    listener: tuple[Listener, ...]
    script: Mapping[str, Script]
    #: What `execute` may be asked for; a fake itself does nothing with it.
    execute: Mapping[str, ExecuteBlock]
    #: None: a generated CA and certificate.
    tls: Tls | None
    stub: tuple[StubSetting, ...]
    expect: tuple[StubSetting, ...]
    #: What nothing matches is an error, not the store's.
    unmatched_fails: bool

    @property
    def speaks_tls(self) -> bool:
        """Whether there is a listener that speaks TLS."""
        return any(one.speaks_tls for one in self.listener)


def load_config(path: str | os.PathLike[str], **settings: object) -> Config:
    """Read the TOML file `path`; `settings` take the place of its keys, None is not given.

    Relative paths in the file are relative to the file, those in `settings` to the current
    directory. A listener's path stays as it is: it belongs below base_dir. Raises
    ConfigurationError.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            values = tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{file}: is not valid TOML: {error}") from None
    given = {key: value for key, value in settings.items() if value is not None}
    return _config(_anchored(values, file.parent) | given)


def make_config(**settings: object) -> Config:
    """Make a configuration of keyword arguments named like the keys; None is not given.

    >>> make_config(listener=[{"name": "a", "address": "[::1]:0"}]).listener[0].address
    ('::1', 0)
    """
    return _config({key: value for key, value in settings.items() if value is not None})


def script_socket(name: str) -> dict[str, str]:
    """Return the listener that a script service has where none is configured."""
    return {"name": name, "service": "script", "script": name, "path": name, "mode": "0666"}


def _config(values: Mapping[str, object]) -> Config:
    top = Table(values, _KEYS, ConfigurationError, later=_LATER_KEYS)
    port = top.integer("doveadm_port", 0)
    if port > 65535:
        raise top.error("doveadm_port", f"must be a port, 0 to 65535, not {port}")
    scripts = _scripts(top)
    return Config(
        dovecot=top.optional_text("dovecot"),
        protocol=top.optional_text("protocol"),
        doveadm_password=top.text("doveadm_password", "secret"),
        hostname=top.text("hostname", "localhost"),
        doveadm_port=port,
        store=top.path_or("store", Store) if "store" in top else None,
        clock=top.optional_moment("clock"),
        seed=top.optional_integer("seed"),
        base_dir=top.path("base_dir") if "base_dir" in top else None,
        listener=_listeners(top, scripts),
        script=scripts,
        execute=read_blocks(top),
        tls=_tls(top) if "tls" in top else None,
        stub=stubs(top),
        expect=expectations(top),
        unmatched_fails=top.choice("unmatched", _UNMATCHED, "store") == "fail",
    )


def _anchored(values: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Return `values` with the paths that are relative to the file's folder put below it."""
    anchored = dict(values)
    for key in ("store", "base_dir"):
        if isinstance(path := values.get(key), str):
            anchored[key] = str(folder / path)
    if isinstance(scripts := values.get("script"), Mapping):
        anchored["script"] = {name: _beside(script, folder) for name, script in scripts.items()}
    if isinstance(blocks := values.get("execute"), Mapping):
        anchored["execute"] = {name: beside(block, folder) for name, block in blocks.items()}
    if isinstance(tls := values.get("tls"), Mapping):
        anchored["tls"] = {
            key: str(folder / path) if isinstance(path, str) and key in _TLS_KEYS else path
            for key, path in tls.items()
        }
    return anchored


def _beside(script: object, folder: Path) -> object:
    """Return a script's settings with its program looked for in `folder`."""
    if not isinstance(script, Mapping) or not isinstance(script.get("executable"), list):
        return script
    program, *arguments = script["executable"] or [""]
    if not isinstance(program, str) or not program:
        return script
    return {**script, "executable": [str(folder / program), *arguments]}


def _tls(top: Table) -> Tls:
    table = top.table("tls", _TLS_KEYS)
    for key in _TLS_KEYS:
        table.need(key, f'"server.{key}.pem"')
    return Tls(table.path("cert"), table.path("key"))


def _scripts(top: Table) -> dict[str, Script]:
    scripts = top.table("script", None)
    return {name: _script(scripts.table(name, _SCRIPT_KEYS)) for name, _ in scripts.items()}


def _script(table: Table) -> Script:
    return Script(
        executable=_executable(table) if "executable" in table else (),
        accept_env=table.words("accept_env"),
        passthrough=table.boolean("passthrough", default=False),
        dotstream=table.boolean("dotstream", default=False),
        record=table.boolean("record", default=False),
        process_limit=table.integer("process_limit", DEFAULT_PROCESS_LIMIT, minimum=1),
    )


def _executable(table: Table) -> tuple[str, ...]:
    program, *arguments = table.words("executable") or ("",)
    if not program:
        raise table.error("executable", "must begin with a program; leave it out to have none")
    # As a service of Dovecot has it: no search in PATH.
    return (str(Path(program).absolute()), *arguments)


def _listeners(top: Table, scripts: Mapping[str, Script]) -> tuple[Listener, ...]:
    if "listener" not in top:
        sockets = [*_DEFAULT_LISTENERS, *map(script_socket, scripts)]
        default = Table({"listener": sockets}, None, ConfigurationError)
        tables = default.tables("listener", _LISTENER_KEYS)
    else:
        tables = top.tables("listener", _LISTENER_KEYS)
    password = top.text("doveadm_password", "secret")
    allowed = top.words("doveadm_allowed_commands")
    listeners: list[Listener] = []
    for table in tables:
        listener = _listener(table, password, allowed, scripts)
        _refuse_clash(table, listener, listeners)
        listeners.append(listener)
    if not listeners:
        raise top.error("listener", "is empty: leave it out to have unix, tcp and tls")
    return tuple(listeners)


def _listener(
    table: Table, password: str, allowed: tuple[str, ...], scripts: Mapping[str, Script]
) -> Listener:
    table.need("name", '"unix"')
    if ("path" in table) == ("address" in table):
        fault = "stands beside address" if "path" in table else "is missing, and so is address"
        raise table.error("path", f"{fault}: a listener has exactly one of the two")
    if "mode" in table and "address" in table:
        raise table.error("mode", "belongs to a UNIX socket; a listener with address has none")
    service = _service(table)
    return Listener(
        name=table.full_text("name"),
        service=service,
        script=_script_of(table, service, scripts),
        path=table.full_text("path") if "path" in table else None,
        mode=_mode(table),
        address=_address(table) if "address" in table else None,
        ssl=Ssl(table.choice("ssl", tuple(Ssl), Ssl.STARTTLS)),
        tls=table.boolean("tls", default=True),
        doveadm_password=table.text("doveadm_password", password),
        doveadm_allowed_commands=(
            table.words("doveadm_allowed_commands")
            if "doveadm_allowed_commands" in table
            else allowed
        ),
        service_count=_service_count(table, service),
    )


def _service_count(table: Table, service: str) -> int:
    if service != "doveadm" and "service_count" in table:
        raise table.error("service_count", f'belongs to service = "doveadm", not "{service}"')
    return table.integer("service_count", 1)


def _refuse_clash(table: Table, listener: Listener, earlier: list[Listener]) -> None:
    for index, other in enumerate(earlier):
        if listener.name == other.name:
            raise table.error("name", f'"{other.name}" is the name of listener[{index}] already')
        if listener.path is not None and listener.path == other.path:
            raise table.error("path", f'"{other.path}" is that of listener[{index}] already')
        if listener.address and listener.address[1] and listener.address == other.address:
            raise table.error("address", f"is that of listener[{index}] already")


def _service(table: Table) -> str:
    service = table.text("service", "doveadm")
    if service in LATER_SERVICES:
        raise table.error(
            "service", f'"{service}" is not built yet; there is: {", ".join(SERVICES)}'
        )
    return table.choice("service", SERVICES, "doveadm")


def _script_of(table: Table, service: str, scripts: Mapping[str, Script]) -> str | None:
    if service != "script":
        if "script" in table:
            raise table.error("script", f'belongs to service = "script", not "{service}"')
        return None
    table.need("script", '"hello", the NAME of a [script.NAME]')
    name = table.text("script")
    if name not in scripts:
        known = ", ".join(scripts) or "none"
        near = did_you_mean(name, scripts)
        raise table.error("script", f"there is no [script.{name}]{near} (there is: {known})")
    return name


def _mode(table: Table) -> int:
    text = table.text("mode", "0600")
    if not re.fullmatch("0?[0-7]{3}", text):
        raise table.error("mode", f'"{text}" is no mode: it must be octal text such as "0600"')
    return int(text, 8)


def _address(table: Table) -> tuple[str, int]:
    text = table.text("address")
    match = re.fullmatch(
        r"(?:\[([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})", text, re.ASCII
    )
    if match is None or int(match[3]) > 65535:
        raise table.error(
            "address", f'"{text}" is no address: it must be "127.0.0.1:0" or "[::1]:0"'
        )
    return match[1] or match[2], int(match[3])
