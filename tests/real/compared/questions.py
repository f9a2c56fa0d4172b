"""Command lines at random, made from what the commands declare: `questions(release)`.

A command's options and arguments come from the registry, their values from `values`, by the
name of the parameter. Most lines are good; some lack an argument, have one too many, or an
option that the command does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from fakedove.dovecot import commands as _declared  # noqa: F401  # it fills the registry
from fakedove.dovecot.command_spans import commands_of
from fakedove.dovecot.commands import COMMANDS
from fakedove.dovecot.registry import MAIL_PARAMETERS, Command, Kind, Parameter
from fakedove.dovecot.release import Release
from fakedove.wire.tabescape import escape
from tests.real.compared import syncs, values
from tests.real.compared.values import Text, Words

#: Commands that are not asked, each with the reason.
LEFT_OUT: Mapping[str, str] = {
    "stop": "the server would be gone",
    "reload": "every process is started anew",
    "service stop": "the service would be gone",
    "service status": "it tells how many processes ran before",
    "process status": "it tells process ids and start times",
    "log errors": "it tells what other tests have logged",
    "log find": "it tells where this machine's syslog writes",
    "log reopen": "every process is signalled",
    "log test": "it fills the log that the test reads",
    "instance list": "it tells when the server was last started",
    "instance remove": "the list of instances is the machine's",
    "mount add": "the list of mounts is the machine's",
    "mount list": "the list of mounts is the machine's",
    "mount remove": "the list of mounts is the machine's",
    "stats dump": "it tells what other tests have done",
    "stats reset": "it forgets what other tests have done",
    "stats add": "metrics outlast the connection",
    "stats remove": "metrics outlast the connection",
    "stats reopen": "it signals a process that others share",
    "oldstats dump": "it tells what other tests have done",
    "oldstats reset": "it forgets what other tests have done",
    "dsync-server": "what follows its line is not a command",
    **{
        f"director {name}": "there is no director, and finding out takes five seconds"
        for name in (
            *("add", "down", "dump", "flush", "kick", "map", "move", "remove", "ring add"),
            *("ring remove", "ring status", "status", "up", "update"),
        )
    },
}

#: How often a command is chosen against one that is not listed.
_WEIGHTS: Mapping[str, int] = {
    "fetch": 8,
    "search": 8,
    "mailbox status": 4,
    "mailbox list": 3,
    "mailbox create": 4,
    "mailbox delete": 3,
    "mailbox rename": 4,
    "mailbox update": 3,
    "save": 4,
    "copy": 4,
    "move": 4,
    "expunge": 4,
    "flags add": 3,
    "flags remove": 3,
    "flags replace": 3,
    "quota get": 3,
    "sieve put": 3,
    "acl set": 2,
    "user": 2,
    "sync": 2,
    "backup": 2,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One command line, and the mail or script that follows it if the command takes one."""

    flags: str
    user: str
    command: str
    arguments: tuple[str, ...]
    body: str | None = None

    def bytes(self, names: Mapping[str, str]) -> bytes:
        """Return what is sent, with the server's own names filled in for `{{...}}`."""
        words = [self.flags, self.user, *self.command.split("\t"), *self.arguments]
        line = b"\t".join(escape(_encoded(_filled(word, names))) for word in words) + b"\n"
        if self.body is None:
            return line
        return line + re.sub(rb"(?m)^\.", b"..", _encoded(self.body)) + b"\n.\n"

    def __str__(self) -> str:
        return repr(self.bytes({}))[1:]


def questions(release: Release) -> st.SearchStrategy[Question]:
    """Draw any command that the release knows and that can be compared."""
    known = commands_of(release.last, mail_only=False)
    chosen = [name for name in sorted(known) if name in COMMANDS and name not in LEFT_OUT]
    weighted = [name for name in chosen for _ in range(_WEIGHTS.get(name, 1))]
    made = {name: _question(COMMANDS[name], release) for name in chosen}
    made |= {name: _sync(name, release) for name in ("sync", "backup")}
    if "batch" in made:
        lines = {name: one for name, one in made.items() if COMMANDS[name].mail and name != "batch"}
        made["batch"] = _batches([name for name in weighted if name in lines], lines)
    return st.sampled_from(weighted).flatmap(made.__getitem__)


def _question(command: Command, release: Release) -> st.SearchStrategy[Question]:
    parameters = [
        one
        for one in command.parameters
        if one not in MAIL_PARAMETERS and one.exists_in(release) and one.kind is not Kind.BODY
    ]
    body = st.none() if command.body is None else _body(command.name)
    return st.builds(
        Question,
        flags=values.mostly(st.just(""), values.one("v", "v", "D", "D", "x", "vD"), times=8),
        user=values.users if command.mail else st.just(""),
        command=st.just(command.name),
        arguments=_arguments(command.name, parameters, mail=command.mail),
        body=body,
    )


def _batches(
    names: list[str], lines: Mapping[str, st.SearchStrategy[Question]]
) -> st.SearchStrategy[Question]:
    """Draw batches of the commands named; a name of several words is one word or several."""
    drawn = st.sampled_from(names).flatmap(lines.__getitem__)
    return st.builds(_batch, values.one(";", ":", "--x"), st.lists(drawn, min_size=1, max_size=3))


def _batch(separator: str, lines: list[Question]) -> Question:
    words = [separator]
    for line in lines:
        name = line.command.split(" ") if line.flags else [line.command]
        words += [*name, *line.arguments, separator]
    return Question(lines[0].flags, lines[0].user, "batch", tuple(words[:-1]))


