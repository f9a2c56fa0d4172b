"""`stats *`: metrics that were added at run time. Nothing is counted, so all of them are 0."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fakedove.dovecot import sockets
from fakedove.dovecot.commands import oldstats
from fakedove.dovecot.daemons import Metric
from fakedove.dovecot.registry import Call, Gap, Invocation, command, flag, option, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Level, Log, Output, Row, Scope
from fakedove.dovecot.status import Status

_SOCKET = "stats-reader"
_GAPS = (Gap("nothing is counted: every value is 0"),)
_DEFAULT_FIELDS = "count sum min max avg median stddev %95"
_ZERO = {
    **dict.fromkeys(("count", "sum", "min", "max", "median"), b"0"),
    **dict.fromkeys(("avg", "stddev", "variance"), b"0.00"),
}
#: How `--group-by field:function` may aggregate.
_AGGREGATIONS = ("discrete", "exponential", "linear")
#: The client as the stats process logs it.
_CLIENT = b"conn unix:stats-reader (pid=4242,uid=0): "
_ADD_USAGE = (
    "[--description <string>] [--exporter <name> [--exporter-include <fields>]] "
    "[--fields <fields>] [--group-by <fields>] <name> <filter>"
)


def _fields(invocation: Invocation) -> tuple[str, ...]:
    text = (invocation.text("fields") or _DEFAULT_FIELDS.encode()).decode(errors="replace")
    return tuple(field for field in re.split("[, ]+", text) if field)


def _dump_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    if release.stats_dump_is_old:
        return oldstats.columns(invocation, release)
    return ("metric_name", "field", *_fields(invocation))


@command(
    "stats dump",
    option("socket-path", "s"),
    flag("reset", "r", when="stats_dump_is_new"),
    option("fields", "f", when="stats_dump_is_new"),
    positional("type", required=False, when="stats_dump_is_old"),
    positional("filter", required=False, when="stats_dump_is_old"),
    columns=_dump_columns,
    usage="[-s <stats socket path>] [-r] [-f <fields>]",
    gaps=_GAPS,
)
def stats_dump(call: Call) -> Output:
    """Print the metrics, each with a row for its duration and one for each of its fields."""
    if call.release.stats_dump_is_old:
        return (yield from oldstats.dump(call))
    sockets.connect(call, _SOCKET)
    fields = _fields(call.invocation)
    values = tuple(_zero(field) for field in fields)
    for metric in tuple(call.store.daemons.metrics.values()):
        for field in ("duration", *metric.fields):
            yield _row(metric, field, values)
    return Status.OK


@command(
    "stats add",
    positional("name", required=False),
    positional("filter", required=False),
    option("exporter"),
    option("exporter-include"),
    option("description"),
    option("fields"),
    option("group-by"),
    usage=_ADD_USAGE,
    gaps=(Gap("there is no exporter, so `--exporter` always fails"),),
)
def stats_add(call: Call) -> Output:
    """Add a metric. What is wrong with it is an error in the log, and yet the status is OK."""
    for name in ("name", "filter"):
        if not call.invocation.text(name):
            yield Log(b"stats add: missing %b parameter" % name.encode(), scope=Scope.COMMAND)
            return Status.OK
    sockets.connect(call, _SOCKET)
    metrics = call.store.daemons.metrics
    name = _text(call, "name")
    problems = _problems(call)
    # Some releases look for the name first, and for what the filter says only then.
    if name in metrics and (not problems or not call.release.stats_hides_reasons):
        yield _refused("Metric already exists")
    elif problems and call.release.stats_hides_reasons:
        yield from _hung_up(call, problems[0])
    elif problems:
        yield _refused(problems[0])
    elif call.invocation.text("exporter"):
        yield from _no_exporter(call)
    else:
        separators = "[, ]+" if call.release.stats_hides_reasons else " +"
        fields = re.split(separators, _text(call, "fields"))
        metrics[name] = Metric(name, tuple(field for field in fields if field))
    return Status.OK


@command("stats remove", positional("name", required=False), usage="<name>")
def stats_remove(call: Call) -> Output:
    """Remove a metric that was added."""
    name = call.invocation.text("name")
    if name is None:
        yield Log(b"stats remove: missing name parameter", scope=Scope.COMMAND)
        return Status.OK
    sockets.connect(call, _SOCKET)
    if call.store.daemons.metrics.pop(_text(call, "name"), None) is None:
        yield Log(b"metrics '%b' not found" % name, scope=Scope.COMMAND)
    return Status.OK


@command("stats reopen")
def stats_reopen(call: Call) -> Output:
    """Let exporters open their files again, of which the stats process dies."""
    sockets.connect(call, _SOCKET)
    call.store.daemons.metrics.clear()
    yield _disconnected(call)
    return Status.OK


def _text(call: Call, name: str) -> str:
    return (call.invocation.text(name) or b"").decode(errors="surrogateescape")


def _zero(field: str) -> bytes:
    return b"0" if field.startswith("%") else _ZERO.get(field, b"")


def _row(metric: Metric, field: str, values: tuple[bytes, ...]) -> Row:
    return (metric.name.encode(errors="surrogateescape"), field.encode(), *values)


def _problems(call: Call) -> list[str]:
    """Return what is wrong with grouping and filter, in the order of the release's checks."""
    grouping = _grouping_problem(_text(call, "group-by"))
    if grouping is not None and call.release.stats_hides_reasons:
        grouping = f"Invalid metric_group_by: {grouping}"
    found = (grouping, call.release.event_filter.problem(_text(call, "filter")))
    if not call.release.stats_hides_reasons:
        found = found[::-1]
    return [one for one in found if one is not None]


def _grouping_problem(text: str) -> str | None:
    for group in text.split():
        field, _, function = group.partition(":")
        function = function.partition(":")[0]
        if function and function not in _AGGREGATIONS:
            return f"unknown aggregation function '{function}' on field '{field}'"
    return None


def _refused(problem: str) -> Log:
    text = f"METRICS-ADD: {problem}".encode(errors="surrogateescape")
    return Log(text, scope=Scope.COMMAND)


def _hung_up(call: Call, problem: str) -> Iterator[Log]:
    """Say what is seen where the stats process logs the problem and closes the connection."""
    text = f"METRICS-ADD: {problem}".encode(errors="surrogateescape")
    yield Log(_CLIENT + text, scope=Scope.STATS)
    yield _disconnected(call)


def _no_exporter(call: Call) -> Iterator[Log]:
    exporter = _text(call, "exporter")
    if call.release.stats_hides_reasons:
        yield _refused(f"Exporter '{exporter}' does not exist.")
        return
    # The stats process dies of it, and all metrics with it.
    panic = f"Could not find exporter ({exporter}) for metric ({_text(call, 'name')})"
    yield Log(panic.encode(errors="surrogateescape"), Level.FATAL, Scope.STATS)
    call.store.daemons.metrics.clear()
    yield _disconnected(call)


def _disconnected(call: Call) -> Log:
    path = sockets.own_path(call, _SOCKET)
    return Log(b"read(%b) failed: Connection closed" % path, scope=Scope.COMMAND)
