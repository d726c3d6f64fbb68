"""Sync: the contract with the centre (`wire`), push, pull and the engine that runs them."""

import sys

# httpx imports its own command line along when it can: rich, pygments and click, 6 MB that nothing here calls
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
