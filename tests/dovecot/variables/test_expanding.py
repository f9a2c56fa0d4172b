"""Variables, filled in as `user -e` shows them."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.store import Store
from fakedove.dovecot.variables import (
    ExpansionCrash,
    Surroundings,
    UnknownVariable,
    expand_braces,
    expand_percent,
)
from fakedove.dovecot.variables.md4 import md4

FIELDS = {"uid": "5000"}
AROUND = Surroundings(
    "mail.example.com", "2.4.1", datetime(2024, 3, 1, 12, 34, 56, 789, UTC), Random(1)
)
JOE = Store().add_user("joe@example.com", home="/home/joe")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%u|%n|%d|%h", "joe@example.com|joe|example.com|/home/joe"),
        ("%{user} %{username}", "joe@example.com joe"),
        ("%Un %2n %1.1n %-2.1n %-1n", "JOE jo o o j"),
        ("%Mn", "8ff32489f92f33416694be8fdc2d4c22"),
        ("%% 100%", "% 100"),
        ("%{userdb:uid}%{userdb:no}%{userdb:no:x}", "5000x"),
        ("%{auth_domain} %{hostname}|%{lip}%{env:HOME}", "example.com mail.example.com|"),
        ("%08n %2.05n %-3.2u %.-4u %0.3u", "00000joe 0000e co joe@example joe"),
        ("%Rn %Dd %Eh %Xi%T{userdb:no}", "eoj example,dc=com /home/joe 1388"),
        ("%Hn %100Hn %5.100Nn %0.100Hn %LUn", "7155 d 00029 d JOE"),
        ("%{sha1;rounds=2,format=base64,salt=x:username}", "r0QKwghe0udmceIakpMcba8cws0="),
        ("%{sha256;truncate=12:username} %{size:username}", "0786 0000000000000003"),
        ("%8{pkcs5;rounds=2,salt=%n:username}", "adafd83c"),
        ("%{if;%n;eq;joe;yes;no} %{if;%{uid};>;6000;yes;%{user}}", "yes joe@example.com"),
        ("%{if;%u;*;j*;a\\;b} %{if;%u;!~;^j;a;b}|%{if;1;==;2;a}", "a;b b|"),
    ],
)
def test_percent_variables(template: str, text: str) -> None:
    assert expand_percent(template.encode(), JOE, FIELDS, AROUND) == text.encode()


@pytest.mark.parametrize(
    ("template", "name"),
    [
        *(("%x", "x"), ("%{no}", "no"), ("%{", "{"), ("%{}", ""), ("%{passdb:x}", "passdb")),
        *(("%{a}%{b}", "b"), ("%a%{b}", "b"), ("%{a}%b", "a"), ("%a%b", "a")),
        *(("%{sha1:no}", "no"), ("%{no}%{if;a;eq;a;b}%x", "x")),
    ],
)
def test_an_unknown_percent_variable_is_named(template: str, name: str) -> None:
    with pytest.raises(UnknownVariable, match=f"^Unknown variable '%{re.escape(name)}'$"):
        expand_percent(template.encode(), JOE, FIELDS, AROUND)


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
    assert expand_braces(template, JOE, FIELDS, AROUND) == text


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
        expand_braces(template, JOE, FIELDS, AROUND)
    assert str(raised.value) == words


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("%{sha1;rounds=x:user}", "Cannot parse hash arguments:'x' is not number for rounds"),
        ("%{sha1;rounds=0:user}", "Cannot parse hash arguments:rounds must be at least 1"),
        ("%{sha1;truncate=:user}", "Cannot parse hash arguments:'' is not number for truncbits"),
        ("%{sha1;format=x:user}", "Cannot parse hash arguments:'x' is not supported format"),
        ("%{if}", "if: missing parameter(s)"),
        ("%{if;a;eq;b}", "if: requires four or five parameters, got 3"),
        ("%{if;a;=;b;c}", "if: Unsupported comparator '='"),
        ("%{if;a;<;1;c}", "if: a (lhs) is not a number"),
        ("%{if;1;<;b;c}", "if: b (rhs) is not a number"),
    ],
)
def test_what_is_wrong_with_a_percent_variable(template: str, words: str) -> None:
    with pytest.raises(UnknownVariable, match=f"^{re.escape(words)}$"):
        expand_percent(template.encode(), JOE, FIELDS, AROUND)


@pytest.mark.parametrize("template", ["%{MD5:user}", "%{no}%{if;a;eq;a;b}"])
def test_where_nothing_is_said_the_process_dies(template: str) -> None:
    with pytest.raises(ExpansionCrash):
        expand_percent(template.encode(), JOE, FIELDS, AROUND)


def test_unknown_variables_in_a_salt_do_not_matter() -> None:
    lenient, plain = (
        expand_percent(b"%{md5;salt=" + salt + b":user}", JOE, FIELDS, AROUND)
        for salt in (b"%{no}", b"UNSUPPORTED_VARIABLE_no")
    )
    assert lenient == plain


@given(st.lists(st.sampled_from(list("%{};:0-1.9uLHXif,=rounds\\ä"))).map("".join))
def test_any_percent_template_is_filled_in_or_refused(template: str) -> None:
    with contextlib.suppress(UnknownVariable):
        expand_percent(template.encode(), JOE, FIELDS, AROUND)


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("%{hostname} %{system:hostname}", "mail.example.com mail.example.com"),
        ("%{dovecot:version} %{date:year}-%{date:month}", r"2\.4\.1 2024-03"),
        ("%{time:min}:%{time:second}.%{time:us}", r"34:56\.789"),
        (
            "%{generate:uuid}",
            r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ),
        ("%{generate:uuid:compact}%{generate:guid128}", "[0-9a-f]{64}"),
        ("%{generate:uuid:microsoft}", r"\{[0-9a-f-]{36}\}"),
        ("%{generate:guid}", r"[0-9a-f]{16}\.1092\.mail\.example\.com"),
        ("%{session}", "[A-Za-z0-9+/]{22}"),
    ],
)
def test_what_the_server_knows_of_itself(template: str, pattern: str) -> None:
    assert re.fullmatch(pattern, expand_braces(template, JOE, FIELDS, AROUND))


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_is_that_of_rfc_1320(data: bytes, digest: str) -> None:
    assert md4(data).hex() == digest
