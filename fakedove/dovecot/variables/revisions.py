"""The commit that a release was made of, as `%{dovecot:revision}` has it: ten digits.

That of 2.4.1 is measured; the others are those of the public repository's tags. main is the one
that was recorded.
"""

from __future__ import annotations

from fakedove.dovecot.command_spans import MAIN

REVISIONS = {
    "2.4.0": "daeb6bc59c",
    "2.4.1": "7d8c0e5759",
    "2.4.2": "0962ed2104",
    "2.4.3": "c1b22ef978",
    "2.4.4": "8b687aa65c",
    MAIN: "f28b5a92ec",
}
