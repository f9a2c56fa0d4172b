"""What Sieve makes of a program's answer: an action, a test, a variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from fakedove import ScriptStub
from tests.real.callers.caller import SENDER, Caller, mail_of

pytestmark = pytest.mark.real

Arm: TypeAlias = Callable[[ScriptStub], object]

_MAIL = b"Subject: lines\r\n\r\nfirst\r\n.second\r\n"

_ANSWERS: Mapping[str, Arm] = {
    "success": lambda stub: stub.reply(),
    "failure": lambda stub: stub.reply(exit=1),
    "signal": lambda stub: stub.reply(exit=-9),
    "a word": lambda stub: stub.reply(b"work"),
    "a word, failing": lambda stub: stub.reply(b"work", exit=1),
    "no code": lambda stub: stub.reply(result=b""),
}

_TRY = 'require ["vnd.dovecot.pipe", "fileinto", "mailbox"]; pipe :try "prog"; keep;'
_EXECUTE = 'require "vnd.dovecot.execute"; execute "prog"; discard;'
_BRANCH = """require ["vnd.dovecot.execute", "variables", "fileinto", "mailbox"];
set "folder" "unset";
if execute :output "folder" "prog" {
  fileinto :create "${folder}";
} else {
  fileinto :create "else-${folder}";
}
"""
_FILTER = """require ["vnd.dovecot.filter", "fileinto", "mailbox"];
if filter "prog" { fileinto :create "true"; } else { fileinto :create "false"; }
"""

_INBOX, _NONE = "/Maildir/new", None

#: Service, script, answer, and the folder that the mail is in afterwards. A filter that goes
#: away with input unread, or never answers, makes LMTP panic, so these are not here.
_EFFECTS = (
    ("sieve-pipe", _TRY, "failure", _INBOX),
    ("sieve-pipe", _TRY, "no code", _INBOX),
    ("sieve-execute", _EXECUTE, "success", _NONE),
    ("sieve-execute", _EXECUTE, "failure", _NONE),
    ("sieve-execute", _EXECUTE, "no code", _INBOX),
    ("sieve-execute", _BRANCH, "a word", "/Maildir/.work/new"),
    ("sieve-execute", _BRANCH, "a word, failing", "/Maildir/.else-unset/new"),
    ("sieve-execute", _BRANCH, "signal", "/Maildir/.else-unset/new"),
    ("sieve-execute", _BRANCH, "no code", "/Maildir/.else-unset/new"),
    ("sieve-filter", _FILTER, "success", "/Maildir/.true/new"),
    ("sieve-filter", _FILTER, "failure", "/Maildir/.false/new"),
    ("sieve-filter", _FILTER, "no code", "/Maildir/.false/new"),
)


@pytest.mark.parametrize(("service", "script", "answer", "folder"), _EFFECTS)
def test_an_effect(
    caller: Caller, service: str, script: str, answer: str, folder: str | None
) -> None:
    user = caller.new_user()
    caller.write_sieve(user, script)
    _ANSWERS[answer](caller.fake.script(service))
    assert caller.deliver(user, _MAIL).startswith("250 ")
    assert [mail.folder for mail in caller.mails(user)] == ([folder] if folder else [])
    assert len(caller.invocations(service, 1)) == 1


def test_variables_and_arguments(caller: Caller) -> None:
    user = caller.new_user()
    caller.write_sieve(user, 'require "vnd.dovecot.pipe"; pipe "prog" ["one", "two words"];')
    caller.deliver(user, _MAIL, "ORCPT=rfc822;alias@example.com")
    (invocation,) = caller.invocations("sieve-pipe", 1)
    assert invocation.args == ("one", "two words")
    host = invocation.env["HOST"]
    assert caller.release == "2.3.19.1" or host == "fake.example"
    assert invocation.env == {
        "USER": user,
        "HOME": str(caller.home(user)),
        "HOST": host,
        "SENDER": SENDER,
        "RECIPIENT": user,
        "ORIG_RECIPIENT": "alias@example.com",
    }
    assert invocation.stdin.startswith(b"Return-Path: <sender@example.org>\r\nDelivered-To: ")
    assert invocation.stdin.endswith(b"\r\n" + _MAIL)


def test_input_of_execute(caller: Caller) -> None:
    """Without :input and :pipe there is none, and its end comes at once."""
    user = caller.new_user()
    texts = ('execute "prog";', 'execute :input "some input" "prog";', 'execute :pipe "prog";')
    for script in texts:
        caller.write_sieve(user, f'require "vnd.dovecot.execute"; {script}')
        caller.deliver(user, _MAIL)
    nothing, some, mail = caller.invocations("sieve-execute", len(texts))
    assert (nothing.stdin, some.stdin) == (b"", b"some input")
    assert mail.stdin.endswith(_MAIL)
    assert all(one.stdin_eof for one in (nothing, some, mail))


def test_a_function_that_makes_another_mail(caller: Caller) -> None:
    user = caller.new_user()
    caller.write_sieve(user, 'require "vnd.dovecot.filter"; filter "prog"; keep;')
    caller.fake.script("sieve-filter").handle(
        lambda invocation: invocation.stdin.replace(b"lines", invocation.env["USER"].encode())
    )
    caller.deliver(user, _MAIL)
    (mail,) = caller.mails(user)
    assert b"\nSubject: " + user.encode() + b"\n\nfirst\n.second\n" in mail.data


def test_an_answer_before_all_of_a_big_mail_has_come(caller: Caller) -> None:
    """The client reads the code and EOF, and goes on sending what it has."""
    user = caller.new_user()
    caller.write_sieve(user, 'require "vnd.dovecot.pipe"; pipe "prog";')
    caller.fake.script("sieve-pipe").reply()
    assert caller.deliver(user, mail_of(5_000_000)).startswith("250 ")
    assert not caller.mails(user)
    (invocation,) = caller.invocations("sieve-pipe", 1)
    assert invocation.stdin_eof
    assert invocation.stdin_size > 4_990_000


def test_many_at_once(caller: Caller) -> None:
    users = [caller.new_user() for _ in range(5)]
    for user in users:
        caller.write_sieve(user, 'require "vnd.dovecot.pipe"; pipe "prog";')
    caller.fake.script("sieve-pipe").reply(delay=0.3)
    with ThreadPoolExecutor(len(users)) as pool:
        answers = list(pool.map(lambda user: caller.deliver(user, _MAIL), users))
    assert all(answer.startswith("250 ") for answer in answers)
    found = caller.invocations("sieve-pipe", len(users))
    assert sorted(one.env["USER"] for one in found) == sorted(users)
    assert max(one.started for one in found) < min(one.ended for one in found if one.ended)
