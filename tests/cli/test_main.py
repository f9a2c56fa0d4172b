"""The program as a whole: its commands, its errors, its exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from fakedove.cli import COMMANDS, LATER_COMMANDS
from tests.cli.program import PATIENCE, PROGRAM, environment, fakedove


def test_help_lists_the_commands_that_there_are() -> None:
    done = fakedove("--help")
    assert done.returncode == 0
    lines = [
        line.split(maxsplit=1)[0] for line in done.stdout.split("Commands:")[1].splitlines()[1:]
    ]
    assert lines == list(COMMANDS)


def test_help_imports_neither_trio_nor_the_store() -> None:
    program = """if True:
        import sys
        from fakedove.cli import main
        try:
            main(["--help"])
        except SystemExit:
            pass
        loaded = {"trio", "ssl", "cryptography", "fakedove.dovecot"} & set(sys.modules)
        sys.exit(f"imported: {loaded}" if loaded else 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_the_same_first_words(name: str) -> None:
    done = fakedove(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: fakedove {name} ")


def test_version() -> None:
    try:
        expected = (f"fakedove {version('fakedove')}\n", "", 0)
    except PackageNotFoundError:
        expected = ("", "fakedove: run from a source tree, which has no version\n", 1)
    done = fakedove("--version")
    assert (done.stdout, done.stderr, done.returncode) == expected


@pytest.mark.parametrize("name", LATER_COMMANDS)
def test_a_later_command_names_what_there_is(name: str) -> None:
    done = fakedove(name, "x", "--y")
    built = ", ".join(COMMANDS)
    assert done.stderr == (
        f"fakedove: {name} is not built yet; there is: {built} (see fakedove --help)\n"
    )
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ([], "fakedove: Missing command (see fakedove --help)"),
        (["sevre"], 'fakedove: no command "sevre"; did you mean "serve"? (see fakedove --help)'),
        (["run"], "fakedove run: Missing argument '-- COMMAND...' (see fakedove run --help)"),
        (["certs"], "fakedove certs: Missing argument 'DIRECTORY' (see fakedove certs --help)"),
        (
            ["send", "quota", "get"],
            "fakedove send: no ADDRESS is given, and there is no $FAKEDOVE_UNIX either"
            " (see fakedove send --help)",
        ),
        (
            ["send", "unix:x"],
            'fakedove send: no COMMAND is given; one is "quota get -u ann"'
            " (see fakedove send --help)",
        ),
        (
            ["wait"],
            "fakedove wait: give either ADDRESS or --ready-file FILE (see fakedove wait --help)",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_2(args: list[str], text: str) -> None:
    done = fakedove(*args)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"{text}\n", 2)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("port = 1", "port: "),
        ('[[listener]]\nname = "a"\npath = "a"\nmode = "9"', "listener[0].mode: "),
        ('dovecot = "1.2"', 'dovecot: unknown release "1.2"'),
        ('store = "none.toml"', "none.toml"),
        ('[[stub]]\ncommand = "nosuch"\nfail = "TEMPFAIL"', "stub[0]: "),
        ("a = [", "is not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_78(
    content: str, text: str, short_path: Path
) -> None:
    config = short_path / "fakedove.toml"
    config.write_text(content)
    done = fakedove("serve", "--ephemeral", config)
    assert done.returncode == 78, done.stderr
    assert done.stderr.startswith("fakedove: ")
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("serve", "--dovecot", "9.9"), '--dovecot: unknown release "9.9"; known are '),
        (("run", "--protocol", "2.0", "--", "true"), '--protocol: unknown version "2.0"; known'),
        (("serve", "--dovecot", "2.4.1", "--protocol", "1.0"), "--protocol: Dovecot 2.4.1 speaks"),
    ],
)
def test_a_release_that_there_is_not_is_a_mistake_on_the_command_line(
    words: tuple[str, ...], text: str
) -> None:
    done = fakedove(*words)
    assert done.stderr.startswith(f"fakedove {words[0]}: {text}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("words", [("serve", "--ephemeral"), ("run",)])
def test_a_wrong_store_is_one_line_and_78(words: tuple[str, ...], short_path: Path) -> None:
    store = short_path / "store.toml"
    store.write_text('[[user]]\nname = "ann"\nquota_storage = "1X"\n')
    command = ("--", "true") if words == ("run",) else ()
    done = fakedove(*words, "--store", store, *command)
    assert done.stderr == (
        f'fakedove: {store}: user[0].quota_storage: "1X" has the unknown unit "X": '
        "there are B, K, M, G and T\n"
    )
    assert done.returncode == 78


def test_a_reader_that_is_gone_is_no_traceback(short_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, "certs", short_path / "certs"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 1)
