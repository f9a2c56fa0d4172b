"""Recorded conversations with the real Dovecot, and how to compare an answer with them."""
