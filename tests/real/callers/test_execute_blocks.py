"""Execute blocks of 2.4.1, in the forms that were recorded for the welcome plugin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from tests.real.callers.caller import CONFIGURATIONS, Caller
from tests.real.callers.left_out import LEFT_OUT
from tests.replay.scripts import Step, records, text
from tests.replay.transcripts import Json

pytestmark = pytest.mark.real

_RELEASE = "2.4.1"


def recordings() -> Iterator[Step]:
    """Yield those that are made again."""
    for record in records("script-clients.jsonl.xz"):
        name = text(record, "id")
        if name.startswith(("welcome-conf", "welcome-seed")) and name not in LEFT_OUT:
            yield record


def errors(said: str, caller: Caller) -> list[str]:
    """Return what was said on stderr, without users and line numbers."""
    said = re.sub(r"doveadm\(\w+\)", "doveadm(user)", said)
    return re.sub(r" line \d+:", ":", said).replace("{{dir}}", str(caller.folder)).splitlines()


@pytest.mark.parametrize("record", [pytest.param(one, id=text(one, "id")) for one in recordings()])
def test_a_block(record: Step, caller_of: Callable[[str], Caller]) -> None:
    caller = caller_of(_RELEASE)
    result = cast("dict[str, Json]", record["result"])
    recorded = cast("dict[str, Json]", result["d"])
    name = text(record, "conf").removesuffix(".conf")
    caller.configure(name, "quota", f"execute/{name}")

    said = caller.status(caller.new_user(), name)

    assert said.status == recorded["rc"]
    assert errors(said.errors, caller) == errors(str(recorded["err"]), caller)
    seen = cast("list[dict[str, Json]]", record["service_saw"])
    headers = [cast("list[list[Json]]", one["events"])[0][2] for one in seen]
    called = caller.invocations("welcome", len(seen))
    assert [one.raw_header.decode() for one in called] == headers


def test_every_block_is_that_of_a_recording() -> None:
    files = {file.name for file in (CONFIGURATIONS / _RELEASE / "execute").iterdir()}
    assert files == {text(one, "conf") for one in recordings()}
