"""The pytest plugin: a fake Dovecot for each test, at next to no cost.

`fake_dovecot` is one server for the whole session, reset for each test; what listeners it has
is a matter of `fake_dovecot_config`, which a conftest.py may override. `make_fake_dovecot`
starts servers of the test's own. What goes wrong inside the fake fails the test, and a
failed test shows its conversation.

Nothing of the fake is imported before a test asks for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

import pytest

if TYPE_CHECKING:
    from fakedove.sync import FakeDovecot

Settings: TypeAlias = dict[str, object]

#: Keys that decide which sockets there are: with others a server of its own is needed.
_SOCKET_KEYS = ("config", "base_dir", "listener", "tls")

#: Seconds for a reset, which takes a fraction of a millisecond.
_RESET_SECONDS = 5.0

#: The fakes that a test uses, and what those had to tell that it uses no more.
_FAKES: pytest.StashKey[list[FakeDovecot]] = pytest.StashKey()
_TOLD: pytest.StashKey[list[tuple[str, str]]] = pytest.StashKey()

#: The remedy for a fixture of class, module or session scope.
_OWN_FAKE = """\
fake_dovecot and make_fake_dovecot are of one test, which is what resets them. A fixture of
another scope has a fake of its own:

    @pytest.fixture(scope="class")
    def fake():
        with fakedove.FakeDovecot() as fake:
            yield fake"""

_MARKER = (
    "fakedove(dovecot=..., **settings): keys of the configuration for this test's fake "
    "Dovecot; a list of releases runs the test once for each"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("fakedove", "fake Dovecot")
    group.addoption(
        "--fakedove-dovecot",
        metavar="RELEASE",
        help="behave as this Dovecot release where a test does not say; with --fakedove-target, "
        "which release the real server is",
    )
    group.addoption(
        "--fakedove-target",
        metavar="ADDRESS",
        action="append",
        help="run the tests on a real server at unix:PATH, tcp:HOST:PORT or tls:HOST:PORT "
        "(repeatable); those that need the fake are skipped",
    )
    group.addoption(
        "--fakedove-password",
        metavar="PASSWORD",
        help="the real server's doveadm_password (default: $FAKEDOVE_PASSWORD)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and check the options."""
    config.addinivalue_line("markers", _MARKER)
    for address in config.getoption("fakedove_target") or ():
        _parse_target(address)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each release that its marker lists."""
    releases = _marked(metafunc.definition).get("dovecot")
    if isinstance(releases, list | tuple) and "_fakedove_release" in metafunc.fixturenames:
        metafunc.parametrize("_fakedove_release", releases)


# Fixtures


@pytest.fixture(scope="session")
def fake_dovecot_config() -> Settings:
    """Return keys of the configuration for all fakes; override it in a conftest.py.

    The key "config" is the path of a configuration file.
    """
    return {}


@contextmanager
def _refusing() -> Iterator[None]:
    """Say of a wrong configuration what is wrong, and not where in the fake that was seen."""
    from fakedove.errors import FakeDovecotError

    try:
        yield
        return
    except FakeDovecotError as error:
        problem = str(error)
    pytest.fail(problem, pytrace=False)


@pytest.fixture
def fake_dovecot(
    request: pytest.FixtureRequest,
    _fakedove_settings: Settings,
    _fakedove_servers: _Servers,
) -> Iterator[FakeDovecot]:
    """Give a running fake Dovecot that knows of nothing an earlier test did."""
    if request.config.getoption("fakedove_target"):
        yield cast("FakeDovecot", _target(request))
        return
    fixed = {key: value for key, value in _fakedove_settings.items() if key in _SOCKET_KEYS}
    changes = {key: value for key, value in _fakedove_settings.items() if key not in fixed}
    fake = _fakedove_servers.get(fixed)
    with _refusing():
        fake.reset(keep_connections=False, timeout=_RESET_SECONDS, **changes)
    try:
        with _in_use(request, fake):
            yield fake
    finally:
        fake.reset(timeout=_RESET_SECONDS)


@pytest.fixture
def make_fake_dovecot(
    request: pytest.FixtureRequest, _fakedove_settings: Settings
) -> Iterator[Callable[..., FakeDovecot]]:
    """Give a function that starts a server of the test's own; it ends with the test.

    It takes keys of the configuration, in addition to those of all fakes.
    """
    if request.config.getoption("fakedove_target"):
        pytest.skip("needs a server of its own, which --fakedove-target is not")
    with ExitStack() as running:

        def make(**settings: object) -> FakeDovecot:
            fake = _new(_over(_fakedove_settings, settings)).start()
            running.callback(fake.stop)
            running.enter_context(_in_use(request, fake))
            return fake

        yield make


@pytest.fixture
def _fakedove_release(request: pytest.FixtureRequest) -> object:
    """Return the release that the marker asks for, if any; a list of them parametrizes this."""
    return _marked(request.node).get("dovecot")


@pytest.fixture
def _fakedove_settings(
    request: pytest.FixtureRequest, fake_dovecot_config: Settings, _fakedove_release: object
) -> Settings:
    """Merge the configuration: of all fakes, then the option's, then the marker's."""
    marked = _marked(request.node)
    if _fakedove_release is not None:
        marked["dovecot"] = _fakedove_release
    chosen = request.config.getoption("fakedove_dovecot")
    settings = _over(fake_dovecot_config, {"dovecot": chosen} if chosen else {})
    return _over(settings, marked)


@pytest.fixture(scope="session")
def _fakedove_servers() -> Iterator[_Servers]:
    servers = _Servers()
    yield servers
    servers.stop()


class _Servers:
    """The session's servers, one for each set of sockets that tests ask for."""

    def __init__(self) -> None:
        self._running: dict[str, FakeDovecot] = {}

    def get(self, settings: Settings) -> FakeDovecot:
        """Return the server with these sockets, starting it the first time."""
        key = repr(sorted(settings.items()))
        if key not in self._running:
            self._running[key] = _new(settings).start()
        return self._running[key]

    def stop(self) -> None:
        """End them all, whatever one of them raises."""
        with ExitStack() as stack:
            for fake in self._running.values():
                stack.callback(fake.stop)


