"""Quota roots and their rules: real servers that have them, and fakedove, answer and log alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fakedove.dovecot.quota_roots import QuotaRoot
from fakedove.dovecot.quota_rules import QuotaRule
from tests.real import install
from tests.real.compared.questions import Question
from tests.real.compared.sides import Sides
from tests.real.dovecot import RealDovecot
from tests.real.variants import Variant

pytestmark = pytest.mark.real

#: Characters in the mails of each mailbox.
_MAILS = {
    "tss": {"INBOX": (8000, 8000, 8000), "Sent": (), "Trash": (), "Archive/2024": ()},
    "alice": {"INBOX": (4000, 3000), "Trash": (900,), "Archive/2024": (800,)},
}

_UNLIMITED = QuotaRoot("User quota")
_ROOTS = {
    "little room in the first": (
        QuotaRoot("User quota", storage=29696),
        QuotaRoot("Archive", storage=1 << 30),
    ),
    "little room in the second": (
        _UNLIMITED,
        QuotaRoot("Archive", storage=29600, grace=10 << 20),
    ),
    "few mails in the last": (_UNLIMITED, QuotaRoot("B"), QuotaRoot("A", messages=4)),
    "more room in some": (
        QuotaRoot.of(
            "User quota",
            29696,
            5,
            rules=[
                QuotaRule.of("Trash", storage="+4K"),
                QuotaRule.of("Arch*", storage="23%", messages="40%"),
                QuotaRule.of("sent", ignore=True),
            ],
        ),
    ),
    "less room in some": (
        QuotaRoot.of(
            "User quota",
            1 << 20,
            100,
            rules=[
                QuotaRule.of("Sent", storage=-(1 << 20) + 29696),
                QuotaRule.of("Trash", messages="-96"),
                QuotaRule.of("Archive/????", storage="-1M", messages="-200"),
            ],
        ),
    ),
    "some are not counted": (
        QuotaRoot.of(
            "User quota",
            29696,
            rules=[QuotaRule.of("Sent", ignore=True), QuotaRule.of("Archive/*", ignore=True)],
        ),
    ),
    "inbox is not counted": (
        QuotaRoot.of("User quota", 6000, 4, rules=[QuotaRule.of("inbox", ignore=True)]),
    ),
    "each its own rules": (
        QuotaRoot.of("User quota", 29696, rules=[QuotaRule.of("Sent", ignore=True)]),
        QuotaRoot.of(
            "Archive",
            32000,
            rules=[QuotaRule.of("Trash", ignore=True), QuotaRule.of("Sent", storage="2K")],
        ),
    ),
    "rules without limits": (
        QuotaRoot.of("User quota", rules=[QuotaRule.of("INBOX", ignore=True)]),
    ),
}

_GET = Question("", "tss", "quota get", ())


def _save(size: int, mailbox: str = "INBOX") -> Question:
    return Question("", "tss", "save", ("-m", mailbox), f"Subject: new\n\n{'x' * size}")


def _ask(command: str, *arguments: str) -> Question:
    return Question("", "tss", command, arguments)


#: What is asked of a fresh store, with `quota get` in between.
_STORIES = (
    (_save(6000), _save(4000), _save(10), _ask("quota recalc")),
    (_ask("copy", "Sent", "user", "alice", "all"), _ask("move", "Sent", "mailbox", "INBOX", "all")),
    (_ask("import", "-U", "alice", "mdbox:{{dir}}/home/alice/mdbox", "", "all"),),
    2 * (_ask("import", "-U", "alice", "mdbox:{{dir}}/home/alice/mdbox", "New", "all"),),
    (_ask("copy", "Sent", "mailbox", "INBOX", "all"),),
    (_ask("move", "Sent", "user", "alice", "mailbox", "INBOX", "all"),),
    *((_save(6000, box), _save(4000, box), _save(600, box)) for box in ("Sent", "Trash")),
    (_save(6000, "Archive/2024"), _save(5000), _save(5000, "Archive/2024"), _save(900, "Trash")),
    (
        _ask("copy", "Trash", "user", "alice", "all"),
        _ask("copy", "Archive/2024", "user", "alice", "all"),
    ),
    (_save(10), _save(10), _ask("move", "Trash", "mailbox", "INBOX", "all")),
    (
        _ask("move", "Trash", "mailbox", "INBOX", "all"),
        _save(10),
        _ask("copy", "Sent", "mailbox", "Trash", "all"),
    ),
)


@pytest.mark.parametrize("name", _ROOTS)
@pytest.mark.parametrize("release", install.RELEASES)
def test_roots_are_answered_alike(release: str, name: str, tmp_path: Path) -> None:
    if reason := install.missing(release):
        pytest.skip(reason)
    roots = _ROOTS[name]
    file = tmp_path / "store.toml"
    file.write_text("".join(_user(tmp_path, user, roots) for user in _MAILS), encoding="utf-8")
    variant = Variant(name, _SETTINGS[release](roots))
    with (
        RealDovecot(release, variant, store_file=file) as real,
        contextlib.closing(Sides(real, store_file=file)) as sides,
    ):
        for story in _STORIES:
            sides.restore()
            for question in (_GET, *(one for asked in story for one in (asked, _GET))):
                found = sides.differences(question)
                assert not found, "\n".join([str(question), *found])
        assert sides.differences(Question("", "", "quota get", ("-A",))) == []


def _user(folder: Path, name: str, roots: Sequence[QuotaRoot]) -> str:
    """Write a user and the files of the mails; the GUIDs count from the name."""
    lines = ["[[user]]", f'name = "{name}"', 'password = "pass"', "uid = 5000", "gid = 5000"]
    lines.append(f'home = "{{{{dir}}}}/home/{name}"')
    for root in roots:
        lines += ["[[user.quota]]", f'name = "{root.name}"', f"storage = {root.storage or 0}"]
        lines += [f"messages = {root.messages or 0}", f"grace = {root.grace or 0}"]
        for rule in root.rules:
            lines += ["[[user.quota.rule]]", f'mailbox = "{rule.mailbox}"']
            lines += [f"ignore = {str(rule.ignore).lower()}"]
            lines += [f'{what} = "{extra}"' for what, extra in _extras(rule)]
    for at, (mailbox, sizes) in enumerate(_MAILS[name].items()):
        guid = f"{name.encode().hex()}{at:02}".ljust(32, "0")
        lines += ["[[user.mailbox]]", f'name = "{mailbox}"', f'guid = "{guid}"']
        lines.append(f"uidvalidity = {1700000000 + at}")
        for size in sizes:
            mail = folder / f"{size}.eml"
            mail.write_text(f"Subject: {size}\n\n{'x' * size}\n", encoding="utf-8")
            lines += ["[[user.mailbox.mail]]", f'file = "{mail.name}"', "flags = []"]
            lines.append("received = 2024-01-02T03:04:05Z")
    return "\n".join(lines) + "\n"


def _extras(rule: QuotaRule) -> Iterator[tuple[str, str]]:
    """Yield what a rule adds, as the store file and 2.3 write it."""
    for what, unit, extra in (("storage", "B", rule.storage), ("messages", "", rule.messages)):
        if extra.percent:
            yield what, f"+{extra.percent}%"
        elif extra.amount:
            yield what, f"{extra.amount:+}{unit}"


def _plugin(roots: Sequence[QuotaRoot]) -> str:
    """Write the roots as 2.3 has them; the first is in the configuration."""
    lines: list[str] = []
    for number, root in zip(("", *range(2, 9)), roots, strict=False):
        limits = f"storage={root.storage or 0}B:messages={root.messages or 0}"
        lines += [f"quota{number} = count:{root.name}", f"quota{number}_rule = *:{limits}"]
        for at, rule in enumerate(root.rules, 2):
            said = [f"{what}={extra}" for what, extra in _extras(rule)]
            # Settings have variables, which begin with `%`.
            words = ["ignore"] if rule.ignore else [word.replace("%", "%%") for word in said]
            lines.append(f"quota{number}_rule{at} = {rule.mailbox}:{':'.join(words)}")
    return "\n".join(["plugin {", *lines, f"quota_grace = {roots[-1].grace or 0}B", "}\n"])


def _blocks(roots: Sequence[QuotaRoot]) -> str:
    """Write the roots as 2.4 has them."""
    return "".join(
        f'quota "{root.name}" {{\n'
        f"  quota_storage_size = {root.storage or 0}B\n"
        f"  quota_message_count = {root.messages or 0}\n"
        f"  quota_storage_grace = {root.grace or 0}B\n}}\n"
        f"namespace inbox {{\n{''.join(_mailbox(root, rule) for rule in root.rules)}}}\n"
        for root in roots
    )


def _mailbox(root: QuotaRoot, rule: QuotaRule) -> str:
    """Write a rule as 2.4 has it, which knows no less than a limit and only parts of messages."""
    lines = ["quota_ignore = yes"] if rule.ignore else []
    storage, messages = rule.storage, rule.messages
    if storage.percent:
        lines.append(f"quota_storage_percentage = {100 + storage.percent}")
    elif storage.amount:
        lines.append(f"quota_storage_size = {max((root.storage or 0) + storage.amount, 0)}B")
    if messages.percent:
        lines.append(f"quota_message_percentage = {100 + messages.percent}")
    elif messages.amount:
        lines.append(f"quota_message_count = {max((root.messages or 0) + messages.amount, 0)}")
    inner = f'quota "{root.name}" {{\n{chr(10).join(lines)}\n}}'
    return f'mailbox "{rule.mailbox}" {{\n{inner}\n}}\n'


_SETTINGS = {"2.3.19.1": _plugin, "2.4.1": _blocks}
