"""The real callers that all tests of this folder share: none of them changes another's users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.real import install
from tests.real.callers.caller import Caller


# Not of the package: tests come in any order, and each return to the folder would start them.
@pytest.fixture(scope="session")
def callers() -> Iterator[Mapping[str, Caller]]:
    """Run those releases that can run here, started and ended at once."""
    found = [Caller(one) for one in install.RELEASES if install.missing(one) is None]
    with ThreadPoolExecutor() as pool:
        try:
            list(pool.map(Caller.start, found))
            yield {one.release: one for one in found}
        finally:
            list(pool.map(Caller.stop, found))


@pytest.fixture
def caller_of(callers: Mapping[str, Caller]) -> Callable[[str], Caller]:
    """Return what gives the caller of a release, as fresh as possible, or skips the test."""

    def find(release: str) -> Caller:
        if release not in callers:
            pytest.skip(str(install.missing(release)))
        callers[release].fake.reset()
        return callers[release]

    return find


@pytest.fixture(params=install.RELEASES)
def caller(request: pytest.FixtureRequest, caller_of: Callable[[str], Caller]) -> Caller:
    """Run the test with each release."""
    return caller_of(request.param)
