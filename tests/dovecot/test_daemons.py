"""What the other processes know: settable, and forgotten by a reset."""

from __future__ import annotations

from fakedove.dovecot.daemons import Daemons, Metric
from fakedove.dovecot.services import SERVICES_2_4, Service
from fakedove.dovecot.store import Store

IMAP = next(one for one in SERVICES_2_4 if one.name == "imap")


def test_a_fresh_server_has_the_services_of_its_release() -> None:
    assert Daemons().running(SERVICES_2_4) == list(SERVICES_2_4)


def test_a_service_can_be_changed_and_added() -> None:
    daemons = Daemons()
    daemons.services["imap"] = changed = Service("imap", 10, 1, process_count=3)
    daemons.services["mine"] = mine = Service("mine", 1, 1)
    services = daemons.running(SERVICES_2_4)
    assert services[SERVICES_2_4.index(IMAP)] == changed
    assert services[-1] == mine


def test_a_stopped_service_comes_back_with_a_reload() -> None:
    daemons = Daemons()
    daemons.services["mine"] = mine = Service("mine", 1, 1)
    daemons.stop(IMAP)
    daemons.stop(mine)
    stopped = [one for one in daemons.running(SERVICES_2_4) if one.stopped]
    assert [one.name for one in stopped] == ["imap", "mine"]
    assert not any(one.listening for one in stopped)
    daemons.reload(SERVICES_2_4)
    assert daemons.running(SERVICES_2_4) == [*SERVICES_2_4, mine]


def test_restore_forgets_and_a_snapshot_keeps() -> None:
    store = Store()
    store.daemons.metrics["m"] = Metric("m")
    kept = store.snapshot()
    store.daemons.metrics.clear()
    store.daemons.listed = False
    store.restore(kept)
    assert list(store.daemons.metrics) == ["m"]
    assert store.daemons.listed
    store.restore()
    assert not store.daemons.metrics
