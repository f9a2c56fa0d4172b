"""dsync: making the mail at two places the same, in both directions or in one.

Each side tells the other which mailboxes it has (`tree_fill`), and what has become of them, and
both come to the same list (`tree_merge`, `renames`). Then they go through the mailboxes one by
one: each tells its mails, changes and attributes (`exporting`), decides what it takes over from
the other (`importing`) and does so (`writing`). `commands/sync_brain.py` is one of the sides;
`state` is what they leave for the next time.
"""
