"""Patterns for `fake.on(...)`: `like`, `exactly` and `regex`, joined by `&`, `|` and `~`."""

from __future__ import annotations

from fakedove.double.patterns import Pattern, exactly, like, regex

__all__ = ["Pattern", "exactly", "like", "regex"]
