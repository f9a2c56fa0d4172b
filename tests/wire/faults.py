"""What a connection has against its peer."""

from __future__ import annotations

import pytest

from fakedove.errors import ProtocolError
from fakedove.wire.doveadm import Connection


def fault_of(connection: Connection) -> object:
    """Return the fault that the next event is."""
    with pytest.raises(ProtocolError) as caught:
        connection.next_event()
    return caught.value.fault
