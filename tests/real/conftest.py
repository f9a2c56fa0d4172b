"""The real servers, each with fakedove beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.real import install
from tests.real.compared.sides import Sides
from tests.real.dovecot import RealDovecot


@pytest.fixture(scope="module", params=install.RELEASES)
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Start one real server, with fakedove beside it, both with the same store."""
    release: str = request.param
    if reason := install.missing(release):
        pytest.skip(reason)
    with RealDovecot(release) as real, contextlib.closing(Sides(real)) as both:
        both.restore()
        yield both
