"""`service status`, `service stop` and `process status`: what the master process knows."""

from __future__ import annotations

from fakedove.dovecot import sockets
from fakedove.dovecot.registry import Call, Gap, Invocation, Kind, command, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Log, Output, Row, Scope
from fakedove.dovecot.services import Service
from fakedove.dovecot.status import Status

_SERVICE_COLUMNS = (
    "name",
    "process_count",
    "process_avail",
    "process_limit",
    "client_limit",
    "throttle_secs",
    "exit_failure_last",
    "exit_failures_in_sec",
    "last_drop_warning",
    "listen_pending",
    "listening",
    "doveadm_stop",
    "process_total",
)
_PROCESS_COLUMNS = (
    "name",
    "pid",
    "available_count",
    "total_count",
    "idle_start",
    "last_status_update",
    "last_kill_sent",
)
_GAPS = (Gap("the counts are those of a freshly started server, whatever its load"),)
#: Process ids of the fake's services begin behind this one.
_MASTER_PID = 4200


def _service_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return _SERVICE_COLUMNS[: release.service_columns]


@command(
    "service status",
    positional("service", Kind.TEXTS, required=False),
    columns=_service_columns,
    usage="[<service> [...]]",
    gaps=_GAPS,
)
def service_status(call: Call) -> Output:
    """Print the services of the server, in the order in which the master has them."""
    sockets.connect(call, "master")
    for service in _chosen(call):
        yield _service_row(service)[: call.release.service_columns]
    return Status.OK


@command(
    "service stop",
    positional("service", Kind.TEXTS, required=False),
    usage="<service> [<service> [...]]",
)
def service_stop(call: Call) -> Output:
    """Stop services; those that exist stop although another does not."""
    wanted = call.invocation.texts("service")
    if not wanted:
        raise Fatal(b"service parameter missing", Scope.COMMAND)
    sockets.connect(call, "master")
    unknown = b""
    services = {service.name.encode(): service for service in _all(call)}
    for name in wanted:
        if name in services:
            call.store.daemons.stop(services[name])
        else:
            unknown = unknown or name
    if unknown:
        yield Log(b"Unknown service: %b" % unknown, scope=Scope.COMMAND)
        return Status.NOTFOUND
    return Status.OK


@command(
    "process status",
    positional("service", Kind.TEXTS, required=False),
    columns=_PROCESS_COLUMNS,
    usage="[<service> [...]]",
    gaps=_GAPS,
)
def process_status(call: Call) -> Output:
    """Print the processes of the services, one row each."""
    sockets.connect(call, "master")
    now = b"%d" % call.store.clock.now().timestamp()
    wanted = set(_chosen(call))
    for pid, service in enumerate(_all(call), start=_MASTER_PID + 1):
        if service in wanted and service.process_count:
            yield _process_row(service, pid, now)
    return Status.OK


def _all(call: Call) -> list[Service]:
    return call.store.daemons.running(call.release.services)


def _chosen(call: Call) -> list[Service]:
    wanted = call.invocation.texts("service")
    return [one for one in _all(call) if not wanted or one.name.encode() in wanted]


def _service_row(service: Service) -> Row:
    return (
        service.name.encode(),
        b"%d" % service.process_count,
        b"%d" % service.process_avail,
        b"%d" % service.process_limit,
        b"%d" % service.client_limit,
        *(b"0", b"0", b"0", b"0", b"n"),
        b"y" if service.listening else b"n",
        b"y" if service.stopped else b"n",
        b"%d" % service.process_total,
    )


def _process_row(service: Service, pid: int, now: bytes) -> Row:
    busy = service.client_limit == 1
    available = 0 if busy else service.client_limit - 1
    return (
        service.name.encode(),
        b"%d" % pid,
        b"%d" % available,
        b"%d" % service.process_total,
        b"0",
        now,
        b"0",
    )
