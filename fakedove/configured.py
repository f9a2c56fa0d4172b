"""What a configuration means to a fake: release, store, listeners' settings, stubs."""

from __future__ import annotations

from collections.abc import Callable

from fakedove.config import Config
from fakedove.double.selection import Arguments
from fakedove.double.spelling import Spelling
from fakedove.double.stubs import Stub, Stubs
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.release import Release
from fakedove.dovecot.releases import choose_release
from fakedove.dovecot.scripts import ScriptService
from fakedove.dovecot.store import Store
from fakedove.dovecot.store_file import DEMO_STORE, load_store
from fakedove.errors import StubError
from fakedove.sessions.world import ListenerSettings
from fakedove.stub_settings import StubSetting


def store_of(config: Config, directory: str) -> Store:
    """Return the store as it was configured, loading its file; raises StoreError."""
    if isinstance(config.store, Store):
        return config.store
    path = DEMO_STORE if config.store is None else config.store
    return load_store(path, directory=directory, clock=Clock(config.clock))


def release_of(config: Config) -> Release:
    """Return the row of the release to behave as; raises ConfigurationError."""
    return choose_release(config.dovecot, config.protocol)


def sockets_of(config: Config) -> list[object]:
    """Return what cannot change while the listeners stay, fit to be compared."""
    return [(one.name, one.service, one.path, one.mode, one.address) for one in config.listener]


def listener_settings(config: Config) -> dict[str, ListenerSettings]:
    """Return what the sessions of each listener go by, by its name."""
    return {
        one.name: ListenerSettings(
            one.name,
            one.doveadm_password.encode(),
            frozenset(map(str.encode, one.doveadm_allowed_commands)) or None,
            one.ssl.value,
            one.tls,
            one.service_count,
        )
        for one in config.listener
    }


def armed_stubs(release: Release, config: Config, spelling: Spelling | None = None) -> Stubs:
    """Return the stubs and expectations of the configuration; raises StubError with its place."""
    stubs = Stubs(release, spelling, unmatched_fails=config.unmatched_fails)
    for settings, select in ((config.stub, stubs.on), (config.expect, stubs.expect)):
        for setting in settings:
            try:
                _arm(_selected(setting, select), setting)
            except StubError as error:
                raise StubError(f"{setting.where}: {error}") from None
    return stubs


def _selected(setting: StubSetting, select: Callable[..., Stub]) -> Stub:
    args: Arguments | None = setting.args
    if setting.args and setting.args[-1] == "...":
        args = (*setting.args[:-1], ...)
    return select(
        setting.command,
        user=setting.user,
        args=args,
        listener=setting.listener,
        times=setting.times,
        where=setting.where,
    )


def _arm(stub: Stub, setting: StubSetting) -> None:
    if setting.fail is not None:
        stub.fail(setting.fail, delay=setting.delay, log=setting.log)
    elif setting.raw is not None:
        stub.raw(setting.raw, delay=setting.delay, log=setting.log)
    elif setting.reply is not None:
        stub.reply(setting.reply, delay=setting.delay, log=setting.log)
    elif setting.passthrough:
        stub.passthrough(delay=setting.delay, log=setting.log)


def script_services(config: Config) -> dict[str, ScriptService]:
    """Return the script services by listener; raises ConfigurationError."""
    release = release_of(config)
    services: dict[str, ScriptService] = {}
    for one in config.listener:
        if one.script is not None:
            script = config.script[one.script]
            services[one.name] = service = ScriptService(
                name=one.script,
                program=script.executable,
                accept_env=script.accept_env,
                passthrough=script.passthrough,
                dotstream=script.dotstream,
                record=script.record,
                process_limit=script.process_limit,
            )
            service.check(release)
    return services
