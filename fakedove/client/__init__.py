"""A client of doveadm-server, blocking and for Trio: what a test needs, and nothing more.

    with Client.connect("unix:/run/dovecot/doveadm-server") as client:
        reply = client.command("quota get", user="ann")

`conversation` is what both clients say and hear, without I/O; `blocking` and `in_trio` are
the two ways to carry it out.
"""

from fakedove.client.address import Address as Address
from fakedove.client.address import AddressLike as AddressLike
from fakedove.client.blocking import Client as Client
from fakedove.client.conversation import Reply as Reply
from fakedove.client.conversation import TlsMode as TlsMode
from fakedove.client.errors import ClientError as ClientError
from fakedove.client.errors import ClientTimeoutError as ClientTimeoutError
from fakedove.client.errors import PasswordNeededError as PasswordNeededError
from fakedove.client.in_trio import TrioClient as TrioClient
from fakedove.client.in_trio import open_trio_client as open_trio_client
