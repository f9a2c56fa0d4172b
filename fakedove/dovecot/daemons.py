"""What the other processes of a server know: master, anvil, stats and log.

A fake has none of them, so this is what they would say: at first what a freshly started
single server says, later what commands and tests put here. A store's reset forgets it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

import msgspec

from fakedove.dovecot.services import Service

#: The log process keeps this many warnings and errors.
_KEPT_ERRORS = 1000


class Metric(msgspec.Struct, frozen=True, gc=False):
    """A metric of `stats add`; nothing has been counted for it."""

    name: str
    fields: tuple[str, ...] = ()


class Penalty(msgspec.Struct, frozen=True, gc=False):
    """An address that failed to log in, as anvil remembers it."""

    ip: str
    penalty: int
    last_penalty: datetime
    last_update: datetime


class LoggedError(msgspec.Struct, frozen=True, gc=False):
    """A line of the log at level warning or above."""

    time: datetime
    prefix: bytes
    level: str
    text: bytes


class Daemons:
    """State of the processes beside doveadm-server; change it as you like."""

    def __init__(self) -> None:
        """Be those of a freshly started server."""
        #: Services that differ from those of a fresh server, or come in addition.
        self.services: dict[str, Service] = {}
        self.metrics: dict[str, Metric] = {}
        self.penalties: list[Penalty] = []
        self.errors: deque[LoggedError] = deque(maxlen=_KEPT_ERRORS)
        #: Whether the server is on the list of instances.
        self.listed = True
        #: How often the configuration was read again: each time, new processes are started.
        self.reloads = 0

    def copy(self) -> Daemons:
        """Return daemons of their own in the same state."""
        other = Daemons()
        other.become(self)
        return other

    def become(self, other: Daemons) -> None:
        """Take over the state of `other`."""
        self.services = other.services.copy()
        self.metrics = other.metrics.copy()
        self.penalties = other.penalties.copy()
        self.errors = other.errors.copy()
        self.listed = other.listed
        self.reloads = other.reloads

    def running(self, fresh: Iterable[Service]) -> list[Service]:
        """Return all services, where `fresh` are those of a fresh server."""
        known = {service.name: service for service in fresh}
        return list((known | self.services).values())

    def stop(self, service: Service) -> None:
        """Stop a service until the next reload."""
        self.services[service.name] = service.stop()

    def reload(self, fresh: Iterable[Service]) -> None:
        """Let stopped services listen again, with new processes."""
        self.reloads += 1
        names = {service.name for service in fresh}
        for service in tuple(self.services.values()):
            if not service.stopped:
                continue
            if service.name in names:
                del self.services[service.name]
            else:
                self.services[service.name] = Service(
                    service.name, service.process_limit, service.client_limit
                )
