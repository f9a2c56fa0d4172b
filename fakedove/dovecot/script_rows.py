"""What differs between releases in the script service: a row for each change.

Facts: the sources of 118 tagged releases; eleven of them run and recorded
(script-http-by-release.jsonl).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from fakedove.dovecot.command_spans import release_key
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
    return (
        ScriptRow("2.0.0", oneway),
        ScriptRow("2.1.0", raw),
        ScriptRow("2.1.9", shorter),
        ScriptRow("2.2.19", strict),
        ScriptRow("2.2.30", escaped),
        ScriptRow("2.3.8", escaped, passthrough=True),
        ScriptRow("2.3.11", escaped, passthrough=True, log_names_service=True),
        ScriptRow(
            "2.4.3",
            replace(escaped, escaped_environment=True),
            passthrough=True,
            log_names_service=True,
        ),
    )
