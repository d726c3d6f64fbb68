"""The Windows side of packaging: test builds under wine, and the set-up program."""
