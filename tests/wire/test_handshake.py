from __future__ import annotations

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakedove.dovecot.releases import ROWS, find_release
from fakedove.errors import ProtocolError
from fakedove.wire.dialect import Dialect
from fakedove.wire.handshake import Fault, parse_version, plain_password

NEW = find_release("2.4.1").dialect
OLD = find_release("2.1.16").dialect
SURPLUS = find_release("2.2.36").dialect
dialects = st.sampled_from([row.dialect for row in ROWS])


def fault_of(line: bytes, dialect: Dialect = NEW) -> object:
    with pytest.raises(ProtocolError) as caught:
        plain_password(line, dialect)
    return caught.value.fault


# Measured: "01" ok, "00" ok, 4294967295 ok.
@pytest.mark.parametrize(
    ("behind", "minor"),
    [
        (b"1\t0", 0),
        (b"1\t2", 2),
        (b"01\t00", 0),
        (b"1\t4294967295", 4294967295),
        pytest.param(b"1\t" + b"0" * 10_000 + b"7", 7, id="ten-thousand-zeros"),
        pytest.param(b"0" * 10_000 + b"1\t7", 7, id="major-of-ten-thousand-zeros"),
    ],
)
def test_good_versions(behind: bytes, minor: int) -> None:
    assert parse_version(b"VERSION\tdoveadm-server\t" + behind, b"doveadm-server", NEW) == minor


# Measured, and recordings hs.*.
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"VERSION",
        b"VERSION\tdoveadm-server",
        b"VERSION\tdoveadm-server\t1",
        b"VERSION\tdoveadm-server\t1\t",
        b"VERSION\tdoveadm-server\t1\tx",
        b"VERSION\tdoveadm-server\t1\t-1",
        b"VERSION\tdoveadm-server\t1\t+1",
        b"VERSION\tdoveadm-server\t1\t0 ",
        b"VERSION\tdoveadm-server\t1\t4294967296",
        b"VERSION\tdoveadm-server\t1\t0\tx",
        b"VERSION\tdoveadm-server\t1\t0\t",
        b"VERSION\tdoveadm-server\t2\t0",
        b"VERSION\tdoveadm-server\t\t0",
        b"VERSION\tdoveadm-client\t1\t0",
        b"VERSION doveadm-server 1 0",
        b"version\tdoveadm-server\t1\t0",
        pytest.param(b"VERSION\tdoveadm-server\t1\t" + b"9" * 10_000, id="ten-thousand-digits"),
    ],
)
def test_bad_versions(line: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_version(line, b"doveadm-server", NEW)
    assert caught.value.fault is Fault.INCOMPATIBLE


# By release: before 2.2.0 the minor and what follows is ignored, may be absent.
@pytest.mark.parametrize("behind", [b"1", b"1\tx", b"1\t9", b"1\t0\tmore"])
def test_old_releases_ignore_the_minor(behind: bytes) -> None:
    assert parse_version(b"VERSION\tdoveadm-server\t" + behind, b"doveadm-server", OLD) == 0


@pytest.mark.parametrize("behind", [b"2\t0", b"", b"x"])
def test_old_releases_look_at_the_major(behind: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_version(b"VERSION\tdoveadm-server\t" + behind, b"doveadm-server", OLD)


# Measured: whitespace before, inside and after the base64 is accepted.
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"AGRvdmVhZG0Ac2VjcmV0", id="auth.ok"),
        pytest.param(b"AGRvdmVhZG0Ac2VjcmV0 ", id="auth.b64-trailing-space"),
        pytest.param(b" AGRvdmVhZG0Ac2VjcmV0", id="auth.b64-leading-space"),
        pytest.param(b"AGRvdmVhZG0A c2VjcmV0", id="auth.b64-inner-space"),
        pytest.param(binascii.b2a_base64(b"\0doveadm\0secret\0tail"), id="nul-ends-the-password"),
    ],
)
def test_good_passwords(data: bytes) -> None:
    assert plain_password(b"PLAIN\t" + data, NEW) == b"secret"


def test_a_password_of_one_character() -> None:
    assert plain_password(b"PLAIN\tAGRvdmVhZG0Acw==", NEW) == b"s"  # auth.one-char-password


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"PLAIN",
        b"PLAIN ",
        b"plain\tAGRvdmVhZG0Ac2VjcmV0",
        b"LOGIN\tdoveadm\tsecret",
        b"STARTTLS\tx",
        b"\ttss\tmailbox list",
        b"VERSION\tdoveadm-server\t1\t0",
    ],
)
def test_what_is_not_plain(line: bytes) -> None:
    assert fault_of(line) is Fault.NON_PLAIN


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"!!!!", id="auth.bad-b64"),
        pytest.param(b"AGRvdmVhZG0Ac2VjcmV", id="auth.b64-truncated"),
        pytest.param(b"AGRvdmVhZG0Ac2VjcmV0\textra", id="auth.b64-trailing-field"),
        pytest.param(b"AGRvdmVhZG0Ac2VjcmV0==", id="auth.b64-no-pad-needed-extra-pad"),
        pytest.param(b"AGRvdmVhZG0Acw=", id="missing-padding"),
    ],
)
def test_what_is_not_base64(data: bytes) -> None:
    assert fault_of(b"PLAIN\t" + data) is Fault.INVALID_BASE64


# By release: 2.2 accepts surplus padding, 2.3.8 and later refuse it.
def test_surplus_padding() -> None:
    assert plain_password(b"PLAIN\tAGRvdmVhZG0Ac2VjcmV0==", SURPLUS) == b"secret"


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(b"\0dovexxx\0secret", id="auth.wrong-user-same-length"),
        pytest.param(b"\0doveadmx\0secret", id="auth.user-prefix"),
        pytest.param(b"doveadm secret", id="auth.no-nul"),
        pytest.param(b"\0doveadm", id="auth.short"),
        pytest.param(b"\0doveadm\0", id="auth.empty-password"),
        pytest.param(b"x\0doveadm\0secret", id="authzid"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_who_is_not_doveadm(plain: bytes) -> None:
    assert fault_of(b"PLAIN\t" + binascii.b2a_base64(plain)) is Fault.NOT_DOVEADM


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda it: b"PLAIN\t" + it), dialects)
def test_any_line_is_a_password_or_a_fault(line: bytes, dialect: Dialect) -> None:
    try:
        password = plain_password(line, dialect)
    except ProtocolError as error:
        assert isinstance(error.fault, Fault)  # noqa: PT017 - either outcome is right
    else:
        assert b"\0" not in password


@given(st.binary(min_size=1).filter(lambda it: b"\0" not in it), dialects)
def test_any_password_comes_through(password: bytes, dialect: Dialect) -> None:
    data = binascii.b2a_base64(b"\0doveadm\0" + password, newline=False)
    assert plain_password(b"PLAIN\t" + data, dialect) == password
