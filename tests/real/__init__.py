"""The real Dovecot: installed, started, and asked the same questions as fakedove."""
