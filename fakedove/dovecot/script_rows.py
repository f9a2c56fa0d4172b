"""What differs between releases in the script service: a row for each change.

Facts: the sources of 118 tagged releases; eleven of them run and recorded
(script-http-by-release.jsonl).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from fakedove.dovecot.command_spans import release_key
from fakedove.dovecot.program_client import BEFORE_BLOCKS, WITHOUT_PREFIX, ClientWords
from fakedove.wire.dialect import ScriptDialect


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """The releases from `first` on have this script service, up to the next row's."""

    first: str
    dialect: ScriptDialect
    #: There is the option -p.
    passthrough: bool = False
    #: Log lines begin with the service's name; before, with `script`.
    log_names_service: bool = False
    #: What the clients of script services log.
    client: ClientWords = WITHOUT_PREFIX
    #: There are `execute` blocks; before, each feature has a setting of its own.
    execute_blocks: bool = False


@cache
def script_row(number: str) -> ScriptRow:
    """Return the row of a release."""
    wanted = release_key(number)
    return max(
        (row for row in _rows() if release_key(row.first) <= wanted),
        key=lambda row: release_key(row.first),
    )


@cache
def _rows() -> tuple[ScriptRow, ...]:
    oneway = ScriptDialect(
        major=1, oneway=True, environment=False, escapes=False, lenient_alarm=True
    )
    raw = replace(oneway, major=3, oneway=False, empty_last_argument=True)
    shorter = replace(raw, empty_last_argument=False)
    strict = replace(shorter, lenient_alarm=False)
    escaped = replace(strict, major=4, environment=True, escapes=True)
    prefixed = replace(BEFORE_BLOCKS, tells_code=False)
    named = ScriptRow("2.3.11", escaped, passthrough=True, log_names_service=True, client=prefixed)
    blocks = replace(named, first="2.4.0", client=ClientWords(), execute_blocks=True)
    return (
        ScriptRow("2.0.0", oneway),
        ScriptRow("2.1.0", raw),
        ScriptRow("2.1.9", shorter),
        ScriptRow("2.2.19", strict),
        ScriptRow("2.2.30", escaped),
        ScriptRow("2.3.7", escaped, client=prefixed),
        ScriptRow("2.3.8", escaped, passthrough=True, client=prefixed),
        named,
        replace(named, first="2.3.16", client=BEFORE_BLOCKS),
        blocks,
        replace(blocks, first="2.4.3", dialect=replace(escaped, escaped_environment=True)),
    )
