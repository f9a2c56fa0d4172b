"""Random templates for `user -e`, filled in by the real servers and by fakedove."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.real.compared.chosen import SEED, STEPS
from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides
from tests.real.compared.templates import templates

pytestmark = pytest.mark.real


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
