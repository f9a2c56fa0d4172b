"""Variables in texts: `%u` before 2.4 (`percent`), `%{user | upper}` since (`braces`)."""

from fakedove.dovecot.variables.expanding import (
    ExpansionCrash,
    Surroundings,
    UnknownVariable,
    expand_braces,
    expand_percent,
)

__all__ = [
    "ExpansionCrash",
    "Surroundings",
    "UnknownVariable",
    "expand_braces",
    "expand_percent",
]
