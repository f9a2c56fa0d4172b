"""The contract: checks that every doveadm-server has to pass, the real one and a fake.

    status = fakedove.contract.run("unix:/run/dovecot/doveadm-server", password=None)

`fakedove contract ADDRESS` runs them. A check opens connections of its own, says literally
which bytes it sends and which it expects, and reads mailbox lists at most: nothing on the
server changes. What a release may do differently is found out first (`probe`), and a check
that does not apply is skipped with its reason. Nothing here uses the code of the server side,
so that a mistake in that code cannot hide itself.
"""

from fakedove.contract.runner import run as run

__all__ = ["run"]
