"""Makes a call of an `[execute.NAME]` block: release, user and directories are its file's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, Unpack

import msgspec

from fakedove.config import Config, load_config
from fakedove.configured import release_of, store_of
from fakedove.dovecot.program_client import Verdict
from fakedove.dovecot.reply import Level
from fakedove.dovecot.userdb import Account, userdb_fields
from fakedove.dovecot.variables import Surroundings, UnknownVariable, expand_braces
from fakedove.errors import ConfigurationError, did_you_mean
from fakedove.execute_blocks import ExecuteBlock
from fakedove.program_client.call import Call, CallOptions, Driver, Target, make_call
from fakedove.program_client.outcome import Execution
from fakedove.sessions.server_log import LogRecord

#: Settings that may hold variables.
_TEXTS: Final = ("args", "unix_socket_path", "fork_path", "tcp_host")


def call_by_block(
    file: str | os.PathLike[str],
    name: str | None,
    user: str | None,
    args: Sequence[str | bytes],
    **options: Unpack[CallOptions],
) -> Call | Execution:
    """Return the call that a block of a configuration file makes for `user`.

    `args` come after the block's own. Without a name the one block there is is meant; two are
    what a feature of Dovecot refuses when it is used, so that is an execution and not an
    error. Raises ConfigurationError, UnknownNameError.
    """
    config = load_config(file, dovecot=options.get("dovecot"))
    release = release_of(config)
    if not release.script.execute_blocks:
        raise ConfigurationError(
            f"execute: Dovecot {release.number} has no execute blocks; choose 2.4.0 or newer"
        )
    if name is None and len(config.execute) > 1:
        return _refusal(*list(config.execute)[:2])
    block = _filled_in(_chosen(config, name), config, user)
    options["dovecot"] = release.number
    return make_call(_target(block, config), [*block.words(), *args], **options)


def _chosen(config: Config, name: str | None) -> ExecuteBlock:
    if not config.execute:
        raise ConfigurationError("execute: there is no [execute.NAME]")
    if name is None:
        (block,) = config.execute.values()
        return block
    if name not in config.execute:
        near = did_you_mean(name, config.execute)
        known = ", ".join(config.execute)
        raise ConfigurationError(f"execute: there is no [execute.{name}]{near} (there is: {known})")
    return config.execute[name]


def _refusal(first: str, second: str) -> Execution:
    """Return what becomes of two blocks where one is allowed (recording welcome-conf-two)."""
    text = (
        f"Extra execute {second} {{ .. }} named list filter - only one execution is allowed for "
        f"now (previous: execute {first} {{ .. }})"
    )
    return Execution(Verdict.INTERNAL_FAILURE, log=(LogRecord(b"", Level.ERROR, text.encode()),))


def _target(block: ExecuteBlock, config: Config) -> Target:
    match Driver(block.driver):
        case Driver.TCP:
            return Target(Driver.TCP, "", block.tcp_host, block.tcp_port)
        case Driver.FORK:
            return Target(Driver.FORK, block.fork_path)
        case _:
            return Target(Driver.UNIX, _socket_path(block, config))


def _socket_path(block: ExecuteBlock, config: Config) -> str:
    path = Path(block.unix_socket_path)
    if not path.is_absolute() and config.base_dir is None:
        raise ConfigurationError(
            f"execute.{block.name}.unix_socket_path: "
            f'"{path}" is below base_dir, which is not configured'
        )
    return str(Path(config.base_dir or "/", path).absolute())


def _filled_in(block: ExecuteBlock, config: Config, user: str | None) -> ExecuteBlock:
    """Return a block without variables; they are filled in before the arguments are split."""
    filled = {key: _fill(block, key, config, user) for key in _TEXTS}
    return msgspec.structs.replace(block, **filled)


def _fill(block: ExecuteBlock, key: str, config: Config, name: str | None) -> str:
    text: str = getattr(block, key)
    if "%{" not in text:
        return text
    where = f"execute.{block.name}.{key}"
    if name is None:
        raise ConfigurationError(f'{where}: "{text}" needs a user')
    user = store_of(config, config.base_dir or str(Path.cwd())).users[name]
    release = release_of(config)
    around = Surroundings(
        config.hostname, release.number, config.clock or datetime.now(UTC), Random(config.seed)
    )
    try:
        return expand_braces(text, user, userdb_fields(Account.of(user), release), around)
    except UnknownVariable as problem:
        raise ConfigurationError(f"{where}: {problem}") from None
