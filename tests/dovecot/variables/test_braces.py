"""Variables and functions of Dovecot 2.4, filled in as the real `user -e` does (2.4.1)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.store import Store
from fakedove.dovecot.variables import ExpansionCrash, UnknownVariable, expand_braces
from fakedove.dovecot.variables.braced_functions import FUNCTIONS
from tests.dovecot.variables.test_expanding import AROUND

TSS = Store().add_user("tss", home="/home/tss")
FIELDS = {"uid": "5000"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%{user | sha1 | truncate(bits=12)}", "0c08"),
        ("%{user | hash('sha1', rounds=2, salt='x')}", "563882b5160d52078db8deb539b0b55d8e6e8246"),
        ("%{user | substr(-2, 1)}%{user|reverse}", "ssst"),
        ("%{literal('10') | hex(4)} %{literal('10') | hex(-4)}", "000a a000"),
        ("%{literal('a.b.c') | index('.', -1)}", "c"),
        ("%{literal('dHM') | unbase64 | text}%{user | base64}", "tsdHNz"),
        ("%{nosuch | default('x')} %{domain | default(home)}", "x /home/tss"),
        ("%{userdb:uid * 2 | hex} %{literal('-5') / 2}", "2710 -2"),
        ("%{if(user, '*', 't*', 'yes', 'no')}", "yes"),
        ("%{user | regexp('^t(.*)$', 'a\\\\1b')}", "assb"),
        ("%{literal('12') | calculate(1)}", "11"),
        ("%{literal('18446744073709551615') | hex}", "ffffffffffffffff"),
        ("%{literal('ffffffffffffffff') | unhex}", "18446744073709551615"),
        ("%%{user} %%%{user} x%", "%{user} %%{user} x%"),
        ("%{@} %{~user?}", " tss"),
        ("%{literal('\\x41\\102\\t')}", "AB\t"),
    ],
)
def test_what_functions_make(template: str, text: str) -> None:
    assert expand_braces(template, TSS, FIELDS, AROUND) == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("%{nosuch | upper | default('z')}", "Unknown variable 'nosuch'"),
        ("%{user | substr(4)}", "substr: Offset out of bounds"),
        ("%{user | substr(home)}", "substr: '/home/tss' (in home) is not a number"),
        ("%{user | upper('x')}", "upper: Too many positional parameters"),
        ("%{user | sha1(bogus=1)}", "sha1: Unsupported key 'bogus'"),
        ("%{user + 'x'}", "syntax error, unexpected VALUE, expecting MINUS or NAME or NUMBER"),
        ("%{user name}", "syntax error, unexpected NAME, expecting CCBRACE or PIPE"),
        ("%{user | substr(1 2)}", "syntax error, unexpected NUMBER, expecting CBRACE or COMMA"),
        ("%{literal('18446744073709551616') | hex}", "hex: Input is not a number"),
        ("%{literal('1ffffffffffffffff') | unhex}", "unhex: Input is not a hex number"),
        ("%{literal('99999999999999999999') + 1}", "calculate: Input is not a number"),
        ("%{literal('--5') | if('==', 5, 'y', 'n')}", "if: Input is not a number"),
        ("%{literal('5') % 0}", "calculate: Modulo by zero"),
        ("%{literal('a\\qb')}", "Invalid character escape"),
        ("%{event:x}", "event: No such field 'x' in event"),
    ],
)
def test_what_is_wrong(template: str, words: str) -> None:
    with pytest.raises(UnknownVariable) as raised:
        expand_braces(template, TSS, FIELDS, AROUND)
    assert str(raised.value) == words


# What 2.4.1 dies of.
@pytest.mark.parametrize(
    "template", ["%{literal('12') | calculate(7,1)}", "%{user | index('',1)} %{nosuch}"]
)
def test_a_crash(template: str) -> None:
    with pytest.raises(ExpansionCrash):
        expand_braces(template, TSS, FIELDS, AROUND)


@given(st.text("%{}|()'\",=+-*/ \\userhxt1209.:\n", max_size=40))
def test_any_template_is_filled_in_or_refused(template: str) -> None:
    with contextlib.suppress(UnknownVariable):
        expand_braces(template, TSS, FIELDS, AROUND)


_ARGUMENT = st.integers(-70, 70).map(str) | st.sampled_from(
    [
        *("''", "'a'", "'+'", "'=='", "'eq'", "'*'", "'~'", "'('", "'a{99999999999}'", "'--5'"),
        *("user", "nosuch", "99999999999", f"'{'9' * 5000}'", "rounds=2", "bits=5", "pad=0"),
    ]
)
_CALL = st.builds(
    lambda name, arguments: f"{name}({', '.join(arguments)})" if arguments else name,
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(_ARGUMENT, max_size=5),
)
_SOURCE = st.sampled_from(["user", "home", "nosuch", "literal('12')", f"literal('{'f' * 5000}')"])


@given(_SOURCE | _CALL, st.lists(_CALL, max_size=3))
def test_any_functions_are_carried_out_or_refused(source: str, calls: list[str]) -> None:
    with contextlib.suppress(UnknownVariable):
        expand_braces("%{" + " | ".join([source, *calls]) + "}", TSS, FIELDS, AROUND)
