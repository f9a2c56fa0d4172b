"""The option `-a`: the path of a socket, which may lead nowhere or to somebody else."""

from __future__ import annotations

import pytest

from tests.sessions.talk import Talk

V23, V24 = "2.3.19.1", "2.4.1"
_INTERNAL_ERROR = (
    b"userdb lookup: Internal error occurred. Refer to server log for more information."
)


def ready(dovecot: str) -> Talk:
    talk = Talk(dovecot)
    talk.world.store.files["note"] = b"no socket\n"
    talk.hello(0)
    return talk


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (b"missing", "connect(missing) failed: No such file or directory"),
        (b"", "connect() failed: Connection refused"),
        (b"note", "connect(note) failed: Connection refused"),
        (b"doveadm-server", "Disconnected unexpectedly"),
    ],
)
def test_nobody_to_look_a_user_up(path: bytes, why: str) -> None:
    talk = ready(V24)
    said = talk.say(b"\t\tuser\t-a\t%b\ttss\n" % path)
    assert said == b'{"tss":{"error":"%b"}}\n-TEMPFAIL\n' % _INTERNAL_ERROR
    assert talk.log == [f"doveadm(tss)<4242><>: Error: auth-master: userdb lookup(tss): {why}"]
    assert ready(V23).say(b"\t\tuser\t-a\t%b\ttss\n" % path) == b'{"tss":{}}\n-TEMPFAIL\n'


def test_nobody_to_list_users() -> None:
    talk = ready(V24)
    assert talk.say(b"\t\tuser\t-a\tmissing\tt*\n") == b'{"userList":[]}\n-DATAERR\n'
    assert talk.log[-1] == "doveadm: Error: cmd user: user listing failed"
    old = ready(V23)
    old.say(b"\t\tuser\t-a\tmissing\tt*\n")
    assert not old.open


@pytest.mark.parametrize("dovecot", [V23, V24])
@pytest.mark.parametrize(
    "path", [b"auth-userdb", b"./auth-master", b"/var/run/dovecot/auth-userdb"]
)
def test_paths_begin_in_base_dir(dovecot: str, path: bytes) -> None:
    said = ready(dovecot).say(b"\t\tuser\t-a\t%b\t-f\tuid\ttss\n" % path)
    assert said == b'{"tss":{"uid":"5000"}}\n+\n'


# Measured: anvil of 2.4 speaks first, the older one hangs up.
def test_another_server_at_the_socket() -> None:
    talk = ready(V24)
    assert talk.say(b"\t\tauth cache flush\t-a\tanvil\ttss\n") == b"0\t\n+\n"
    why = "Auth server sent invalid version line: VERSION\tanvil-server\t2\t0"
    assert talk.log == [f"doveadm: Error: auth-master: auth cache flush: {why}"]
    old = ready(V23)
    assert old.say(b"\t\tauth cache flush\t-a\tanvil\ttss\n") == b"0\t\n+\n"
    assert old.log[0].endswith("auth cache flush: Disconnected unexpectedly")


def test_kick_without_a_path() -> None:
    talk = ready(V24)
    assert talk.say(b"\t\tkick\t-a\t\ttss\n") == b"\n-TEMPFAIL\n"
    assert talk.log == ["doveadm: Error: conn: net_connect_unix() failed: Connection refused"]
    assert ready(V24).say(b"\t\tkick\t-a\tanvil\ttss\n") == b"0\t\n+\n"


# Measured: MD5 of the name, in a director that has no servers.
@pytest.mark.parametrize(("name", "hash_"), [(b"tss", b"3293169151"), (b"a b", b"214551885")])
def test_the_hash_of_a_user(name: bytes, hash_: bytes) -> None:
    said = ready(V23).say(b"\t\tdirector map\t-f\t/missing\t-u\t%b\n" % name)
    assert sorted(said.split(b"\n")) == sorted([b"", b"+", hash_ + b"\t"])
