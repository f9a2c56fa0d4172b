"""dsync: making the mail at two places the same, in both directions or in one.

Each side tells the other which mailboxes it has (`tree`), and what has become of them, and both
come to the same list (`tree_merge`). Then they go through the mailboxes one by one: each tells
its mails and changes (`exporting`), decides what it takes over from the other (`importing`) and
does so. `commands/syncing.py` leads through it; `state` is what it leaves for the next time.
"""
