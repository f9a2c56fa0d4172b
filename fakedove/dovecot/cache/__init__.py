"""The index cache of a mailbox: what reading and saving mail leaves there."""
