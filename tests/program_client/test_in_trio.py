"""The same in Trio, whatever the driver, and what cancelling does."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import trio

import fakedove
from fakedove import Verdict
from tests.program_client.services import answering, program, raw_service
from tests.program_client.test_forked import is_gone


async def test_a_service() -> None:
    with raw_service(answering(b"out+\n")) as target:
        done = await fakedove.execute_in_trio(target, ["x"], stdin=b"mail")
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"out")


async def test_a_program_of_the_fake_in_the_same_loop(tmp_path: Path) -> None:
    path = program(tmp_path, "echo $1")
    async with fakedove.AsyncFakeDovecot(
        script={"s": {"executable": [str(path)]}},
        listener=[{"name": "s", "service": "script", "script": "s", "path": "s"}],
    ) as fake:
        done = await fakedove.execute_in_trio(f"unix:{fake.path('s')}", ["hello"])
    assert (done.verdict, done.output) == (Verdict.SUCCESS, b"hello\n")


@pytest.mark.parametrize("driver", ["fork", "script"])
async def test_cancelling_ends_the_program_first(tmp_path: Path, driver: str) -> None:
    ready, pid = tmp_path / "ready", tmp_path / "pid"
    os.mkfifo(ready)
    path = program(tmp_path, f"echo $$ >{pid}; echo >{ready}; exec sleep 1000")

    async def run() -> None:
        await fakedove.execute_in_trio(f"{driver}:{path}", timeout=None)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.to_thread.run_sync(ready.read_text)
        nursery.cancel_scope.cancel()
    assert is_gone(int(pid.read_text()))


async def test_cancelling_ends_a_wait_for_a_noreply_program(tmp_path: Path) -> None:
    ready, pid = tmp_path / "ready", tmp_path / "pid"
    os.mkfifo(ready)
    path = program(tmp_path, f"echo $$ >{pid}; echo >{ready}; exec sleep 1000")

    async def run() -> None:
        await fakedove.execute_in_trio(f"script:{path}", noreply=True, timeout=None)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.to_thread.run_sync(ready.read_text)
        nursery.cancel_scope.cancel()
    assert is_gone(int(pid.read_text()))


async def test_cancelling_ends_a_conversation() -> None:
    heard = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def serve(client: socket.socket) -> None:
        while client.recv(100):
            token.run_sync_soon(heard.set)

    with raw_service(serve) as target:
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await fakedove.execute_in_trio(target, timeout=None)

            nursery.start_soon(run)
            await heard.wait()
            nursery.cancel_scope.cancel()
