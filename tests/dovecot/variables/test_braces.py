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
        ("%{user | hash('size')} %{user | hash('size', rounds=3)}", f"{3:016x} {8:016x}"),
        ("%{literal('dHNz dHN!dHNz') | unbase64 | text}", "tssts"),
        ("%{literal('a\tb') | list('--')} %{literal('a\tb') | list}", "a--b a,b"),
        ("%{literal('a') | lfill(5, 'xyz')} %{literal('a') | rfill(3)}", "xyzxyza a00"),
        ("%{literal('ab') | benumber} %{literal('ab') | lenumber}", "24930 25185"),
        ("%{user | hash('md5') % 10}%{user | hash('md5') % -1}", "7"),
        ("%{literal('3132') | unhexlify + 1}", "3133"),
        ("%{literal('c3bc01ff41') | unhexlify | text}", "ü\ufffd\ufffdA"),
        ("%{literal('6100ff61') | unhexlify | upper}", "4100ff61"),
        ("%{user | truncate(bits=3, 2)}%{user | truncate(4)}", "\x03tss"),
        ("%{user | hexlify(2, 3, 4)}", "74"),
        ("%{userdb:uid | md5 * 2}|", "|"),
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
        ("%{ldap_dn}", "ldap_dn: No value to convert to ldap_dn"),
        ("%{user | list(10, rounds=0)}", "list: 10 is not a string"),
        ("%{user | hash('md5', y=1, 'a', x=2)}", "hash: Too many positional parameters"),
        ("%{user | hash('md5', y=1, X=2)}", "hash: Unsupported key 'x'"),
        ("%{user | base64(pad=user)}", "base64: 'tss' (in user) is not a number"),
        ("%{user | unbase64(pad=2)}", "unbase64: Supported values for pad are 0 or 1"),
        ("%{user | rfill(0)}", "rfill: Fill length out of bounds"),
        ("%{literal('abc') | lenumber}", "lenumber: Cannot convert '3' bytes to number"),
        ("%{regexp(64, '')}", "regexp: Unknown variable 'regexp'"),
        ("%{if('x', '==', 1, 'y', 'n')}", "if: Left-hand side: 'x' is not a number"),
        ("%{user | if('eq', 'tss', nope, 'n')}", "if: True branch: Unknown variable 'nope'"),
        ("%{env: | md5(rounds=0)}", "env: Missing field"),
    ],
)
def test_what_is_wrong(template: str, words: str) -> None:
    with pytest.raises(UnknownVariable) as raised:
        expand_braces(template, TSS, FIELDS, AROUND)
    assert str(raised.value) == words


# What 2.4.1 dies of, some of it with a last word.
@pytest.mark.parametrize(
    ("template", "panics"),
    [
        ("%{literal('12') | calculate(7,1)}", True),
        ("%{user | index('',1)} %{nosuch}", False),
        ("%{user | base64(pad=2)}", False),
        ("%{user | truncate(5)}", True),
        ("%{user | regexp(nope, '')}", False),
        ("%{user | regexp('t', 'a\\\\b')}", False),
        ("%{user | hash('md5') % 0}", False),
        ("%{literal('-9223372036854775808') / -1}", False),
        ("%{safe}", True),
    ],
)
def test_a_crash(template: str, panics: bool) -> None:
    with pytest.raises(ExpansionCrash) as raised:
        expand_braces(template, TSS, FIELDS, AROUND)
    assert raised.value.panics is panics


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("key='secret', salt='x'", "s=x,r=10000$54bdd8e199a577ad184304dfcd0bfcc1$"),
        ("key='secret', salt='x', rounds=3", "s=x,r=3$ca3817774fd4339de9ba4aaa9377a635$"),
        ("key='secret', salt='x', raw=1", "54bdd8e199a577ad184304dfcd0bfcc1"),
        (
            "key='secret', salt='x', algorithm='aes-128-cbc'",
            "s=x,r=10000$27c31dede530ad6d952e3e41fee11966$",
        ),
    ],
)
def test_what_is_encrypted(arguments: str, text: str) -> None:
    assert expand_braces(f"%{{user | encrypt({arguments})}}", TSS, FIELDS, AROUND) == text
    if "raw" not in arguments:
        decrypted = f"%{{literal('{text}') | decrypt({arguments.partition(', salt')[0]}"
        if "algorithm" in arguments:
            decrypted += ", algorithm='aes-128-cbc'"
        assert expand_braces(decrypted + ")}", TSS, FIELDS, AROUND) == "tss"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("salt='x'", "Encryption key missing"),
        ("key=''", "Empty encryption key"),
        ("key='a', iv='00', salt='x'", "Cannot use both salt and iv"),
        ("key='a', rounds=0", "rounds must be positive integer"),
        ("key='a', raw=1", "In raw format, salt or IV must be given"),
        ("key='00', iv='00'", "IV length invalid (1 != 16)"),
        (f"key='00', iv='{'00' * 16}'", "Key length invalid (1 != 32)"),
        ("key='a', algorithm='nope'", "Invalid cipher nope"),
        ("key='a', hash='nope'", "Invalid digest nope"),
    ],
)
def test_what_cannot_be_encrypted(arguments: str, words: str) -> None:
    with pytest.raises(UnknownVariable) as raised:
        expand_braces(f"%{{user | encrypt({arguments})}}", TSS, FIELDS, AROUND)
    assert str(raised.value) == f"encrypt: {words}"


@pytest.mark.parametrize(
    ("value", "words"),
    [("a$b", "Invalid input format"), ("s=x,r=3$00$", "data authentication failed")],
)
def test_what_cannot_be_decrypted(value: str, words: str) -> None:
    with pytest.raises(UnknownVariable) as raised:
        expand_braces(f"%{{literal('{value}') | decrypt(key='a')}}", TSS, FIELDS, AROUND)
    assert str(raised.value) == f"decrypt: {words}"


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
