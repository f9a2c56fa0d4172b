"""The commands, one module for each family of `doveadm help`.

Importing this package registers them all.
"""

from fakedove.dovecot.commands import auth, mail, mailbox, master, quota, sessions

__all__ = ["auth", "mail", "mailbox", "master", "quota", "sessions"]
