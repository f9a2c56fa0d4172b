"""Random commands to the real servers and to fakedove: every answer has to be the same.

FAKEDOVE_STEPS is how many commands each release is asked, FAKEDOVE_SEED chooses others:
`make conformance STEPS=5000 SEED=2`.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.real.compared.chosen import SEED, STEPS
from tests.real.compared.known import Known, known_differences, known_reason
from tests.real.compared.questions import Question, questions
from tests.real.compared.sides import Sides

pytestmark = pytest.mark.real

#: Commands between two fresh stores.
_AT_A_TIME = 12


def machine(sides: Sides, stories: list[str]) -> type[RuleBasedStateMachine]:
    """Return the machine that asks both sides; `stories` get what was answered otherwise.

    Hypothesis asks once more after a difference, and may find none then.
    """

    @seed(SEED)
    class Comparison(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._story: list[str] = []

        @initialize()
        def restore(self) -> None:
            self._story.clear()
            sides.restore()

        @rule(question=questions(sides.release), same_connection=st.integers(0, 9))
        def ask(self, question: Question, same_connection: int) -> None:
            if not same_connection:
                self._story.append("(another connection)")
                sides.close()
            self._story.append(f"C: {question}")
            found = sides.differences(question)
            if found and known_reason(sides.release.number, question, found):
                self.restore()
            elif found:
                stories.append("\n".join([*self._story, *found]))
                pytest.fail(stories[-1], pytrace=False)

    return Comparison


def test_random_commands_are_answered_alike(sides: Sides) -> None:
    stories: list[str] = []
    chosen = settings(
        max_examples=max(STEPS // _AT_A_TIME, 1),
        stateful_step_count=_AT_A_TIME,
        # A story has a dozen commands; to make it shorter would take minutes.
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine(sides, stories), settings=chosen)
    except BaseException:
        if stories:
            pytest.fail(stories[0], pytrace=False)
        raise


def test_what_is_known_to_differ_still_does(sides: Sides) -> None:
    for known in _known(sides, sometimes=False):
        question, found = _example(sides, known)
        assert found, f"{question} is answered alike now: {known.reason}"
        assert known.covers(sides.release.number, question, found), "\n".join(found)


def test_what_differs_sometimes_differs_as_it_is_known_to(sides: Sides) -> None:
    for known in _known(sides, sometimes=True):
        question, found = _example(sides, known)
        covered = known.covers(sides.release.number, question, found)
        assert not found or covered, "\n".join(found)


def _known(sides: Sides, *, sometimes: bool) -> list[Known]:
    return [
        known
        for known in known_differences()
        if known.is_about(sides.release.number) and known.sometimes is sometimes
    ]


def _example(sides: Sides, known: Known) -> tuple[Question, list[str]]:
    """Ask the questions of an example; return the last one, and what differs there."""
    sides.restore()
    *before, last = known.questions()
    for question in before:
        sides.differences(question)
    return last, sides.differences(last)
