"""What a user sees when a test fails, and what makes one fail."""

from __future__ import annotations

from tests.plugin.conftest import Run


def test_a_failing_test_shows_its_conversation(run: Run) -> None:
    result = run(
        """
def test_it(fake_dovecot):
    fake_dovecot.on("quota get", user="ann").fail("TEMPFAIL", log="the backend is down")
    assert ask(fake_dovecot).endswith(b"+\\n")

def test_other(fake_dovecot):
    ask(fake_dovecot, b"\\t\\twho")
"""
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*--- fakedove conversation ---*",
            "connection 1: unix, *",
            r"C: \tann\tquota get\n",
            "   (answered by the stub of *.py:*)",
            r"S: -TEMPFAIL\n",
            "*--- fakedove server log ---*",
            "*Error: *the backend is down",
        ]
    )
    assert "who" not in result.stdout.str()


def test_it_is_shown_under_xdist_too(run: Run) -> None:
    result = run("def test_it(fake_dovecot):\n    ask(fake_dovecot)\n    assert 0\n", "-n", "1")
    result.stdout.fnmatch_lines(["*--- fakedove conversation ---*", r"C: \tann\tquota get\n"])


def test_every_fake_of_the_test_is_shown(run: Run) -> None:
    result = run(
        """
def test_it(make_fake_dovecot):
    ask(make_fake_dovecot())
    ask(make_fake_dovecot(), b"\\t\\twho")
    assert 0
"""
    )
    result.stdout.fnmatch_lines(
        [
            *("*--- fakedove conversation ---*", r"C: \tann\tquota get\n"),
            *("*--- fakedove conversation ---*", r"C: \t\twho\n"),
        ]
    )


def test_a_refusal_is_told_in_the_line_that_caused_it(run: Run) -> None:
    code = """
def test_command(fake_dovecot):
    fake_dovecot.on("qota get")

def test_user(fake_dovecot):
    fake_dovecot.store.users["an"]

def test_assertion(fake_dovecot):
    fake_dovecot.assert_called("quota get")
"""
    result = run(code)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            *('>*on("qota get")', "E*StubError: no command*", "*.py:*: StubError"),
            *('>*users[[]"an"]', 'E*UnknownUserError: there is no user "an"*', "*.py:*: Unknown*"),
            *('>*assert_called("quota get")', "E*expected at least once*", "*.py:*: *"),
        ]
    )
    assert "guest.py" not in result.stdout.str()
    assert "guest.py" in run(code, "--full-trace").stdout.str()


def test_a_stub_without_an_answer_fails_the_test_with_its_line(run: Run) -> None:
    result = run(
        """
def test_shared(fake_dovecot):
    fake_dovecot.on("quota get")  # forgotten

def test_own(make_fake_dovecot):
    make_fake_dovecot().on("quota get")

def test_failing_anyway(fake_dovecot):
    fake_dovecot.on("quota get")
    assert 0, "for another reason"

def test_next(fake_dovecot):
    pass
"""
    )
    result.assert_outcomes(failed=3, passed=1)
    lines = [text for text in result.stdout.lines if "was never told what to answer" in text]
    assert {text.split(":")[1] for text in lines if ".py:" in text}
    result.stdout.fnmatch_lines(["*AssertionError: for another reason*"])
    assert "test_failing_anyway - fakedove" not in result.stdout.str()


def test_an_exception_in_the_fake_fails_the_test_with_its_traceback(run: Run) -> None:
    result = run(
        """
def test_green(fake_dovecot):
    fake_dovecot.store.sessions.append(object())
    ask(fake_dovecot, b"\\t\\twho")

def test_red(fake_dovecot):
    fake_dovecot.store.sessions.append(object())
    assert ask(fake_dovecot, b"\\t\\twho") != b""

def test_next(fake_dovecot):
    assert ask(fake_dovecot).endswith(b"+\\n")
"""
    )
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*fakedove?dovecot?commands?sessions.py:*: AttributeError",
            "*During handling of the above exception*",
            "*fakedove?dovecot?commands?sessions.py:*: AttributeError",
        ]
    )


def test_what_goes_wrong_in_a_fixture_is_told_there(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.fixture
def late(fake_dovecot):
    yield
    fake_dovecot.on("who")
    ask(fake_dovecot)

def test_stub(late):
    pass

@pytest.fixture
def failing(fake_dovecot):
    yield
    ask(fake_dovecot, b"\\t\\twho")
    assert 0, "in the fixture"

def test_failing(failing):
    pass

@pytest.fixture
def crashing(fake_dovecot):
    fake_dovecot.on("quota get").handle(lambda request: 1 / 0)
    fake_dovecot.on("who")
    yield
    ask(fake_dovecot)

def test_crashing(crashing, fake_dovecot):
    fake_dovecot.on("who").reply()
    fake_dovecot.stubs.clear()
    fake_dovecot.on("quota get").handle(lambda request: 1 / 0)

def test_next(fake_dovecot):
    assert ask(fake_dovecot).endswith(b"+\\n")
"""
    )
    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_stub*",
            "*on('who') was never told what to answer*",
            "*--- fakedove conversation ---*",
            r"C: \tann\tquota get\n",
            "*ERROR at teardown of test_failing*",
            "*AssertionError: in the fixture*",
            "*--- fakedove conversation ---*",
            r"C: \t\twho\n",
            "*ERROR at teardown of test_crashing*",
            "*ZeroDivisionError*",
        ]
    )


def test_an_async_handler_under_xdist(run: Run) -> None:
    result = run(
        """
async def fails(request):
    raise ZeroDivisionError("awaited")

def test_it(fake_dovecot):
    fake_dovecot.on("quota get").handle(fails)
    ask(fake_dovecot)

def test_next(make_fake_dovecot):
    assert ask(make_fake_dovecot()).endswith(b"+\\n")
""",
        "-n",
        "2",
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(['>*raise ZeroDivisionError("awaited")', "*Error: awaited"])


def test_a_fixture_of_another_scope_is_told_what_to_do(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.fixture(scope="module")
def wide(fake_dovecot):
    pass

def test_it(wide):
    pass
"""
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ScopeMismatch*", "*with fakedove.FakeDovecot() as fake:"])


def test_reports_are_bounded(run: Run) -> None:
    result = run(
        """
def test_it(fake_dovecot):
    for number in range(40):
        fake_dovecot.expect("mailbox list", user=f"user{number}")
    for _ in range(60):
        ask(fake_dovecot)
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["37 more like this:", "*27 more", "(* earlier commands)"])
    assert len(result.stdout.lines) < 220
