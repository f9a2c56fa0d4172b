"""Bytes to events and back: Dovecot's wire formats, without I/O, clock or store.

What differs by release comes in as a frozen `doveadm.Dialect`; errors are named by enums and
worded elsewhere.
"""