def _new(settings: Settings) -> FakeDovecot:
    from fakedove.sync import FakeDovecot

    rest = dict(settings)
    return FakeDovecot(cast("str | None", rest.pop("config", None)), **rest)


def _over(settings: Settings, upper: Settings) -> Settings:
    """Return `settings` overlaid with `upper`; either of them may choose the release."""
    if "dovecot" in upper or "protocol" in upper:
        settings = {key: settings[key] for key in settings.keys() - {"dovecot", "protocol"}}
    return settings | upper


def _marked(node: pytest.Item) -> Settings:
    """Return the settings of all `fakedove` markers; the nearest one counts most."""
    settings: Settings = {}
    for marker in reversed(list(node.iter_markers("fakedove"))):
        if marker.args:
            raise pytest.UsageError(
                f"{node.nodeid}: the fakedove marker takes keywords only, as in "
                'fakedove(dovecot="2.3.19.1")'
            )
        settings = _over(settings, dict(marker.kwargs))
    return settings


# What goes wrong


@contextmanager
def _in_use(request: pytest.FixtureRequest, fake: FakeDovecot) -> Iterator[None]:
    """Have the hooks below look after `fake`; what is wrong with its stubs now is told, too."""
    fakes = request.node.stash.setdefault(_FAKES, [])
    fakes.append(fake)
    yield
    fakes.remove(fake)
    # The fake is about to forget it; a test may have failed while it was torn down.
    request.node.stash.setdefault(_TOLD, []).extend(_sections(fake))
    try:
        fake.raise_crashes()
        _complain(fake)
    finally:
        fake.forget_stubs()


