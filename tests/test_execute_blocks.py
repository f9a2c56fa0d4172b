"""`[execute.NAME]`: every setting and its default, and what a call by block does."""

from __future__ import annotations

from pathlib import Path

import pytest

import fakedove
from fakedove import ConfigurationError, UnknownNameError, Verdict
from fakedove.config import make_config
from fakedove.execute_blocks import ExecuteBlock
from tests.program_client.services import answering, program, raw_service

_STORE = '[[user]]\nname = "tss"\nhome = "/home/tss"\n[[user]]\nname = "a  b"\n'


def block(name: str = "any", **keys: object) -> ExecuteBlock:
    """Return one block as a configuration has it."""
    return make_config(execute={name: keys}).execute[name]


def configured(folder: Path, text: str) -> Path:
    """Return a configuration file with a store beside it."""
    (folder / "store.toml").write_text(_STORE)
    file = folder / "fakedove.toml"
    file.write_text(f'store = "store.toml"\nbase_dir = "run"\n{text}')
    return file


# What may be said


def test_everything_has_a_default() -> None:
    assert block("test-script") == ExecuteBlock(
        name="test-script",
        driver="unix",
        args="",
        unix_socket_path="test-script",
        fork_path="test-script",
        tcp_host="",
        tcp_port=0,
    )


def test_the_paths_can_be_given() -> None:
    assert block(unix_socket_path="/run/s").unix_socket_path == "/run/s"
    assert block(driver="fork", fork_path="/bin/true").fork_path == "/bin/true"


@pytest.mark.parametrize(
    ("name", "keys", "place"),
    [
        ("localhost:12345", {}, ("localhost", 12345)),
        ("[::1]:12345", {}, ("::1", 12345)),
        ("any", {"tcp_host": "127.0.0.1", "tcp_port": 12345}, ("127.0.0.1", 12345)),
        # The name gives both or nothing.
        ("localhost:12345", {"tcp_port": 1}, ("localhost", 12345)),
    ],
)
def test_host_and_port(name: str, keys: dict[str, object], place: tuple[str, int]) -> None:
    found = block(name, driver="tcp", **keys)
    assert (found.tcp_host, found.tcp_port) == place


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("hello world", ("hello", "world")),
        ("", ()),
        (" a   b ", ("a", "b")),
        ('"a b"', ('"a', 'b"')),
        ("a\tb", ("a\tb",)),
    ],
)
def test_arguments_are_split_at_spaces(args: str, words: tuple[str, ...]) -> None:
    assert block(args=args).words() == words


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("a", {"driver": "exec"}, 'a.driver: "exec" is refused by Dovecot 2.4'),
        ("a", {"driver": "unx"}, 'a.driver: "unx" is not known; did you mean "unix"?'),
        ("a", {"arg": "x"}, 'a.arg: is not known; did you mean "args"?'),
        ("a", {"args": ["x"]}, "a.args: must be text, not a list"),
        ("localhost", {"driver": "tcp"}, 'a.tcp_port: must not be 0 with driver = "tcp"'),
        ("localhost", {"driver": "tcp", "tcp_port": 1}, "a.tcp_port: must not be 0"),
        ("any", {"driver": "tcp", "tcp_host": "h"}, "a.tcp_port: must not be 0"),
        ("a:b", {"driver": "tcp"}, 'a.tcp_host: is missing, and "a:b" is no "host:port" either'),
        ("a:70000", {"driver": "tcp"}, 'a.tcp_host: is missing, and "a:70000" is no'),
        ("a", {"driver": "tcp", "tcp_port": 70000}, "a.tcp_port: must be 65535 or less"),
    ],
)
def test_what_is_refused(name: str, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        block(name, **keys)
    assert str(caught.value).startswith("execute." + message.replace("a.", f"{name}.", 1))


# What it does


def test_a_block_runs_a_program(tmp_path: Path) -> None:
    program(tmp_path, 'for word; do echo "<$word>"; done')
    file = configured(
        tmp_path, '[execute.x]\ndriver = "fork"\nfork_path = "./script.sh"\nargs = "80 %{user}"'
    )
    done = fakedove.execute("x", ["more"], config=file, user="tss")
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"<80>\n<tss>\n<more>\n")


