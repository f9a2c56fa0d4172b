"""The services of a freshly started single server, as `service status` lists them."""

from __future__ import annotations

import msgspec


class Service(msgspec.Struct, frozen=True, gc=False):
    """A service of the master process."""

    name: str
    process_limit: int
    client_limit: int
    process_count: int = 0
    #: Processes that could take a client.
    process_avail: int = 0
    process_total: int = 0
    #: Whether the master itself listens for clients, with no process there to take them.
    listening: bool = True
    #: Stopped by `service stop`.
    stopped: bool = False

    def stop(self) -> Service:
        """Return the service without processes and without listeners."""
        return msgspec.structs.replace(
            self, process_count=0, process_avail=0, listening=False, stopped=True
        )


def _services(text: str) -> tuple[Service, ...]:
    """Read `name process_limit client_limit [what runs]` lines.

    `+`: one process with room for more clients, so the master does not listen; `1`: one
    process that takes no more.
    """
    services = []
    for line in text.strip().splitlines():
        name, processes, clients, *running = line.split()
        count = int(bool(running))
        available = int(running == ["+"])
        services.append(
            Service(name, int(processes), int(clients), count, available, count, not available)
        )
    return tuple(services)


#: What 2.2 and 2.3 have in common, all behind their `log`.
_BEHIND_LOG = """\
    ipc 1 1000
    indexer-worker 10 1
    indexer 1 1000
    imap 1024 1
    imap-urlauth-worker 1024 1
    imap-urlauth 1024 1
    imap-urlauth-login 100 1
    imap-login 100 1
    imap-hibernate 100 1000
    doveadm 100 1 1
    dns_client 100 1
    director 1 1000
    dict 100 1
    dict-async 100 1000
    config 100 1000 +
    auth 1 1000 +
    auth-worker 100 1 1
    anvil 1 1000 +
"""

SERVICES_2_2 = _services(
    """
    stats 1 1000
    ssl-params 100 1000 +
    replicator 1 1000
    aggregator 100 1000
    log 1 1000 +
"""
    + _BEHIND_LOG
)

SERVICES_2_3 = _services(
    """
    stats 1 1000 +
    replicator 1 1000
    aggregator 100 1000
    old-stats 1 1000
    log 1 1000 +
"""
    + _BEHIND_LOG
)

SERVICES_2_3_8 = (Service("health-check", 100, 1), *SERVICES_2_3)

SERVICES_2_3_16 = tuple(
    msgspec.structs.replace(one, name="dns-client") if one.name == "dns_client" else one
    for one in SERVICES_2_3_8
)

SERVICES_2_3_19 = (Service("tcpwrap", 100, 1), *SERVICES_2_3_16)

SERVICES_2_4 = _services("""
    auth 1 1000 +
    auth-worker 30 1 1
    config 100 1000 +
    dict 100 1
    dict-async 100 1000
    dict-expire 1 1
    dns-client 100 1
    health-check 100 1
    imap 1024 1
    imap-hibernate 100 1000
    imap-urlauth 1024 1
    imap-urlauth-login 100 1
    imap-urlauth-worker 1024 1
    indexer 1 1000
    indexer-worker 10 1
    log 1 1000 +
    stats 1 1000 +
    anvil 1 1000 +
    imap-login 100 1
    doveadm 100 1 1
""")
