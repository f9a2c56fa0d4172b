"""fakedove: a fake Dovecot admin plane for tests."""
