"""The fixtures: isolated, configurable, and gone at the end of the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Run

ISOLATED = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(fake_dovecot, number):
    assert list(fake_dovecot.store.users) == ["ann", "bob@example.com", "carol"]
    assert len(fake_dovecot.journal) == 0
    assert ask(fake_dovecot).endswith(b"+\\n")
    fake_dovecot.store.add_user("new")
    fake_dovecot.on("quota get").fail("NOPERM")
    assert ask(fake_dovecot).endswith(b"-NOPERM\\n")
"""


def test_tests_share_a_server_and_nothing_else(run: Run) -> None:
    run(ISOLATED).assert_outcomes(passed=6)


def test_in_random_order(run: Run) -> None:
    run(ISOLATED, "-p", "randomly", "-p", "no:trio").assert_outcomes(passed=6)


def test_under_xdist(run: Run) -> None:
    run(ISOLATED, "-n", "2").assert_outcomes(passed=6)


def test_the_server_is_shared_by_listeners_and_other_settings_come_per_test(run: Run) -> None:
    run(
        """
import pytest

seen = []
LISTENER = [{"name": "unix", "path": "other"}]

@pytest.mark.parametrize("number", range(2))
def test_default(fake_dovecot, number):
    seen.append(fake_dovecot.path())
    assert fake_dovecot.password == "secret"

@pytest.mark.fakedove(doveadm_password="other")
def test_setting(fake_dovecot):
    seen.append(fake_dovecot.path())
    assert fake_dovecot.password == "other"

@pytest.mark.fakedove(listener=LISTENER)
def test_listener(fake_dovecot):
    assert fake_dovecot.path().endswith("/other")
    assert fake_dovecot.path() not in seen

def test_default_again(fake_dovecot):
    seen.append(fake_dovecot.path())
    assert fake_dovecot.password == "secret"
    assert len(set(seen)) == 1 and len(seen) == 4
""",
    ).assert_outcomes(passed=5)


def test_the_configuration_of_all_fakes_is_overridden(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
import pytest

@pytest.fixture(scope="session")
def fake_dovecot_config(tmp_path_factory):
    file = tmp_path_factory.mktemp("c") / "fakedove.toml"
    file.write_text('protocol = "1.1"')
    return {"config": file, "doveadm_password": "ours"}
"""
    )
    run(
        """
def test_shared(fake_dovecot):
    assert fake_dovecot.password == "ours"
    assert fake_dovecot.config.protocol == "1.1"

def test_own(make_fake_dovecot):
    assert make_fake_dovecot().password == "ours"
    assert make_fake_dovecot(doveadm_password="mine").password == "mine"
"""
    ).assert_outcomes(passed=2)


def test_own_servers_end_with_their_test(run: Run) -> None:
    run(
        """
import os, threading

def test_two(make_fake_dovecot):
    one, two = make_fake_dovecot(dovecot="2.2.36"), make_fake_dovecot()
    one.store.remove_user("ann")
    assert ask(two).endswith(b"+\\n")
    global paths
    paths = [one.path(), two.path()]
    assert len(set(paths)) == 2
    two.stop()

def test_gone():
    assert not any(map(os.path.exists, paths))
    assert threading.active_count() == 1
""",
    ).assert_outcomes(passed=2)


def test_nothing_is_left(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    program = """
import os, threading
import pytest

@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    before = os.listdir("/dev/fd")
    yield
    # By now the session's servers, which were asked for later, have ended.
    assert os.listdir("/dev/fd") == before
    assert threading.active_count() == 1

@pytest.fixture(scope="session", autouse=True)
def loaded(nothing_is_left):
    import trio

def test_it(fake_dovecot):
    assert ask(fake_dovecot).endswith(b"+\\n")
    assert fake_dovecot.ca_path
"""
    run(program, "--basetemp", str(tmp_path / "pytest")).assert_outcomes(passed=1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("fakedove")] == []


# Releases


def test_a_list_of_releases_runs_the_test_for_each(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.fakedove(dovecot=["2.2.36", "2.4.1"])
class TestBoth:
    def test_it(self, fake_dovecot, request):
        assert fake_dovecot.dovecot in request.node.name
        assert ask(fake_dovecot)

    def test_own(self, make_fake_dovecot, request):
        assert make_fake_dovecot().dovecot in request.node.name

    def test_without(self):
        pass

    @pytest.mark.fakedove(dovecot="2.3.21")
    def test_nearest(self, fake_dovecot):
        assert fake_dovecot.dovecot == "2.3.21"

@pytest.mark.fakedove(protocol="1.0")
def test_protocol(fake_dovecot):
    assert fake_dovecot.release.dialect.minor == 0
""",
        "-v",
        "--fakedove-dovecot",
        "2.3.19.1",
    )
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines_random(
        ["*::test_it[[]2.2.36] PASSED*", "*::test_it[[]2.4.1] PASSED*", "*::test_without PASSED*"]
    )


def test_the_option_counts_where_a_test_does_not_say(run: Run) -> None:
    tests = """
import pytest

def test_option(fake_dovecot, make_fake_dovecot):
    assert fake_dovecot.dovecot == make_fake_dovecot().dovecot == "2.2.36"

@pytest.mark.fakedove(dovecot="2.4.1")
def test_marker(fake_dovecot):
    assert fake_dovecot.dovecot == "2.4.1"
"""
    run(tests, "--fakedove-dovecot", "2.2.36").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ('dovecot="1.0"', 'dovecot: unknown release "1.0"*'),
        ('dovecto="2.4.1"', 'dovecto: *did you mean "dovecot"?*'),
        ('"2.4.1"', "*the fakedove marker takes keywords only*"),
    ],
)
def test_a_wrong_marker_is_an_error(run: Run, marker: str, text: str) -> None:
    result = run(
        f"import pytest\n@pytest.mark.fakedove({marker})\ndef test_it(fake_dovecot): pass\n"
    )
    result.stdout.fnmatch_lines([text])
    assert result.ret != 0
    assert "sync.py" not in result.stdout.str()


def test_the_marker_is_registered(run: Run) -> None:
    result = run("def test_it(): pass\n", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.fakedove(dovecot=..., [*][*]settings): keys of *"])
