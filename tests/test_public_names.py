"""The public surface: what `import fakedove` offers, and nothing more."""

from __future__ import annotations

import ast
import inspect

import pytest

import fakedove

NAMES = [
    "AsyncFakeDovecot",
    "Client",
    "ClientError",
    "ConfigurationError",
    "Connection",
    "Exchange",
    "ExecuteError",
    "Execution",
    "Expectation",
    "ExpectationError",
    "FakeDovecot",
    "FakeDovecotError",
    "Invocation",
    "ListenError",
    "Mailbox",
    "Message",
    "QuotaRoot",
    "QuotaRule",
    "Request",
    "ScriptEnd",
    "ScriptExpectation",
    "ScriptReply",
    "ScriptRun",
    "ScriptStub",
    "Status",
    "Store",
    "StoreError",
    "Stub",
    "StubError",
    "TrioClient",
    "UnknownNameError",
    "UnknownReleaseError",
    "User",
    "UserSeed",
    "Verdict",
    "execute",
    "execute_in_trio",
    "open_trio_client",
    "run_script",
]


def test_the_names_are_these() -> None:
    assert fakedove.__all__ == NAMES
    assert dir(fakedove) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there_and_documented(name: str) -> None:
    found = getattr(fakedove, name)
    assert found.__name__ == name
    assert found.__doc__


def test_type_checkers_see_the_same_names() -> None:
    """They read the imports, Python the table, so the two have to agree."""
    tree = ast.parse(inspect.getsource(fakedove))
    seen = {
        f"{node.module}.{alias.asname}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert seen == {f"fakedove.{home}.{name}" for name, home in fakedove._HOMES.items()}


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'FakeDovecott'"):
        getattr(fakedove, "FakeDovecott")  # noqa: B009 # type checkers know that it is not
