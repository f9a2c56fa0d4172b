"""Random templates for `user -e`, filled in by the real servers and by fakedove."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.real import install
from tests.real.compared.chosen import SEED, STEPS
from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides
from tests.real.compared.templates import templates
from tests.real.dovecot import RealDovecot

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", params=install.RELEASES)
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Start the real server, with fakedove beside it."""
    release: str = request.param
    if reason := install.missing(release):
        pytest.skip(reason)
    with RealDovecot(release) as real, contextlib.closing(Sides(real)) as both:
        both.restore()
        yield both


def test_random_templates_are_filled_in_alike(sides: Sides) -> None:
    @seed(SEED)
    @settings(
        max_examples=STEPS,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        templates(braced=sides.release.braced_variables),
        st.sampled_from(["tss", "joe@example.com"]),
    )
    def compare(template: str, user: str) -> None:
        question = Question("", "", "user", ("-e", template, user))
        if found := sides.differences(question):
            pytest.fail("\n".join([f"C: {question}", *found]), pytrace=False)

    compare()
