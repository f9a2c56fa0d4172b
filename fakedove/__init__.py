"""fakedove: a fake Dovecot admin plane for tests.

The map of the house, from the bottom up; each imports only what stands above it here:

    plan, errors   what a session tells the loop to do; what is raised on purpose
    wire/          bytes and events: the protocols, without sockets
    dovecot/       what Dovecot knows and answers: releases, the store, commands
    double/        what a test double adds: stubs and the journal
    sessions/      wire, dovecot and double joined: the makers of plans
    net/           Trio: the one loop that waits, listeners, TLS
    doors          fake (async), sync (from a thread), pytest_plugin, client, program_client,
                   cli, contract

The public names are below. They are looked up when they are used, so importing this costs
nothing: no Trio, no ssl, no cryptography.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakedove.client import Client as Client
    from fakedove.client import ClientError as ClientError
    from fakedove.client import TrioClient as TrioClient
    from fakedove.client import open_trio_client as open_trio_client
    from fakedove.double.connections import Connection as Connection
    from fakedove.double.exchange import Exchange as Exchange
    from fakedove.double.invocations import Invocation as Invocation
    from fakedove.double.request import Request as Request
    from fakedove.double.script_reply import ScriptEnd as ScriptEnd
    from fakedove.double.script_reply import ScriptReply as ScriptReply
    from fakedove.double.script_stubs import ScriptExpectation as ScriptExpectation
    from fakedove.double.script_stubs import ScriptStub as ScriptStub
    from fakedove.double.stubs import Expectation as Expectation
    from fakedove.double.stubs import Stub as Stub
    from fakedove.dovecot.mailbox import Mailbox as Mailbox
    from fakedove.dovecot.message import Message as Message
    from fakedove.dovecot.quota_roots import QuotaRoot as QuotaRoot
    from fakedove.dovecot.quota_rules import QuotaRule as QuotaRule
    from fakedove.dovecot.status import Status as Status
    from fakedove.dovecot.store import Store as Store
    from fakedove.dovecot.user import User as User
    from fakedove.dovecot.user_seed import UserSeed as UserSeed
    from fakedove.errors import ConfigurationError as ConfigurationError
    from fakedove.errors import ExpectationError as ExpectationError
    from fakedove.errors import FakeDovecotError as FakeDovecotError
    from fakedove.errors import ListenError as ListenError
    from fakedove.errors import StoreError as StoreError
    from fakedove.errors import StubError as StubError
    from fakedove.errors import UnknownNameError as UnknownNameError
    from fakedove.errors import UnknownReleaseError as UnknownReleaseError
    from fakedove.fake import AsyncFakeDovecot as AsyncFakeDovecot
    from fakedove.program_client import ExecuteError as ExecuteError
    from fakedove.program_client import Execution as Execution
    from fakedove.program_client import ScriptRun as ScriptRun
    from fakedove.program_client import Verdict as Verdict
    from fakedove.program_client import execute as execute
    from fakedove.program_client import execute_in_trio as execute_in_trio
    from fakedove.program_client import run_script as run_script
    from fakedove.sync import FakeDovecot as FakeDovecot

_HOMES = {
    "AsyncFakeDovecot": "fake",
    "Client": "client",
    "ClientError": "client",
    "ConfigurationError": "errors",
    "Connection": "double.connections",
    "Exchange": "double.exchange",
    "ExecuteError": "program_client",
    "Execution": "program_client",
    "Expectation": "double.stubs",
    "ExpectationError": "errors",
    "FakeDovecot": "sync",
    "FakeDovecotError": "errors",
    "Invocation": "double.invocations",
    "ListenError": "errors",
    "Mailbox": "dovecot.mailbox",
    "Message": "dovecot.message",
    "QuotaRoot": "dovecot.quota_roots",
    "QuotaRule": "dovecot.quota_rules",
    "Request": "double.request",
    "ScriptEnd": "double.script_reply",
    "ScriptExpectation": "double.script_stubs",
    "ScriptReply": "double.script_reply",
    "ScriptRun": "program_client",
    "ScriptStub": "double.script_stubs",
    "Status": "dovecot.status",
    "Store": "dovecot.store",
    "StoreError": "errors",
    "Stub": "double.stubs",
    "StubError": "errors",
    "TrioClient": "client",
    "UnknownNameError": "errors",
    "UnknownReleaseError": "errors",
    "User": "dovecot.user",
    "UserSeed": "dovecot.user_seed",
    "Verdict": "program_client",
    "execute": "program_client",
    "execute_in_trio": "program_client",
    "open_trio_client": "client",
    "run_script": "program_client",
}

__all__ = sorted(_HOMES)


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any name for one that exists.

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
