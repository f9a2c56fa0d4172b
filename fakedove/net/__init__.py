"""Trio: listeners, TLS and the pump that carries out plans. The only ring that waits."""
