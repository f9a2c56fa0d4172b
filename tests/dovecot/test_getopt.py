from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.getopt import BadOption, Parsed, parse


@dataclass(frozen=True)
class Choice:
    long: str
    short: str = ""
    takes_value: bool = False


OPTIONS = (
    Choice("all-users", "A"),
    Choice("recursive", "r"),
    Choice("user", "u", takes_value=True),
    Choice("user-file", "F", takes_value=True),
    Choice("trans-flags", takes_value=True),
)


def parsed(*fields: bytes, long: bool = True) -> Parsed:
    return parse(fields, OPTIONS, long=long)


def bad(*fields: bytes, long: bool = True) -> BadOption:
    with pytest.raises(BadOption) as caught:
        parsed(*fields, long=long)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "options", "arguments"),
    [
        ([], [], []),
        ([b"a", b"b"], [], [b"a", b"b"]),
        ([b"-A"], [("all-users", None)], []),
        ([b"-Ar"], [("all-users", None), ("recursive", None)], []),
        ([b"-u", b"tss"], [("user", b"tss")], []),
        ([b"-utss"], [("user", b"tss")], []),
        ([b"-Autss"], [("all-users", None), ("user", b"tss")], []),
        ([b"-u", b"-A"], [("user", b"-A")], []),
        ([b"-u", b"--"], [("user", b"--")], []),
        ([b"--user", b"tss"], [("user", b"tss")], []),
        ([b"--user=tss"], [("user", b"tss")], []),
        ([b"--user="], [("user", b"")], []),
        ([b"--user=a=b"], [("user", b"a=b")], []),
        ([b"--rec"], [("recursive", None)], []),
        ([b"--user-f", b"x"], [("user-file", b"x")], []),
        ([b"-u", b"a", b"-u", b"b"], [("user", b"a"), ("user", b"b")], []),
    ],
)
def test_options(
    fields: list[bytes], options: list[tuple[str, bytes | None]], arguments: list[bytes]
) -> None:
    assert parsed(*fields) == Parsed(tuple(options), tuple(arguments))


# Measured: "GNU getopt_long (permuting, `--` ends)".
def test_options_and_arguments_mix() -> None:
    assert parsed(b"one", b"-A", b"two", b"-u", b"tss", b"three") == Parsed(
        (("all-users", None), ("user", b"tss")), (b"one", b"two", b"three")
    )


def test_two_dashes_end_options() -> None:
    assert parsed(b"one", b"--", b"-A", b"--", b"two") == Parsed((), (b"one", b"-A", b"--", b"two"))


def test_a_dash_alone_and_an_empty_field_are_arguments() -> None:
    assert parsed(b"-", b"") == Parsed((), (b"-", b""))


def test_an_exact_name_beats_a_longer_one() -> None:
    assert parsed(b"--user", b"x").options == (("user", b"x"),)


# The texts are glibc's, as they stand in the logs of recordings cmd.opt-*.
@pytest.mark.parametrize(
    ("field", "text", "letter"),
    [
        (b"-Z", "invalid option -- 'Z'", "Z"),
        (b"-AZ", "invalid option -- 'Z'", "Z"),
        (b"-u", "option requires an argument -- 'u'", "u"),
        (b"-Au", "option requires an argument -- 'u'", "u"),
        (b"--nosuch", "unrecognized option '--nosuch'", ""),
        (b"--nosuch=1", "unrecognized option '--nosuch=1'", ""),
        (b"--user", "option '--user' requires an argument", "u"),
        (b"--recursive=1", "option '--recursive' doesn't allow an argument", "r"),
        (
            b"--us=1",
            "option '--us=1' is ambiguous; possibilities: '--user' '--user-file'",
            "",
        ),
    ],
)
def test_complaints(field: bytes, text: str, letter: str) -> None:
    complaint = bad(field)
    assert (complaint.text, complaint.letter) == (text, letter)


def test_a_letter_is_one_byte() -> None:
    complaint = bad(b"-\xc3\xb6")
    assert complaint.letter.encode(errors="surrogateescape") == b"\xc3"
    assert complaint.text.encode(errors="surrogateescape") == b"invalid option -- '\xc3'"


def test_values_are_any_bytes() -> None:
    assert parsed(b"-u\xff\xc3\xb6", b"--user=\xfe\xc3\xb6").options == (
        ("user", b"\xff\xc3\xb6"),
        ("user", b"\xfe\xc3\xb6"),
    )


# Recording cmd.opt-unknown-long of 2.1.16: without long names the second dash is a letter.
def test_old_releases_know_no_long_names() -> None:
    assert bad(b"--nosuch", long=False).text == "invalid option -- '-'"
    assert parsed(b"-A", b"--", b"-r", long=False) == Parsed((("all-users", None),), (b"-r",))


fields = st.lists(
    st.sampled_from(
        [
            b"-A",
            b"-u",
            b"-utss",
            b"-rA",
            b"--",
            b"-",
            b"--user",
            b"--rec",
            b"--us",
            b"--trans-flags=1",
        ]
    )
    | st.binary(max_size=6),
    max_size=6,
)


@given(fields, st.booleans())
def test_any_fields_are_parsed_or_refused(given: list[bytes], long: bool) -> None:
    try:
        found = parse(given, OPTIONS, long=long)
    except BadOption:
        return
    known = {one.long: one.takes_value for one in OPTIONS}
    assert all(known[name] is (value is not None) for name, value in found.options)
    left = iter(given)
    assert all(argument in left for argument in found.arguments), "arguments keep their order"


@given(st.lists(st.binary(max_size=6), max_size=5))
def test_behind_two_dashes_all_are_arguments(arguments: list[bytes]) -> None:
    assert parsed(b"-A", b"--", *arguments) == Parsed((("all-users", None),), tuple(arguments))


def test_what_is_given_stays_as_it_was() -> None:
    given_fields = [b"-u", b"tss", b"x"]
    parse(given_fields, OPTIONS, long=True)
    assert given_fields == [b"-u", b"tss", b"x"]


@pytest.mark.parametrize(
    ("fields", "stop"),
    [
        ([], None),
        ([b"a"], None),
        ([b"-A"], (0, 2)),
        ([b"a", b"-Ar", b"b"], (1, 3)),
        ([b"-A", b"-u", b"tss"], None),
        ([b"-A", b"-utss"], None),
        ([b"-u", b"tss", b"-r", b"--", b"-A"], (2, 2)),
    ],
)
def test_where_the_last_letter_was_read(fields: list[bytes], stop: tuple[int, int] | None) -> None:
    assert parsed(*fields, long=False).stop == stop


@pytest.mark.parametrize(
    ("fields", "stop"),
    [([b"a", b"-Axr"], (1, 3)), ([b"--user"], (0, 2)), ([b"-A", b"-u"], None)],
)
def test_where_a_bad_letter_was_read(fields: list[bytes], stop: tuple[int, int] | None) -> None:
    assert bad(*fields, long=False).stop == stop


# glibc complains only of names that differ in more than the name.
def test_short_names_of_options_that_are_alike_mean_the_first() -> None:
    options = (
        Choice("fs-driver", takes_value=True),
        Choice("fs-args", takes_value=True),
        Choice("fd", "f", takes_value=True),
    )
    found = parse((b"--fs=posix",), options, long=True)
    assert found == Parsed((("fs-driver", b"posix"),), ())
    with pytest.raises(BadOption, match="ambiguous; possibilities: '--fs-driver'"):
        parse((b"--f=posix",), options, long=True)
