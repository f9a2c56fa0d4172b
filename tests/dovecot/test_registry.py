"""The registry holds together: with the commands of each release, and with the release rows."""

from __future__ import annotations

import pytest

from fakedove.dovecot import commands
from fakedove.dovecot.command_spans import MAIL_COMMANDS, OTHER_COMMANDS
from fakedove.dovecot.registry import COMMANDS, Command
from fakedove.dovecot.releases import NEWEST


def test_every_command_of_any_release_is_declared() -> None:
    assert commands.__all__
    assert COMMANDS.keys() == MAIL_COMMANDS.keys() | OTHER_COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: str(command.name))
def test_a_command_is_about_mail_if_the_releases_say_so(command: Command) -> None:
    assert command.mail == (command.name in MAIL_COMMANDS)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: str(command.name))
def test_conditions_are_attributes_of_a_row(command: Command) -> None:
    conditions = [one.when for one in command.parameters] + [one.when for one in command.gaps]
    assert all(hasattr(NEWEST, condition) for condition in conditions if condition)