def test_variables_are_filled_in_before_the_arguments_are_split(tmp_path: Path) -> None:
    file = configured(tmp_path, '[execute.echo]\ndriver = "fork"\nargs = "%{user | upper} %{home}"')
    assert fakedove.execute(config=file, user="a  b").output.startswith(b"A B ")


def test_a_relative_socket_is_below_base_dir(tmp_path: Path) -> None:
    file = configured(tmp_path, "[execute.nosuchsock]\n")
    path = tmp_path / "run" / "nosuchsock"
    done = fakedove.execute(config=file)
    assert [str(one) for one in done.log] == [
        f"execute unix:{path}: Error: net_connect_unix({path}) failed: No such file or directory"
    ]


def test_a_block_and_a_service_of_one_file_find_each_other(tmp_path: Path) -> None:
    program(tmp_path, "echo $*")
    file = configured(
        tmp_path,
        """
        [script.hello]
        executable = ["script.sh", "one"]
        [[listener]]
        name = "script"
        service = "script"
        script = "hello"
        path = "hello"
        [execute.hello]
        args = "hello %{user}"
        """,
    )
    with fakedove.FakeDovecot(file):
        done = fakedove.execute(config=file, user="tss")
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"one hello tss\n")


# Recording tcp-localhost: host and port are the block's name.
def test_a_block_over_tcp(tmp_path: Path) -> None:
    with raw_service(answering(b"out\r\n.\r\n+\n"), tcp=True) as target:
        name = target.removeprefix("tcp:").replace("127.0.0.1", "localhost")
        file = configured(tmp_path, f'[execute."{name}"]\ndriver = "tcp"\nargs = "one %{{user}}"')
        done = fakedove.execute(config=file, user="tss")
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"out")


# Recording welcome-conf-two.
def test_one_execution_is_allowed(tmp_path: Path) -> None:
    file = configured(tmp_path, "[execute.welcome]\n[execute.welcome2]\n")
    done = fakedove.execute(config=file, user="tss")
    assert done.verdict is Verdict.INTERNAL_FAILURE
    assert [str(one) for one in done.log] == [
        "Error: Extra execute welcome2 { .. } named list filter - only one execution is allowed "
        "for now (previous: execute welcome { .. })"
    ]
    assert fakedove.execute("welcome2", config=file).log != done.log


async def test_blocks_in_trio(tmp_path: Path) -> None:
    file = configured(tmp_path, '[execute.echo]\ndriver = "fork"\nargs = "%{user}"')
    done = await fakedove.execute_in_trio("echo", config=file, user="tss")
    assert done.output == b"tss\n"


@pytest.mark.parametrize(
    ("text", "name", "user", "message"),
    [
        ("", None, "tss", "execute: there is no [execute.NAME]"),
        ("[execute.hello]", "hallo", None, 'execute: there is no [execute.hallo]; did you mean "h'),
        ('[execute.x]\nargs = "%{user}"', "x", None, 'execute.x.args: "%{user}" needs a user'),
        (
            '[execute.x]\nargs = "%{nosuch}"',
            *("x", "tss"),
            "execute.x.args: Unknown variable 'nosuch'",
        ),
    ],
)
def test_what_cannot_be_called(
    tmp_path: Path, text: str, name: str | None, user: str | None, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fakedove.execute(name, config=configured(tmp_path, text), user=user)
    assert str(caught.value).startswith(message)


def test_a_release_before_24_has_no_blocks(tmp_path: Path) -> None:
    file = configured(tmp_path, "[execute.x]")
    with pytest.raises(ConfigurationError, match=r"^execute: Dovecot 2\.3\.21 has no execute b"):
        fakedove.execute(config=file, dovecot="2.3.21")


def test_a_socket_needs_a_base_dir(tmp_path: Path) -> None:
    file = tmp_path / "fakedove.toml"
    file.write_text("[execute.x]\n")
    with pytest.raises(ConfigurationError, match=r"^execute\.x\.unix_socket_path: .*base_dir"):
        fakedove.execute(config=file)


def test_a_user_has_to_be_there(tmp_path: Path) -> None:
    file = configured(tmp_path, '[execute.x]\nargs = "%{user}"')
    with pytest.raises(UnknownNameError, match="tsss"):
        fakedove.execute(config=file, user="tsss")
