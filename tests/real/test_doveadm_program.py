"""The real `doveadm` program with fakedove as its server, beside the real server.

Both programs ask a fakedove and the real server of the same release, with the same store,
the same things: exit status, output and messages have to be equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.real import install
from tests.real.program import Fake, Place, Program, Real, Said, Step, faking, running
from tests.real.variants import USUAL, Variant

pytestmark = pytest.mark.real

#: The releases whose real server cannot be had here, but whose fake serves the programs too.
OLDER = ("2.2.36", "2.2.32")

MAIL = b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"

FORMATS = ("-f tab", "-f flow", "-f table", "-f pager", "-f json", "default format")

SHOWN = (
    "quota get @tss",
    "mailbox list @tss",
    "mailbox status @tss 'messages unseen vsize uidnext uidvalidity guid' INBOX 'Arch*'",
    "fetch @tss 'uid flags hdr text' mailbox INBOX uid 1:2",
    "search @tss all",
)

CASES: Mapping[str, tuple[Step, ...]] = {
    "-v": (Step("-v quota get @tss"), Step("-v mailbox create @tss INBOX")),
    "-D": (Step("-D quota get @tss"), Step("-D mailbox create @tss INBOX")),
    "unknown user": (Step("quota get @nosuch"), Step("fetch @nosuch uid all")),
    "mailbox that exists": (Step("mailbox create @tss Archive"),),
    "mailbox that does not exist": (
        Step("mailbox status @tss messages NoSuch"),
        Step("mailbox delete @tss NoSuch"),
        Step("fetch @tss uid mailbox NoSuch"),
        Step("save @tss -m NoSuch", MAIL),
    ),
    "wrong arguments": (
        Step("fetch @tss nosuchfield all"),
        Step("search @tss nosuchkey"),
        Step("mailbox status @tss nosuchfield INBOX"),
        Step("mailbox create @tss"),
    ),
    "dot-stuffed mail": (
        Step("save @bob -m INBOX", MAIL),
        Step("-f flow fetch @bob 'uid text' mailbox INBOX"),
        Step("-f tab fetch @bob 'hdr text' all"),
    ),
    "mail without a last newline": (
        Step("save @bob", b"Subject: x\n\nno end"),
        Step("-f flow fetch @bob 'uid text' all"),
    ),
    "no mail": (Step("save @bob"), Step("-f flow fetch @bob 'uid text' all")),
    "full quota": (Step("save @full", MAIL * 100), Step("quota get @full")),
    "a mailbox's life": (
        Step("mailbox create @tss New/Deep Other"),
        Step("mailbox list @tss"),
        Step("mailbox delete @tss -r New"),
        Step("mailbox delete @tss Other"),
        Step("mailbox list @tss -8 '*'"),
    ),
    "deep folders": (
        Step("mailbox create @tss A/B/C D/E/"),
        Step("mailbox delete @tss A"),
        Step("mailbox delete @tss -r A"),
        Step("mailbox delete @tss D/E"),
        Step("mailbox list @tss"),
    ),
    "expunge": (
        Step("expunge @tss mailbox INBOX uid 1"),
        Step("search @tss mailbox INBOX"),
        Step("expunge @tss uid 2"),
    ),
    "user in another case": (Step("quota get @TSS"),),
    "user with a domain": (Step("mailbox list @joe@example.com"),),
    "doveadm_socket_path": (
        Step("-o doveadm_socket_path={{server}} -o doveadm_worker_count=1 quota get -u tss"),
    ),
}

#: Cases with listeners that want a password.
WITH_PASSWORD = (
    *(("default format", "tcp"), ("-v", "tcp"), ("-D", "tcp"), ("unknown user", "unix-auth")),
    *(("mailbox that exists", "tcp"), ("dot-stuffed mail", "tcp"), ("no mail", "unix-auth")),
)

#: Cases with older servers.
WITH_OLDER = (
    *("default format", "-v", "unknown user", "mailbox that exists", "wrong arguments"),
    *("mailbox that does not exist", "dot-stuffed mail", "a mailbox's life"),
)

#: What TLS needs: without doveadm_port the program forgets about doveadm_ssl.
TLS = {
    "tcp": "-o doveadm_port={{port}} -o doveadm_ssl=starttls",
    "ssl": "-o doveadm_port={{port}} -o doveadm_ssl=ssl",
}
ANY_CERTIFICATE = "-o ssl_client_require_valid_cert=no"

#: Commands to a front, and their exit status.
PROXIED = {
    Step("quota get @tss"): 0,
    Step("save @bob", MAIL): 0,
    Step("-f flow fetch @bob 'uid text' all"): 0,
    Step("-v mailbox create @tss INBOX"): 65,
    Step("mailbox list @tss 'A*'"): 0,
    Step("-f tab fetch @tss uid all"): 0,
    Step("mailbox status @tss messages NoSuch"): 68,
    Step("quota get @ghost"): 67,
}

#: How a front reaches its backend: the backend's listener, and a field of the passdb.
WAYS = {
    "plain": ("tcp", ""),
    "starttls": ("tcp", " starttls=any-cert"),
    "ssl": ("ssl", " ssl=any-cert"),
}


def steps_of(case: str) -> tuple[Step, ...]:
    if case in FORMATS:
        option = case if case.startswith("-f") else ""
        return tuple(Step(f"{option} {words}") for words in SHOWN)
    return CASES[case]


def compare(steps: Sequence[Step], fake: Sequence[Said], real: Sequence[Said]) -> None:
    """Fail at the first step that fakedove answers otherwise."""
    for step, got, expected in zip(steps, fake, real, strict=True):
        if got != expected:
            pytest.fail(f"{step.words}\nreal: {expected}\nfake: {got}", pytrace=False)


@pytest.fixture(scope="module")
def reals() -> Iterator[Mapping[str, Real]]:
    for release in install.RELEASES:
        if reason := install.missing(release):
            pytest.skip(reason)
    with running(USUAL) as servers:
        yield {release: Real(server) for release, server in servers.items()}


@pytest.fixture(scope="module")
def fakes(reals: Mapping[str, Real]) -> Iterator[Mapping[str, Fake]]:
    with ExitStack() as stack:
        yield {one: stack.enter_context(faking(one)) for one in (*install.RELEASES, *OLDER)}


@pytest.fixture(scope="module")
def fronts(reals: Mapping[str, Real], fakes: Mapping[str, Fake]) -> Iterator[Mapping[str, Place]]:
    """Real servers that proxy their users to all the others, each in every way.

    Who is to be another user there, on a backend reached in some way, is told by the name.
    """
    backends = {f"real-{release}": real.place for release, real in reals.items()}
    backends |= {f"fake-{release}": fake.place for release, fake in fakes.items()}
    users = "".join(
        f"{user}.{backend}.{way}:{{PLAIN}}pass::::::proxy destuser={user} "
        f"host=127.0.0.1 port={place.shown(listener).rpartition(':')[2]}{field}\n"
        for backend, place in backends.items()
        for way, (listener, field) in WAYS.items()
        for user in ("tss", "bob", "ghost")
    )
    front = Variant("front", "doveadm_port = 1\n", users=users, mails=False)
    with running(front) as servers:
        yield {release: Real(server).place for release, server in servers.items()}


@pytest.fixture(params=install.RELEASES, ids=lambda release: f"program-{release}")
def program(request: pytest.FixtureRequest, reals: Mapping[str, Real]) -> Program:
    return Program(reals[request.param].server)


@pytest.fixture(params=install.RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def real(release: str, reals: Mapping[str, Real]) -> Real:
    return reals[release]


@pytest.fixture
def fake(release: str, fakes: Mapping[str, Fake]) -> Fake:
    return fakes[release]


@pytest.mark.parametrize("case", [*FORMATS, *CASES])
def test_the_program_says_the_same(program: Program, real: Real, fake: Fake, case: str) -> None:
    steps = steps_of(case)
    compare(steps, fake.say(program, steps), real.say(program, steps))


@pytest.mark.parametrize(("case", "listener"), WITH_PASSWORD)
def test_with_a_password(
    program: Program, real: Real, fake: Fake, case: str, listener: str
) -> None:
    steps = tuple(replace(step, listener=listener) for step in steps_of(case))
    compare(steps, fake.say(program, steps), real.say(program, steps))


def test_all_users(program: Program, real: Real, fake: Fake) -> None:
    steps = (Step("-f tab quota get @ -A"),)
    expected, got = real.say(program, steps), fake.say(program, steps)
    assert expected[0].output.count(b"STORAGE") >= 6
    if program.release == "2.4.1":
        # It asks for several users at once, and any may be answered first.
        expected, got = in_order(expected), in_order(got)
    compare(steps, got, expected)


def in_order(said: Sequence[Said]) -> list[Said]:
    return [
        replace(one, output=b"".join(sorted(one.output.splitlines(keepends=True)))) for one in said
    ]


@pytest.mark.parametrize("listener", ["unix-auth", "tcp"])
@pytest.mark.parametrize(
    ("password", "complaint"),
    [("wrong", b"authentication failed"), ("", b"doveadm_password not set")],
)
def test_a_wrong_password(
    program: Program, real: Real, fake: Fake, listener: str, password: str, complaint: bytes
) -> None:
    steps = (Step(f"-o doveadm_password={password} quota get @tss", listener=listener),)
    got = fake.say(program, steps)
    compare(steps, got, real.say(program, steps))
    assert got[0].status == 75
    assert complaint in got[0].errors
    assert not len(fake.server.journal)


@pytest.mark.parametrize("listener", TLS)
def test_tls(program: Program, real: Real, fake: Fake, listener: str) -> None:
    words = ("quota get @tss", "mailbox create @tss INBOX", "quota get @nosuch")
    options = f"{TLS[listener]} {ANY_CERTIFICATE}"
    steps = tuple(Step(f"{options} {one}", listener=listener) for one in words)
    compare(steps, fake.say(program, steps), real.say(program, steps))


@pytest.mark.parametrize("listener", TLS)
def test_tls_with_a_certificate_to_trust(program: Program, fake: Fake, listener: str) -> None:
    options = f"{TLS[listener]} -o ssl_client_ca_file={fake.ca}"
    (said,) = fake.say(program, (Step(f"{options} -f flow quota get @tss", listener=listener),))
    assert (said.status, said.errors) == (0, b"")
    assert said.output.startswith(b"Quota name=User quota Type=STORAGE Value=26 ")


@pytest.mark.parametrize("listener", TLS)
def test_tls_with_a_certificate_not_to_trust(program: Program, fake: Fake, listener: str) -> None:
    (said,) = fake.say(program, (Step(f"{TLS[listener]} quota get @tss", listener=listener),))
    assert said.status == 75
    assert b"unable to get local issuer certificate" in said.errors
    assert not len(fake.server.journal)


def test_without_doveadm_port_the_password_goes_in_the_clear(program: Program, fake: Fake) -> None:
    words = "-f flow quota get @tss"
    clear, starttls, tls = fake.say(
        program,
        (
            Step(f"-o doveadm_ssl=starttls {words}", listener="clear"),
            Step(f"{TLS['tcp']} {words}", listener="clear"),
            Step(f"-o doveadm_ssl=ssl {words}", listener="ssl"),
        ),
    )
    assert (clear.status, clear.errors) == (0, b"")
    assert starttls.status == 75
    assert tls.status == 75
    assert b"disconnected before handshake" in tls.errors


@pytest.mark.parametrize("command", ["user", "who", "kick", "reload"])
def test_what_the_program_does_itself_is_never_sent(
    program: Program, real: Real, fake: Fake, command: str
) -> None:
    steps = (Step(f"{command} @tss"),)
    compare(steps, fake.say(program, steps), real.say(program, steps))
    assert not len(fake.server.journal)


@pytest.mark.parametrize("older", OLDER)
@pytest.mark.parametrize("case", WITH_OLDER)
def test_an_older_server(
    program: Program, reals: Mapping[str, Real], fakes: Mapping[str, Fake], case: str, older: str
) -> None:
    steps = steps_of(case)
    expected = [as_older(said, older) for said in reals["2.3.19.1"].say(program, steps)]
    compare(steps, fakes[older].say(program, steps), expected)


def as_older(said: Said, older: str) -> Said:
    """Return what an older server makes of an answer of 2.3.19.1.

    2.2.36 sends log lines without a prefix, 2.2.32 none at all.
    """
    if older == "2.2.36":
        errors = re.sub(rb"(remote\(\S+\): )doveadm\(\S+: ", rb"\1", said.errors)
    else:
        errors = re.sub(rb"(?m)^.*: remote\(.*\n", b"", said.errors)
    return replace(said, errors=errors)


@pytest.mark.parametrize("older", OLDER)
def test_an_older_server_has_no_starttls(
    program: Program, fakes: Mapping[str, Fake], older: str
) -> None:
    step = Step(f"{TLS['tcp']} quota get @tss", listener="tcp")
    (said,) = fakes[older].say(program, (step,))
    assert said.status == 75
    assert b"doveadm STARTTLS failed: Server does not support it\n" in said.errors


def through(
    program: Program, front: Place, steps: Sequence[Step], backend: str, way: str, address: str
) -> list[Said]:
    """Return what the program says when a front proxies its commands to a backend."""
    suffix = f".{backend}.{way}"
    front = replace(front, known={suffix: "", address: "{{backend}}"})
    words = (re.sub(r"@\w+", rf"\g<0>{suffix}", step.words) for step in steps)
    return [
        program.run(front, replace(step, words=one)) for step, one in zip(steps, words, strict=True)
    ]


@pytest.mark.parametrize("way", WAYS)
def test_as_a_proxied_backend(
    program: Program, fronts: Mapping[str, Place], release: str, real: Real, fake: Fake, way: str
) -> None:
    front, listener = fronts[program.release], WAYS[way][0]
    # With TLS it is the first commands that matter.
    statuses = PROXIED if way == "plain" else dict(list(PROXIED.items())[:4])
    steps = tuple(statuses)
    real.server.restore()
    fake.server.reset()
    address = real.place.shown(listener)
    expected = through(program, front, steps, f"real-{release}", way, address)
    got = through(program, front, steps, f"fake-{release}", way, fake.place.shown(listener))
    compare(steps, got, expected)
    assert [said.status for said in got] == list(statuses.values())


@pytest.mark.parametrize("older", OLDER)
def test_an_older_proxied_backend(
    program: Program, fronts: Mapping[str, Place], fakes: Mapping[str, Fake], older: str
) -> None:
    fake, front = fakes[older], fronts[program.release]
    fake.server.reset()
    address = fake.place.shown("tcp")
    got = through(program, front, tuple(PROXIED), f"fake-{older}", "plain", address)
    assert [said.status for said in got] == list(PROXIED.values())
