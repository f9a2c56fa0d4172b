from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakedove.config import (
    LATER_SERVICES,
    Config,
    Listener,
    Ssl,
    Tls,
    load_config,
    make_config,
)
from fakedove.errors import ConfigurationError
from fakedove.stub_settings import StubSetting


def load(folder: Path, text: str, **settings: object) -> Config:
    path = folder / "fakedove.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, **settings)


def one_listener(**keys: object) -> Listener:
    (listener,) = make_config(listener=[{"name": "a", **keys}]).listener
    return listener


# What may be said


def test_everything_has_a_default() -> None:
    config = make_config()
    assert (config.dovecot, config.protocol, config.store, config.base_dir) == (None,) * 4
    assert (config.doveadm_password, config.doveadm_port) == ("secret", 0)
    assert (config.tls, config.stub) == (None, ())


def test_the_default_listeners() -> None:
    unix, tcp, tls = make_config().listener
    assert (unix.name, unix.path, unix.mode, unix.address) == (
        "unix",
        "doveadm-server",
        0o600,
        None,
    )
    assert (tcp.name, tcp.address, tcp.ssl, tcp.path) == ("tcp", ("127.0.0.1", 0), "starttls", None)
    assert (tls.name, tls.address, tls.ssl) == ("tls", ("127.0.0.1", 0), Ssl.YES)
    assert {listener.service for listener in (unix, tcp, tls)} == {"doveadm"}


