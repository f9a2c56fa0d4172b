"""Variables, filled in as `user -e` shows them."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from fakedove.dovecot.variables import UnknownVariable, expand_braces, expand_percent

FIELDS = {"uid": "5000"}
JOE = Store().add_user("joe@example.com", home="/home/joe")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%u|%n|%d|%h", "joe@example.com|joe|example.com|/home/joe"),
        ("%{user} %{username}", "joe@example.com joe"),
        ("%Un %2n %1.1n %-2.1n %-1n", "JOE jo o o j"),
        ("%Mn", "8ff32489f92f33416694be8fdc2d4c22"),
        ("%% 100%", "% 100"),
        ("%{userdb:uid}%{userdb:no}", "5000"),
    ],
)
def test_percent_variables(template: str, text: str) -> None:
    assert expand_percent(template.encode(), JOE, FIELDS) == text.encode()


@pytest.mark.parametrize(
    ("template", "name"),
    [("%x", "x"), ("%{no}", "no"), ("%{", "{"), ("%{}", ""), ("%{passdb:x}", "passdb")],
)
def test_an_unknown_percent_variable_is_named(template: str, name: str) -> None:
    with pytest.raises(UnknownVariable, match=rf"^Unknown variable '%{name}'$".replace("{", r"\{")):
        expand_percent(template.encode(), JOE, FIELDS)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%u %{ user }%", "%u joe@example.com%"),
        ("%{user|username|upper}", "JOE"),
        ("%{user|domain}%{}", "example.com"),
        ("%{userdb:uid} %{home}", "5000 /home/joe"),
    ],
)
def test_braced_variables(template: str, text: str) -> None:
    assert expand_braces(template, JOE, FIELDS) == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("%{pid}", "Unknown variable 'pid'"),
        ("%{user|no}", "No such function 'no'"),
        ("%{domain}", "domain: No value to get domain from"),
        ("%{passdb:x}", "Unsupported prefix 'passdb'"),
        ("%{", "syntax error, unexpected end of file, expecting CCBRACE or PIPE or NAME"),
    ],
)
def test_what_is_wrong_with_a_braced_variable(template: str, words: str) -> None:
    with pytest.raises(UnknownVariable) as raised:
        expand_braces(template, JOE, FIELDS)
    assert str(raised.value) == words