def _sync(command: str, release: Release) -> st.SearchStrategy[Question]:
    return st.builds(
        Question,
        flags=values.one("", "D", "D", "vD"),
        user=values.users,
        command=st.just(command),
        arguments=syncs.arguments(command, release),
    )


def _body(command: str) -> Text:
    return values.sieve_scripts if command.startswith("sieve") else values.mails


def _arguments(
    command: str, parameters: list[Parameter], *, mail: bool
) -> st.SearchStrategy[tuple[str, ...]]:
    options = [one for one in parameters if not one.positional]
    positionals = [one for one in parameters if one.positional]
    parts = [*_options(command, options), _positionals(command, positionals)]
    whole = st.tuples(*parts).map(lambda lists: [word for words in lists for word in words])
    return st.tuples(whole, st.integers(0, 39), st.sampled_from(_MISTAKES)).map(_with_mistake)


#: Words to put before the arguments by mistake, or "" to drop the last one.
_MISTAKES = ("", "-X", "--nonsense", "-", "--", "-u", "-A", "-v", "extra")


def _with_mistake(drawn: tuple[list[str], int, str]) -> tuple[str, ...]:
    words, chance, mistake = drawn
    if chance:
        return tuple(words)
    return (mistake, *words) if mistake else tuple(words[:-1])


def _options(command: str, options: list[Parameter]) -> Iterator[Words]:
    for option in options:
        given = _option(command, option)
        yield st.integers(0, 4).flatmap(
            lambda chance, given=given: st.just([]) if chance else given  # type: ignore[misc]
        )


def _option(command: str, option: Parameter) -> Words:
    name = f"-{option.short}" if option.short else f"--{option.long}"
    if not option.takes_value:
        return st.just([name])
    return value(command, option).map(lambda text: [name, text])


def _positionals(command: str, positionals: list[Parameter]) -> Words:
    drawn = [_positional(command, one) for one in positionals]
    return st.tuples(*drawn).map(lambda lists: [word for words in lists for word in words])


def _positional(command: str, parameter: Parameter) -> Words:
    if parameter.long == "query":
        return values.queries
    text = value(command, parameter)
    if parameter.kind is Kind.TEXTS:
        least = 1 if parameter.required else 0
        return st.lists(text, min_size=least, max_size=3)
    return text.map(lambda word: [word])


#: What a parameter's value is drawn from, by its name.
_BY_NAME: Mapping[str, Text] = {
    "mailbox": values.mailboxes,
    "new-name": values.mailboxes,
    "destination-mailbox": values.mailboxes,
    "mailbox-mask": values.masks,
    "user-mask": values.users,
    "user": values.users,
    "mask": values.users,
    "guid": values.guids,
    "mailbox-guid": values.guids,
    "uid-validity": values.numbers,
    "min-next-uid": values.numbers,
    "id": values.acl_identifiers,
    "right": values.acl_rights,
    "key": values.metadata_keys,
    "key-prefix": values.metadata_keys,
    "scriptname": values.sieve_names,
    "oldname": values.sieve_names,
    "newname": values.sieve_names,
    "flag": values.flags,
    "flagstr": values.flags,
    "received-date": values.received,
    "dict-uri": values.dict_uris,
    "filter-name": values.one("", "x"),
    "prefix": values.dict_keys,
    "difference": values.numbers,
    "source-user": values.users,
    "source-location": values.locations,
    "dest-parent-mailbox": values.mostly(values.one("", "New", "Archive"), values.mailboxes),
    "fs-driver": values.mostly(st.just("posix"), values.one("", "nosuch")),
    "fs-args": values.fs_arguments,
    "path": values.fs_paths,
    "source-path": values.fs_paths,
    "destination-path": values.fs_paths,
    # Not "": who listens at the name that this is, if anybody does, is the machine's.
    "socket-path": values.one("missing", "{{dir}}/run/missing"),
}

#: Where the name alone does not say it.
_BY_COMMAND: Mapping[tuple[str, str], Text] = {
    ("fetch", "fieldstr"): values.fetch_fields,
    ("fetch", "field"): values.fetch_fields,
    ("mailbox status", "fieldstr"): values.status_fields,
    ("mailbox status", "field"): values.status_fields,
    ("mailbox path", "type"): values.one("alt-mailbox", "dir", "index", "x", ""),
    ("mailbox cache decision", "decision"): values.one("no", "temp", "yes", "x"),
    ("mailbox cache decision", "fieldstr"): values.one("flags", "hdr.subject", "size.virtual", "x"),
    ("user", "field"): values.one("uid", "home", "quota_rule", "x", ""),
    ("user", "expand-field"): values.one("%u", "%h", "%{user}", "%{home}", "x", "%"),
    ("user", "auth-info"): values.one("service=imap", "x", "", "rip=1.2.3.4"),
}


def value(command: str, parameter: Parameter) -> Text:
    """Draw a value for a parameter of a command."""
    if (command, parameter.long) in _BY_COMMAND:
        return _BY_COMMAND[command, parameter.long]
    if parameter.long == "key" and "dict" in command:
        return values.dict_keys
    if parameter.kind in (Kind.NUMBER, Kind.UNSIGNED):
        return values.numbers
    return _BY_NAME.get(parameter.long, values.texts)


def _filled(word: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{\{([^}]*)\}\}", lambda found: names.get(found[1], found[0]), word)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