def test_a_whole_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        dovecot = "2.4.1"
        protocol = "1.3"
        doveadm_password = "geheim"
        doveadm_allowed_commands = ["who"]
        doveadm_port = 24245
        store = "store.toml"
        base_dir = "run"

        [[listener]]
        name = "unix"
        service = "doveadm"
        path = "doveadm-server"
        mode = "0666"
        tls = false

        [[listener]]
        name = "tcp"
        address = "[::1]:24245"
        ssl = "no"
        doveadm_password = ""
        doveadm_allowed_commands = ["mailbox list", "quota get"]
        service_count = 0

        [tls]
        cert = "server.pem"
        key = "/etc/server.key"

        [[stub]]
        command = "quota get"
        user = "tss"
        fail = "TEMPFAIL"
        times = 2
        log = "quota backend is down"

        [[stub]]
        command = "quota get"
        reply = [{ root = "User quota", type = "STORAGE", value = 1814 }]

        [[stub]]
        command = "who"
        raw = "+\\u0001\\n"
        """,
    )
    assert (config.dovecot, config.protocol, config.doveadm_port) == ("2.4.1", "1.3", 24245)
    assert (config.store, config.base_dir) == (f"{tmp_path}/store.toml", f"{tmp_path}/run")
    assert config.tls == Tls(f"{tmp_path}/server.pem", "/etc/server.key")
    assert config.listener == (
        Listener(
            name="unix",
            path="doveadm-server",
            mode=0o666,
            tls=False,
            doveadm_password="geheim",
            doveadm_allowed_commands=("who",),
        ),
        Listener(
            name="tcp",
            address=("::1", 24245),
            ssl=Ssl.NO,
            doveadm_password="",
            doveadm_allowed_commands=("mailbox list", "quota get"),
            service_count=0,
        ),
    )
    assert config.stub == (
        StubSetting(
            where="stub[0]",
            command="quota get",
            user="tss",
            fail="TEMPFAIL",
            times=2,
            log="quota backend is down",
        ),
        StubSetting(
            where="stub[1]",
            command="quota get",
            reply=({"root": "User quota", "type": "STORAGE", "value": 1814},),
        ),
        StubSetting(where="stub[2]", command="who", raw=b"+\x01\n"),
    )


def test_clock_and_seed() -> None:
    config = make_config(clock=datetime(2024, 5, 1, 12), seed=7)
    assert (config.clock, config.seed) == (datetime(2024, 5, 1, 12, tzinfo=UTC), 7)
    assert (make_config().clock, make_config().seed) == (None, None)


def test_keywords_take_the_place_of_the_files_keys(tmp_path: Path) -> None:
    text = 'dovecot = "2.4.1"\nstore = "b"'
    config = load(tmp_path, text, store=Path("c.toml"), dovecot=None)
    assert (config.dovecot, config.store) == ("2.4.1", "c.toml")


def test_an_empty_list_of_allowed_commands_lifts_the_general_one() -> None:
    config = make_config(
        doveadm_allowed_commands=["who"],
        listener=[{"name": "a", "path": "a", "doveadm_allowed_commands": []}],
    )
    assert config.listener[0].doveadm_allowed_commands == ()


def test_a_row_may_have_no_value_for_a_column() -> None:
    config = make_config(stub=[{"command": "quota get", "reply": [{"limit": None}]}])
    assert config.stub[0].reply == ({"limit": None},)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost:65535", ("localhost", 65535)),
        ("[::1]:0", ("::1", 0)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert one_listener(address=text).address == address


# What may not be said

PATH = {"name": "a", "path": "a"}
ADDRESS = {"name": "b", "address": "127.0.0.1:0"}
WHO = {"command": "who"}


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"dovecto": "2.4.1"}, 'dovecto: is not known; did you mean "dovecot"?'),
        ({"zzz": 1}, "zzz: is not known; there is: dovecot, protocol,"),
        ({"dovecot": 2.4}, 'dovecot: must be text in quotes, as "2.4", not a number (2.4)'),
        ({"dovecot": True}, "dovecot: must be text, not true or false"),
        ({"doveadm_port": 65536}, "doveadm_port: must be a port, 0 to 65535, not 65536"),
        ({"doveadm_port": "1"}, "doveadm_port: must be a whole number, not text"),
        ({"store": 1}, "store: must be text"),
        ({"clock": "2024"}, "clock: must be a date and time without quotes, as 2024-01-31T10"),
        ({"seed": "1"}, "seed: must be a whole number, not text"),
        ({"seed": -1}, "seed: must be 0 or more, not -1"),
        ({"tls": "server.pem"}, "tls: must be a table, not text"),
        ({"tls": {"cert": "a"}}, 'tls.key: is missing, for example key = "server.key'),
        ({"tls": {"crt": "a"}}, 'tls.crt: is not known; did you mean "cert"?'),
        ({"listener": {}}, "listener: must be a list; write [[listener]], not a table"),
        ({"listener": []}, "listener: is empty: leave it out to have unix, tcp and tls"),
        ({"listener": ["a"]}, "listener[0]: must be a table, not text"),
        ({"listener": [{"path": "a"}]}, 'listener[0].name: is missing, for example name = "unix"'),
        ({"listener": [{**PATH, "name": ""}]}, "listener[0].name: must not be empty"),
        ({"listener": [{**PATH, "path": ""}]}, "listener[0].path: must not be empty"),
        ({"listener": [{"name": "a"}]}, "listener[0].path: is missing, and so is address: a li"),
        ({"listener": [ADDRESS | PATH]}, "listener[0].path: stands beside address: a listener"),
        ({"listener": [{**ADDRESS, "mode": "0600"}]}, "listener[0].mode: belongs to a UNIX socket"),
        (
            {"listener": [{**PATH, "mode": 600}]},
            'listener[0].mode: must be text in quotes, as "600"',
        ),
        ({"listener": [{**PATH, "mode": "0900"}]}, 'listener[0].mode: "0900" is no mode: it must'),
        ({"listener": [{**PATH, "ssl": "startls"}]}, 'listener[0].ssl: "startls" is not known; di'),
        ({"listener": [{**PATH, "tls": 0}]}, "listener[0].tls: must be true or false, not a num"),
        ({"listener": [{**PATH, "pth": 0}]}, 'listener[0].pth: is not known; did you mean "pat'),
        (
            {"listener": [{**PATH, "doveadm_allowed_commands": "who"}]},
            "listener[0].doveadm_allowed_commands: must be a list, not text",
        ),
        (
            {"listener": [{**PATH, "service_count": -1}]},
            "listener[0].service_count: must be 0 or more, not -1",
        ),
        (
            {
                "script": {"x": {}},
                "listener": [{**PATH, "service": "script", "script": "x", "service_count": 1}],
            },
            'listener[0].service_count: belongs to service = "doveadm", not "script"',
        ),
        (
            {"listener": [{**PATH, "service": "doveadn"}]},
            'listener[0].service: "doveadn" is not known; did you mean "doveadm"?',
        ),
        ({"listener": [PATH, {**ADDRESS, "name": "a"}]}, 'listener[1].name: "a" is the name of li'),
        (
            {"listener": [PATH, {**PATH, "name": "b"}]},
            'listener[1].path: "a" is that of listener[0',
        ),
        (
            {"listener": [{"name": name, "address": "127.0.0.1:99"} for name in "ab"]},
            "listener[1].address: is that of listener[0] already",
        ),
        ({"stub": [{"fail": "X"}]}, 'stub[0].command: is missing, for example command = "quota ge'),
        ({"stub": [WHO]}, "stub[0]: has no answer: give it fail, reply, raw or passthrough"),
        (
            {"stub": [{**WHO, "fail": "X", "raw": ""}]},
            "stub[0].raw: stands beside fail: there is one answer",
        ),
        ({"stub": [{**WHO, "fail": ""}]}, "stub[0].fail: must not be empty"),
        ({"stub": [{**WHO, "raw": "", "times": 0}]}, "stub[0].times: must be 1 or more, not 0"),
        ({"stub": [{**WHO, "raw": "", "delay": -1}]}, "stub[0].delay: must be a number of seconds"),
        ({"stub": [{**WHO, "raw": "", "delay": "1"}]}, "stub[0].delay: must be a number of secon"),
        ({"expect": [{**WHO, "delay": 1}]}, "expect[0].delay: belongs to an answer: add passthro"),
        ({"expect": [{}]}, "expect[0].command: is missing"),
        ({"stub": [{**WHO, "passthrough": False}]}, "stub[0].passthrough: can only be true"),
        ({"unmatched": "ignore"}, "unmatched: "),
        ({"stub": [{**WHO, "reply": [1]}]}, "stub[0].reply[0]: must be a table, not a number"),
        ({"stub": [{**WHO, "reply": [{"a": 1.5}]}]}, "stub[0].reply[0].a: must be text or a whole"),
    ],
)
def test_errors_begin_with_the_path_of_the_setting(settings: dict[str, object], error: str) -> None:
    with pytest.raises(ConfigurationError, match="^" + re.escape(error)) as caught:
        make_config(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("service", LATER_SERVICES)
def test_a_service_of_later_is_refused_by_name(service: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_config(listener=[PATH, {**ADDRESS, "service": service}])
    assert str(caught.value) == (
        f'listener[1].service: "{service}" is not built yet; there is: doveadm, script'
    )


@pytest.mark.parametrize("key", ["doveadm_api_key", "plugin", "post_login"])
def test_a_key_of_later_is_refused_by_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{key}: is not built yet; there is: dovecot, "):
        make_config(**{key: {}})


@pytest.mark.parametrize("text", ["::1:0", "127.0.0.1", ":0", "a:65536", "a:b", "[a]:0", "a b:0"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^listener\[0\]\.address: .* is no address"):
        one_listener(address=text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match=r"fakedove\.toml: is not valid TOML: "):
        load(tmp_path, "dovecot = 2.4.1")


def test_reading_a_configuration_imports_no_network_library() -> None:
    program = (
        "import sys; from fakedove.config import make_config; make_config();"
        "print([name for name in ('trio', 'ssl', 'cryptography', 'click') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
