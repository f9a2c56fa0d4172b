"""What fakedove costs, measured beside raw Trio and the real Dovecot."""
