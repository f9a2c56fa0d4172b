"""The registry holds together: with the commands of each release, and with the release rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fakedove.dovecot import commands
from fakedove.dovecot.command_spans import MAIL_COMMANDS, OTHER_COMMANDS
from fakedove.dovecot.commands import COMMANDS, FAMILIES
from fakedove.dovecot.registry import DECLARED, Command
from fakedove.dovecot.releases import NEWEST


def test_every_command_of_any_release_is_declared() -> None:
    assert [name for name in COMMANDS if COMMANDS.get(name) is None] == []
    assert DECLARED.keys() == MAIL_COMMANDS.keys() | OTHER_COMMANDS.keys()


@pytest.mark.parametrize("word", FAMILIES)
def test_a_family_is_of_no_more_modules_than_declare_its_commands(word: str) -> None:
    declaring = {
        one.function.__module__ for name, one in COMMANDS.items() if name.partition(" ")[0] == word
    }
    assert {f"{commands.__name__}.{module}" for module in FAMILIES[word]} == declaring


def test_a_command_imports_no_other_family() -> None:
    code = (
        "import sys; from fakedove.dovecot.commands import COMMANDS; COMMANDS['quota get'];"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert f"{commands.__name__}.quota" in loaded
    assert f"{commands.__name__}.fetch" not in loaded


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: str(command.name))
def test_a_command_is_about_mail_if_the_releases_say_so(command: Command) -> None:
    assert command.mail == (command.name in MAIL_COMMANDS)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: str(command.name))
def test_conditions_are_attributes_of_a_row(command: Command) -> None:
    conditions = [one.when for one in command.parameters] + [one.when for one in command.gaps]
    assert all(hasattr(NEWEST, condition) for condition in conditions if condition)
