"""How many random questions are asked, and which: `make conformance STEPS=5000 SEED=2`."""

from __future__ import annotations

import os

STEPS = int(os.environ.get("FAKEDOVE_STEPS", "500"))
SEED = int(os.environ.get("FAKEDOVE_SEED", "1"))