def _complain(fake: FakeDovecot) -> None:
    """Fail for what is wrong with the stubs of `fake`."""
    if complaints := fake.take_complaints():
        # They say it all; the way that the message took is of no interest.
        pytest.fail("\n\n".join(complaints), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail the test for an exception in the fake, or for what is wrong with its stubs."""
    try:
        yield
    except (Exception, pytest.fail.Exception):
        for fake in item.stash.get(_FAKES, ()):
            # A test that failed half-way need not hear of the stub it had begun.
            fake.forget_stubs()
            fake.raise_crashes()
        raise
    for fake in item.stash.get(_FAKES, ()):
        fake.raise_crashes()
        _complain(fake)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the conversations of a failed test."""
    if call.excinfo is not None:
        from fakedove.pytest_tracebacks import shorten

        shorten(call.excinfo, item.config)
    report = yield
    if report.failed:
        for fake in item.stash.get(_FAKES, ()):
            report.sections += _sections(fake)
        told: list[tuple[str, str]] = item.stash.get(_TOLD, [])
        report.sections += told
        if _asked_too_widely(report):
            report.sections.append(("fakedove", _OWN_FAKE))
    return report


def _sections(fake: FakeDovecot) -> list[tuple[str, str]]:
    """Return what a report shows of a fake: titles and texts."""
    sections = [("fakedove conversation", fake.journal.describe())]
    if fake.invocations:
        sections.append(("fakedove scripts", fake.invocations.describe()))
    if log := fake.log.describe():
        sections.append(("fakedove server log", log))
    return sections


def _asked_too_widely(report: pytest.TestReport) -> bool:
    """Whether a fixture that outlives the test asked for one of the test's."""
    told = str(report.longrepr) if report.when == "setup" else ""
    return "ScopeMismatch" in told and "fake_dovecot" in told


# A real server in place of the fake


def _parse_target(address: str) -> tuple[str, str]:
    """Return listener name and place; raises UsageError."""
    kind, _, place = address.partition(":")
    host, _, port = place.rpartition(":")
    if (kind == "unix" and place) or (kind in ("tcp", "tls") and host and port.isdigit()):
        return kind, place
    raise pytest.UsageError(
        f"--fakedove-target {address}: must be unix:PATH, tcp:HOST:PORT or tls:HOST:PORT"
    )


def _target(request: pytest.FixtureRequest) -> _Target:
    """Return the real server, or skip a test that asks for what it cannot be."""
    marked, release = _marked(request.node), request.getfixturevalue("_fakedove_release")
    if others := ", ".join(sorted(marked.keys() - {"dovecot"})):
        pytest.skip(f"needs a configuration of its own ({others}), not --fakedove-target")
    chosen = request.config.getoption("fakedove_dovecot")
    if release not in (None, chosen):
        known = f"is {chosen}" if chosen else "is not named by --fakedove-dovecot"
        pytest.skip(f"needs Dovecot {release}, and the one of --fakedove-target {known}")
    return _Target(request.config)


class _Target:
    """A real server with the part of FakeDovecot that it can offer: addresses and password."""

    def __init__(self, config: pytest.Config) -> None:
        self._places = dict(map(_parse_target, config.getoption("fakedove_target")))
        password = config.getoption("fakedove_password")
        self.password: str = password or os.environ.get("FAKEDOVE_PASSWORD", "secret")

    def path(self, name: str = "unix") -> str:
        """Return the path of the UNIX socket; skips without one."""
        return self._place(name) if name == "unix" else self._skip(f'listener "{name}"')

    def address(self, name: str = "tcp") -> tuple[str, int]:
        """Return host and port; skips without them."""
        if name not in ("tcp", "tls"):
            self._skip(f'listener "{name}"')
        host, _, port = self._place(name).rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def host(self) -> str:
        """The host of "tcp"."""
        return self.address()[0]

    @property
    def port(self) -> int:
        """The port of "tcp"."""
        return self.address()[1]

    def __getattr__(self, name: str) -> NoReturn:
        self._skip(f"fake_dovecot.{name}")

    def _place(self, name: str) -> str:
        return self._places[name] if name in self._places else self._skip(f'listener "{name}"')

    def _skip(self, what: str) -> NoReturn:
        pytest.skip(f"uses {what}, which the real server of --fakedove-target has not")
